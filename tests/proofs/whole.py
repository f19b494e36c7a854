"""Whole runs in processes of their own: pytest over cells, and `zmq-interop`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.plugin import ROOT
from harness.report.store import RESULTS


@dataclass(frozen=True, slots=True)
class Finished:
    """A pytest run that has ended."""

    code: int
    output: str
    results: dict[str, Any]

    @property
    def verdicts(self) -> dict[str, str]:
        return {cell["id"]: cell["verdict"] for cell in self.results["cells"]}


def cells(reports: Path, *arguments: str) -> Finished:
    """Run cells with pytest, filed below `reports`."""
    command = [*(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/interop"), *arguments]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command += ["--reports", str(reports)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=240)
    results = json.loads((reports / "latest" / RESULTS).read_text(encoding="utf-8"))
    return Finished(done.returncode, done.stdout + done.stderr, results)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `zmq-interop`."""
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
