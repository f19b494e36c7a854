"""Small things that several unit tests need: cells, records, runs, manifests and Python peers of a few lines."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from harness.measure import histogram
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.peers.manifest import Manifest
from harness.report.store import Record, Run

ABOUT = {"started": "2026-01-02T03:04:05Z", "host": "here", "system": "Linux", "seconds": 1.5}


def cell(
    what: str = "empty", *, pattern: str = "push-pull", left: str = "one", right: str = "two", transport: str = "tcp4"
) -> Cell:
    """Return a cell; it differs from the next one in what the caller names."""
    return Cell(pattern, transport, left, right, "left-binds", what)


def record(verdict: str = "pass", **keys: Any) -> Record:
    """Return a record; keys of a cell make its cell, the others are the record's."""
    of_cell = {key: keys.pop(key) for key in ("what", "pattern", "left", "right", "transport") if key in keys}
    return Record(cell(**of_cell), Verdict(verdict), **keys)


def run(*records: Record, problems: tuple[str, ...] = (), name: str = "20260102-030405-1") -> Run:
    """Return a run with these records."""
    return Run(name, dict(ABOUT), list(records), list(problems))


def encoded(*times_us: float) -> str:
    """Return these times as an encoded histogram."""
    made = HdrHistogram(histogram.LOWEST, histogram.HIGHEST, histogram.DIGITS)
    for time in times_us:
        made.record_value(int(1000 * time))
    return str(made.encode().decode("ascii"))


def script(folder: Path, code: str, name: str = "peer.py") -> list[str]:
    """Write a Python program and return the command that runs it."""
    file = folder / name
    file.write_text(textwrap.dedent(code), encoding="utf-8")
    return [sys.executable, "-I", "-X", "utf8", str(file)]


def python_manifest(folder: Path, **keys: Any) -> Manifest:
    """Return a manifest whose file lies in `folder` (and need not exist)."""
    keys = {"name": "tiny", "language": "python", "file": folder / "tiny.peer.toml", "run": ("x",), **keys}
    return Manifest(**keys)
