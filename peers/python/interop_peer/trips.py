"""What ``ping`` knows: its messages, its plan, which answers are right, and how long they took.

Nothing here sends or receives; blocking and asyncio loops do that in their own ways. What they call while a message
is under way does as little as it can: checking and recording come after the clock was read.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

from .frames import Message
from .histogram import Histogram
from .numbered import HEADER, Numbered


class Trips:
    """One ``ping``. Moments are on the clock of ``perf_counter_ns``."""

    def __init__(self, params: dict[str, Any]) -> None:
        """Read what is wanted, and take now for the start."""
        self._requests = Numbered(params)
        self.number = self._requests.number
        """Gives the message with a number; the one before it is spoilt then."""
        self._expected = Numbered(params)
        self._strip: int = params.get("strip", 0)
        self._warmup: int = params.get("warmup", 0)
        self._rate: float = params.get("rate", 0)
        self._hdr = Histogram()
        self._pending: dict[int, int] = {}
        self._came = self._count = self._wrong = self._jitter = self._last = self._end = 0
        self._first: int | None = None
        self.total: int = self._warmup + params["count"]
        self.planned = bool(self._rate)
        """Whether this is an open loop."""
        self._start = perf_counter_ns()

    @property
    def missing(self) -> bool:
        """Whether answers are to come in an open loop; a wrong one takes the place of a right one."""
        return self._came < self.total

    def due(self, sequence: int) -> int:
        """Say when the plan wants a message to leave."""
        return self._start + int(min(sequence * 1e9 / self._rate, 1e18))

    def since(self, sequence: int) -> int:
        """Say from when the time of a message counts that leaves now: from when it should have."""
        return self.due(sequence)

    def left(self, sequence: int) -> None:
        """Note that a message of an open loop has left."""
        self._pending[sequence] = self.since(sequence)

    def take(self, answer: Message, end: int) -> None:
        """Note an answer of an open loop: the first one to a message that has left has its time, others are wrong."""
        self._came += 1
        body = answer[-1]
        start = self._pending.pop(HEADER.unpack_from(body)[0], None) if len(body) >= HEADER.size else None
        if start is None:
            self._wrong += 1
        else:
            self.note(HEADER.unpack_from(body)[0], start, end, answer)

    def note(self, sequence: int, start: int, end: int, answer: Message) -> None:
        """Note the answer to a message; without its first ``strip`` frames it must be that message."""
        expected = self._expected.number(sequence)
        frames = answer[self._strip :] if self._strip else answer
        if frames != expected and frames != [self._expected.body]:
            self._wrong += 1
        if sequence < self._warmup:
            return
        if self._first is None or start < self._first:
            self._first = start
        took = end - start
        if self._count:
            self._jitter += abs(took - self._last)
        self._last = took
        self._end = end
        self._count += 1
        self._hdr.record(took)

    def result(self) -> dict[str, Any]:
        """Sum up, also before the end."""
        return {
            "count": self._count,
            "wrong": self._wrong,
            "ns": 0 if self._first is None else self._end - self._first,
            "jitter_ns": self._jitter // max(1, self._count - 1),
            "hdr": self._hdr.encode(),
        }
