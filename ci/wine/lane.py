"""What the Wine lane runs: matrix and behaviours across the border both ways, then tests in the Windows Python.

A run of the harness has Windows peers on one side and this system's on the other. Measured checks stay out: a round
trip under Wine takes a hundred times what it takes anywhere else. The behaviours are those of one pair a direction.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import steps
from steps import PYTHON, ROOT, say

from wine import parts

MATRIX: Final = ("-m", "cells", "--transport", "tcp4", "--transport", "tcp6", "tests/interop")
DIRECTIONS: Final = ("left=wine", "right=wine")

OUT: Final = ("leak", "memory", "thousand", "two_hundred", "firewall", "topolog")
"""What stays out of the behaviours: it takes minutes, or counts what Wine does not."""


def _behaviours(left: str, right: str) -> tuple[str, ...]:
    """Return what selects the behaviours of one pair over tcp4; pytest knows only words of a cell's id."""
    chosen = [f"tcp4/{left} and {right}/", *(f"not {word}" for word in OUT)]
    peers = ("--peer", left, "--peer", right, "--transport", "tcp4")
    return ("-m", "scenario and not measured and not slow", *peers, "-k", " and ".join(chosen), "tests/interop")


STEPS: Final = (
    *((f"matrix, {place}", (*MATRIX, "--place", place)) for place in DIRECTIONS),
    ("behaviours, left=wine", (*_behaviours("go-zeromq", "pyzmq"), "--place", "left=wine")),
    ("behaviours, right=wine", (*_behaviours("pyzmq", "pebbe"), "--place", "right=wine")),
)
"""The runs of the harness: a Go peer of either kind in Windows, in either role."""

PURE: Final = (
    *("matrix", "verdicts", "known", "selection", "manifest", "payloads", "frames", "table", "compare", "store"),
    *("wire_zmtp", "wire_files", "host_windows", "alone", "build", "ci", "client", "findings", "judge", "merging"),
    *("page", "page_changes", "page_data", "places_names", "pool", "run_names", "sockets", "soak", "sweep"),
    *(
        "bootstrap",
        "bootstrap_packages",
        "comparison",
        "client_hangs",
        "exits",
        "library",
        "wire_judge",
        "wire_recorder",
    ),
)
NEEDS: Final = (
    *("pinned_with_all", "another_user", "library_files", "its_curves", "cells_are_drawn"),
    *("no_choice_is_one_line", "its_evidence_says_so", "killed_in_the_middle_is_swept"),
)
"""Tests that need a Go on PATH, another user, NumPy, or a whole run of pytest, which are not there under Wine."""

IN_WINDOWS: Final = (
    *(f"tests/unit/test_{name}.py" for name in PURE),
    *("tests/host/test_affinity.py", "tests/host/test_firewall.py", "tests/host/test_journal.py", "tests/windows"),
    *("-k", " and ".join(f"not {name}" for name in NEEDS)),
)
"""The tests that run in the Windows Python; docs/windows.md says why no more."""

COVERED: Final = parts.WINE / "coverage"
"""Folder of what those tests reached: `data`, and `report.json` of coverage.py."""

DEADLINE: Final = 1800
"""Seconds that the tests in the Windows Python may take."""

Show = Callable[[Sequence[str], dict[str, str]], int]


def run(show: Show, env: dict[str, str], extra: Sequence[str]) -> int:
    """Run the lane and say how long each of its steps took; returns the worst exit code. `setup` alone runs nothing."""
    if list(extra) == ["setup"]:
        return 0
    runs: list[tuple[str, Callable[[], int]]] = [
        (name, partial(show, [str(PYTHON), "-m", "pytest", "-n", "auto", *words, *extra], env)) for name, words in STEPS
    ]
    ended: list[tuple[str, int, float]] = []
    try:
        for name, step in [*runs, ("tests in the Windows Python", in_windows)]:
            began = time.monotonic()
            ended.append((name, step(), time.monotonic() - began))
    finally:
        say("".join(f"wine    {name}: exit {code}, {seconds:.0f} s\n" for name, code, seconds in ended))
    if not parts.at_rest():
        say("wine    programs still run in our prefix: another run's, or left behind by this one\n")
    return max(abs(code) for _, code, _ in ended)


def in_windows() -> int:
    """Run what the Windows Python can run, and say how much of the code for Windows alone that reached."""
    COVERED.mkdir(parents=True, exist_ok=True)
    cover = ["-m", "coverage"]
    words = [*cover, "run", "--data-file", f"Z:{COVERED / 'data'}", "--source", "harness", "-m", "pytest"]
    words += ["-p", "harness.plugin", "-p", "no:cacheprovider", "-q", *IN_WINDOWS]
    report = COVERED / "report.json"
    report.unlink(missing_ok=True)
    code = windows_python(*words)
    told = [*cover, "json", "-q", "--data-file", f"Z:{COVERED / 'data'}", "-o", f"Z:{report}"]
    return windows_python(*told) or code


def windows_python(*words: str) -> int:
    """Run the Windows Python, bounded; it needs pipes, for Wine cannot tell it what some other files are."""
    command = ["timeout", str(DEADLINE), "wine", str(parts.HOME / "python.exe"), *words]
    env = parts.environment() | {"PYTHONPATH": f"Z:{ROOT}", "PYTHONUTF8": "1"}
    say(f"$ python.exe {' '.join(words)}\n")
    process = subprocess.Popen(
        command, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    for line in process.stdout:
        say(line.decode("utf-8", "replace").replace("\r", ""))
    return steps.finish(process)
