"""Systems that pin nothing (macOS): a priority a process, no affinity."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Final

import psutil

from harness.errors import Unsupported

assert sys.platform != "win32"

LEVELS: Final = {"low": 10, "normal": 0, "high": -5}


def cores() -> list[int]:
    """Unsupported."""
    raise Unsupported("this system can't pin a process to a core")


def threads(pid: int) -> list[int]:
    """Return the process itself. ProcessLookupError if it is gone."""
    if not psutil.pid_exists(pid):
        raise ProcessLookupError(f"there is no process {pid}")
    return [pid]


def named_threads(pid: int) -> Iterator[tuple[int, str]]:
    """Unsupported."""
    raise Unsupported("this system does not name the threads of other processes")


def affinity(pid: int, thread: int) -> list[int]:
    """Unsupported."""
    return cores()


def set_affinity(pid: int, thread: int, to: Sequence[int]) -> None:
    """Unsupported."""
    cores()


def priority(pid: int, thread: int) -> int:
    """Return a process's nice value."""
    return os.getpriority(os.PRIO_PROCESS, pid)


def set_priority(pid: int, thread: int, to: int) -> None:
    """Set a process's nice value."""
    os.setpriority(os.PRIO_PROCESS, pid, to)
