"""Pinning processes to one core, with all their threads: the only stable set-up for latency on a small machine."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from harness.errors import Unsupported


def cores() -> list[int]:
    """Return the cores that this process may use."""
    if not hasattr(psutil.Process, "cpu_affinity"):
        raise Unsupported("this system can't pin a process to a core")
    return list(psutil.Process().cpu_affinity() or [])


@contextlib.contextmanager
def pinned(pids: Sequence[int]) -> Iterator[int]:
    """Keep these processes on the last core that this one may use; yields its number, puts things back at the end."""
    allowed = cores()
    core = allowed[-1]
    try:
        for pid in pids:
            _set(pid, [core])
        yield core
    finally:
        for pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                _set(pid, allowed)


def place(where: Mapping[int, int]) -> None:
    """Keep each process (by its id) on one core, for the rest of its life."""
    for pid, core in where.items():
        _set(pid, [core])


def _set(pid: int, to: Sequence[int]) -> None:
    """Set the affinity of a process: of each thread on Linux, where new threads take after the one that made them."""
    if sys.platform == "linux":
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), to)
    else:
        psutil.Process(pid).cpu_affinity(list(to))
