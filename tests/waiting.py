"""Small things that tests of processes need: waiting for an event, and whether a process has ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil


def within(seconds: float, event: Callable[[], bool]) -> bool:
    """Whether an event that can only be polled comes in time."""
    end = time.perf_counter() + seconds
    while not event():
        if time.perf_counter() > end:
            return False
        time.sleep(0.005)
    return True


def gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits for its parent's notice has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
