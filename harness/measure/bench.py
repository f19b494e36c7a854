"""What the harness itself costs: cells a second, an exchange over the bare exchange, a cell with everything around
it.

Each figure is a ratio to the bare exchange of the same pattern, transport and payload (`harness.measure.bare`),
measured before and after the runs, so that a machine that changes its speed is seen.
"""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import SetupFault
from harness.measure import bare
from harness.model.matrix import Cell
from harness.model.patterns import PATTERNS
from harness.model.verdicts import Verdict
from harness.report import store
from harness.report.store import Run

_FLOOR_ROUNDS: Final = 5

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Timing:
    """One run's figures; times in ms."""

    workers: str
    cells: int
    seconds: float
    exchange: float
    exchange_ratio: float
    whole: float
    whole_ratio: float

    @property
    def rate(self) -> float:
        """Cells a second."""
        return self.cells / self.seconds


def checks(tests: Path) -> dict[str, Callable[..., object]]:
    """Return the matrix check of each pattern, found by its `cells` marker."""
    found: dict[str, Callable[..., object]] = {}
    for file in sorted(tests.glob("test_*.py")):
        for check in vars(importlib.import_module(f"tests.interop.{file.stem}")).values():
            for mark in getattr(check, "pytestmark", ()):
                if mark.name == "cells":
                    found.update(dict.fromkeys(mark.args, check))
    return found


def floor(run: Run, tests: Path) -> dict[Key, float]:
    """Measure the bare exchange of every kind of cell in a run; ms by (pattern, transport, payload)."""
    by_pattern = checks(tests)
    kinds = {
        (record.cell.pattern, record.cell.transport, record.cell.what): record.cell
        for record in run.records
        if record.verdict is Verdict.PASS and record.cell.payload and not PATTERNS[record.cell.pattern].byte_stream
    }
    return {
        key: 1000 * statistics.median(bare.exchange(cell, by_pattern[cell.pattern]) for _ in range(_FLOOR_ROUNDS))
        for key, cell in kinds.items()
    }


def timing(run: Run, workers: str, bare_ms: Mapping[Key, float]) -> Timing:
    """Return a run's figures."""
    passed = [record for record in run.records if record.verdict is Verdict.PASS and _key(record.cell) in bare_ms]
    if not passed:
        raise SetupFault("bench: no cell passed, so there is nothing to measure; run zmq-interop doctor")
    costs = [1000 * record.seconds for record in passed]
    ratios = [1000 * record.seconds / bare_ms[_key(record.cell)] for record in passed]
    seconds = float(run.about["seconds"])
    processes = int(run.about["workers"] or 1)
    whole = 1000 * seconds * processes / len(run.records)
    return Timing(
        workers,
        len(run.records),
        seconds,
        statistics.median(costs),
        statistics.median(ratios),
        whole,
        whole / statistics.median(bare_ms[_key(record.cell)] for record in passed),
    )


def _key(cell: Cell) -> Key:
    return cell.pattern, cell.transport, cell.what


def runs(root: Path, rounds: int, arguments: tuple[str, ...]) -> Iterator[tuple[str, Run]]:
    """Run the matrix `rounds` times with all workers, and with two and one for the gain; yields (workers, run)."""
    for workers in [*["auto"] * rounds, "2", "1"]:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            workers,
            "-m",
            "cells and not slow",
            "tests/interop",
            *arguments,
        ]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise SetupFault(f"bench: the run ended with exit code {done.returncode}:\n{done.stdout[-2000:]}")
        yield workers, store.read(root / "reports" / "latest")
