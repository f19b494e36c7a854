"""Linux: affinity and priority belong to threads; /proc and /sys tell the rest.

New threads take after the one that made them, so a process is pinned by all its threads.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

assert sys.platform == "linux"

LEVELS: Final = {"low": 10, "normal": 0, "high": -5}
"""Nice values of the priority levels."""


def cores() -> list[int]:
    """Return every logical core of the machine."""
    return list(range(os.sysconf("SC_NPROCESSORS_CONF")))


def threads(pid: int) -> list[int]:
    """Return the ids of a process's threads, its first one first. ProcessLookupError if it is gone."""
    try:
        return sorted((int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()), key=lambda one: one != pid)
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {pid}") from None


def named_threads(pid: int) -> Iterator[tuple[int, str]]:
    """Yield each thread's id with its name, of at most 15 bytes."""
    for thread in threads(pid):
        with contextlib.suppress(OSError):
            yield thread, Path(f"/proc/{pid}/task/{thread}/comm").read_text("utf-8", "replace").rstrip("\n")


def affinity(pid: int, thread: int) -> list[int]:
    """Return the cores that a thread may use."""
    return sorted(os.sched_getaffinity(thread))


def set_affinity(pid: int, thread: int, to: Sequence[int]) -> None:
    """Let a thread use these cores only."""
    os.sched_setaffinity(thread, to)


def priority(pid: int, thread: int) -> int:
    """Return a thread's nice value."""
    return os.getpriority(os.PRIO_PROCESS, thread)


def set_priority(pid: int, thread: int, to: int) -> None:
    """Set a thread's nice value."""
    os.setpriority(os.PRIO_PROCESS, thread, to)
