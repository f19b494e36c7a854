"""What was recorded: connections, their two directions, and the chunks of bytes in which they came. No I/O.

A direction keeps its first and its last bytes. What is dropped in between goes through a decoder that keeps nothing of
it, so the last bytes can still be read as frames, and it is known how many frames are missing.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.wire.zmtp import Decoder, Event, Frame, revision

KEEP: Final = 4 * 1024 * 1024
"""Bytes kept of each direction's beginning, and as many of its end."""

_OVERHEAD: Final = 256
"""Bytes of memory that a chunk costs beside its data: a stream of single bytes must not cost more than it may."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that were read at once, at a time of the monotonic clock in ns."""

    ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not kept of a direction: that many bytes, and the frames and commands that ended in them."""

    size: int
    frames: int
    messages: int


class Flow:
    """One direction of a connection. `end` says when and how it ended: `closed`, `reset`, `not taken`
    (its receiver refused more) or `cut off` (the recording ended)."""

    def __init__(self, keep: int = KEEP) -> None:
        self.head: list[Chunk] = []
        self.tail: deque[Chunk] = deque()
        self.size = 0
        self.dropped = 0
        self.end: tuple[int, str] | None = None
        self.other: Flow | None = None
        self._keep = keep
        self._room = keep
        self._in_tail = 0
        self._past: Decoder | None = None
        self._frames = 0
        self._messages = 0

    def add(self, ns: int, data: bytes) -> None:
        """Take a chunk."""
        self.size += len(data)
        cost = len(data) + _OVERHEAD
        if not self.tail and cost <= self._room:
            self._room -= cost
            self.head.append(Chunk(ns, data))
            return
        self.tail.append(Chunk(ns, data))
        self._in_tail += cost
        while self._in_tail > self._keep and len(self.tail) > 1:
            self._drop(self.tail.popleft())

    def _drop(self, chunk: Chunk) -> None:
        if self._past is None:
            self._past = self.decoder()
            for early in self.head:
                self._past.feed(early.data)
        frames = [event for event in self._past.feed(chunk.data) if isinstance(event, Frame)]
        self._frames += len(frames)
        self._messages += sum(type(frame) is Frame and not frame.more for frame in frames)
        self._in_tail -= len(chunk.data) + _OVERHEAD
        self.dropped += len(chunk.data)

    def start(self, count: int) -> bytes:
        """Return the first bytes, at most `count` of them."""
        found = bytearray()
        for chunk in self.head or self.tail:
            found += chunk.data[:count]
            if len(found) >= count:
                break
        return bytes(found[:count])

    def decoder(self) -> Decoder:
        """Return a decoder for this direction, which knows what revision the other one speaks."""
        return Decoder(None if self.other is None else revision(self.other.start(11)), self._keep)

    def chunks(self) -> Iterator[Chunk | Gap]:
        """Yield what was kept, and what was not in its place."""
        yield from self.head
        if self.dropped:
            yield Gap(self.dropped, self._frames, self._messages)
        yield from self.tail

    def events(self) -> Iterator[tuple[int, Event | Gap]]:
        """Yield what was said, each with the time in ns at which its last byte came."""
        decoder, ns = self.decoder(), 0
        for chunk in self.chunks():
            if isinstance(chunk, Gap):
                assert self._past is not None
                decoder = copy.deepcopy(self._past)
                yield ns, chunk
                continue
            ns = chunk.ns
            for event in decoder.feed(chunk.data):
                yield ns, event
        if self.end is not None:
            for event in decoder.end():
                yield self.end[0], event


@dataclass(slots=True)
class Connection:
    """One connection through the recorder: `forth` is what the connecting side said, `back` what it heard."""

    number: int
    ns: int
    port: int = 0
    keep: int = KEEP
    forth: Flow = field(init=False)
    back: Flow = field(init=False)
    refused: bool = False

    def __post_init__(self) -> None:
        self.forth, self.back = Flow(self.keep), Flow(self.keep)
        self.forth.other, self.back.other = self.back, self.forth


@dataclass(slots=True)
class Recording:
    """All connections to one endpoint.

    `wall_ns` is the time of day, in ns since 1970, at `ns` of the monotonic clock, by which everything is stamped.
    `binds` and `connects` name who did; `raw` says that no ZMTP is spoken here.
    """

    endpoint: str
    ns: int
    wall_ns: int
    binds: str = ""
    connects: str = ""
    raw: bool = False
    connections: list[Connection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def wall(self, ns: int) -> int:
        """Return the time of day of a stamp: ns since 1970."""
        return self.wall_ns + ns - self.ns
