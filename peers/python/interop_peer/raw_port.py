"""``echo`` and ``ping`` on ``RAW``: the floor that a library's figures are compared with.

A stream has no messages, so each is a fixed number of bytes. A call of the system is all that a message takes: the
system itself ends one that blocks too long, which costs no call more.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from . import ping
from .errors import InvalidError, closed, timed_out
from .frames import Message
from .trips import Trips
from .waiting import SLICE, nap, watch

WORKLOADS = {"echo": ping.echo, "ping": ping.ping}

_AGAIN = (BlockingIOError, TimeoutError)  # what systems say when a call has blocked for its time


def _period(seconds: float) -> bytes:
    if sys.platform == "win32":
        return struct.pack("@L", max(1, int(seconds * 1000)))
    return struct.pack("@ll", 0, max(1, int(seconds * 1_000_000)))


def size_of(params: dict[str, Any]) -> int:
    """Give the bytes of a message.

    :raises InvalidError: if that is not said, or there is a prefix, which has no place in a stream.
    """
    if "size" not in params:
        raise InvalidError("a workload on RAW needs 'size'")
    if params.get("prefix") or params.get("strip"):
        raise InvalidError("messages on RAW have no frames")
    size: int = params["size"]
    return size


class RawPort:
    """A connection as the loops see it."""

    lockstep = False
    trips = Trips

    def __init__(
        self, stream: socket.socket, held: bytearray, params: dict[str, Any], limit: float, closing: Callable[[], bool]
    ) -> None:
        """Work on ``stream`` for ``limit`` seconds; ``held`` are bytes that an earlier call has read."""
        self._stream = stream
        self._held = held
        self._size = size_of(params)
        self._deadline = monotonic() + limit
        self._closing = closing
        self._attention = 0.0
        self._buffer = bytearray(self._size)
        self._message: list[Any] = [self._buffer]
        self._got = 0
        self._unsent = memoryview(b"")
        self._full = False
        stream.setblocking("rate" not in params)
        self.check()

    def check(self) -> None:
        """See whether it is time to stop, and near the end say how long the system may block."""
        if self._closing():
            raise closed()
        now = monotonic()
        if now < self._attention:
            return
        left = self._deadline - now
        if left <= 0:
            raise timed_out()
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._stream.setsockopt(socket.SOL_SOCKET, option, _period(min(left, SLICE)))
        self._attention = self._deadline - SLICE

    def put(self, message: list[Any]) -> None:
        """Write a message."""
        body = message[0]
        sent = 0
        while sent < self._size:
            try:
                sent += self._stream.send(memoryview(body)[sent:] if sent else body)
            except _AGAIN:
                self.check()

    def get(self) -> Message:
        """Read a message."""
        while self._got < self._size:
            try:
                self._read()
            except _AGAIN:
                self.check()
        self._got = 0
        return self._message

    def _read(self) -> None:
        """Read what is there of a message."""
        got = self._got
        if self._held:
            chunk = self._held[: self._size - got]
            self._buffer[got : got + len(chunk)] = chunk
            del self._held[: len(chunk)]
            count = len(chunk)
        else:
            count = self._stream.recv_into(memoryview(self._buffer)[got:] if got else self._buffer)
        if not count:
            raise closed()
        self._got = got + count

    def try_put(self, message: list[Any]) -> bool:
        """Take a message if the one before is written, and write what fits."""
        self._flush()
        if self._unsent:
            return False
        self._unsent = memoryview(message[0])
        self._flush()
        if len(self._unsent) == self._size:
            self._unsent = self._unsent[:0]
            self._full = True
            return False
        self._unsent = memoryview(bytes(self._unsent))  # what it is part of will be used again
        return True

    def _flush(self) -> None:
        self._full = False
        try:
            while self._unsent:
                self._unsent = self._unsent[self._stream.send(self._unsent) :]
        except BlockingIOError:
            self._full = True

    def try_get(self) -> Message | None:
        """Read what is there of a message, and give it if that is all."""
        try:
            self._read()
        except BlockingIOError:
            if self._full:
                self._flush()
            return None
        if self._got < self._size:
            return None
        self._got = 0
        return self._message

    def rest(self, seconds: float) -> None:
        """Wait for the connection."""
        watch(self._stream.fileno(), min(seconds, self._deadline - monotonic()), self._full)

    def pause(self, instant: int) -> None:
        """Wait for a moment of the plan."""
        while not nap(instant, self._deadline - monotonic()):
            self.check()

    def end(self) -> None:
        """Leave the connection as it was, with the bytes of a message that has not all come."""
        self._held[:0] = self._buffer[: self._got]
        self._stream.setblocking(False)
