"""Workloads on ``RAW``: the floor that a library's figures are compared with.

A TCP stream has no messages. ``echo`` sends back what each read gives, and ``ping`` waits for as many bytes as it
sent; ``drain`` and ``proxy`` have nothing to count and are not there.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from time import monotonic, perf_counter_ns
from typing import Any

from .errors import closed, timed_out
from .frames import Message

WORKLOADS = ("echo", "flood", "pace", "ping")

_SLICE = 0.1  # s that one call of the system may block before the workload looks whether to stop
_CHUNK = 65_536  # bytes


class RawPort:
    """A TCP connection as a workload sees it."""

    def __init__(self, stream: socket.socket, held: bytearray, deadline: float, closing: Callable[[], bool]) -> None:
        """Work on ``stream`` until ``deadline``; ``held`` are bytes that an earlier call has read."""
        self._stream = stream
        self._held = held
        self._deadline = deadline
        self._closing = closing
        self._timeout = -1.0

    def _attend(self) -> None:
        left = self._deadline - monotonic()
        if self._closing():
            raise closed()
        if left <= 0:
            raise timed_out()
        if (timeout := min(left, _SLICE)) != self._timeout:
            self._timeout = timeout
            self._stream.settimeout(timeout)

    async def send(self, message: list[Any]) -> None:
        """Write the bytes of all frames."""
        rest = memoryview(b"".join(message))
        while rest:
            self._attend()
            try:
                rest = rest[self._stream.send(rest) :]
            except TimeoutError:
                continue

    async def recv(self, like: list[Any] | None = None) -> Message:
        """Read what is there, or as many bytes as ``like`` has."""
        wanted = 1 if like is None else sum(map(len, like))
        most = _CHUNK if like is None else wanted
        while len(self._held) < wanted:
            self._attend()
            try:
                chunk = self._stream.recv(most - len(self._held))
            except TimeoutError:
                continue
            if not chunk:
                raise closed()
            self._held += chunk
        data = bytes(self._held[:most])
        del self._held[:most]
        return [data]

    async def until(self, instant: int) -> None:
        """Sleep."""
        while (left := (instant - perf_counter_ns()) / 1e9) > 0:
            self._attend()
            time.sleep(min(left, _SLICE, max(0.0, self._deadline - monotonic())))
