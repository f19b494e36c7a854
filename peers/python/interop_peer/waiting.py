"""Waiting precisely, for plans: the system wakes a thread up late, so the last moment is spent looking at the clock."""

from __future__ import annotations

import contextlib
import select
import selectors
import sys
import time
from collections.abc import Iterator, Mapping
from time import perf_counter_ns
from typing import Any

SLICE = 0.1
"""Seconds that a blocking call of the library or the system may take before whoever made it looks whether to stop."""

LATE = 0.00005 if sys.platform == "linux" else 0.002
"""Seconds by which the system may wake a thread up too late that waits ``precisely``."""

_HIGHEST = 1024  # descriptors from here on are beyond what select can watch
_PR_SET_TIMERSLACK = 29  # linux/prctl.h


@contextlib.contextmanager
def precisely(params: Mapping[str, Any]) -> Iterator[None]:
    """Let the system wake this thread up as soon as it can, for a workload with a plan; otherwise Linux saves power."""
    if sys.platform != "linux" or "rate" not in params:
        yield
        return
    import ctypes

    system = ctypes.CDLL(None)
    system.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)  # ns
    try:
        yield
    finally:
        system.prctl(_PR_SET_TIMERSLACK, 0, 0, 0, 0)  # the usual


def watch(descriptor: int, seconds: float, writable: bool = False) -> None:
    """Wait until something happens to a descriptor, or somewhat less than so many seconds, or a slice."""
    seconds = min(seconds, SLICE) - LATE
    if seconds <= 0:
        return
    if descriptor < _HIGHEST or sys.platform == "win32":
        select.select([descriptor], [descriptor] if writable else [], [], seconds)
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | (select.POLLOUT if writable else 0))
    poll.poll(int(seconds * 1000))


def nap(instant: int, limit: float) -> bool:
    """Wait until ``perf_counter_ns`` reaches ``instant``, for ``limit`` seconds or a slice; True when it is reached."""
    limit = min(limit, SLICE)
    left = (instant - perf_counter_ns()) / 1e9 - LATE
    if left > 0:
        time.sleep(max(0.0, min(left, limit)))
    if left > limit:
        return False
    while perf_counter_ns() < instant:
        pass
    return True


class Selector(selectors.DefaultSelector):
    """What an event loop sleeps on. While plans are kept it counts in less than milliseconds, as epoll does not."""

    plans = 0
    """How many workloads keep to one now."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait; a loop asks for no more than a few ms just before a moment of a plan."""
        if sys.platform == "linux" and self.plans and timeout is not None and 0 < timeout < SLICE:
            select.select([self.fileno()], [], [], timeout)
            timeout = 0
        return super().select(timeout)
