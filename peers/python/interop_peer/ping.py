"""``echo`` and ``ping`` on a socket that blocks: what is measured against floors, so straight loops and nothing else.

Whether it is time to stop is asked between one message and the next, never while one is under way.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any, Protocol

from .frames import Message
from .trips import Trips

_FOREVER = 1 << 62


class Line(Protocol):
    """A socket that blocks, as these loops see it."""

    lockstep: bool
    """Whether the socket may send only when the answer to the message before has come."""
    trips: type[Trips]

    def check(self) -> None:
        """Raise the contract's ``timeout`` or ``closed`` when it is time to."""

    def put(self, message: list[Any]) -> None:
        """Send one message; its frames may be used again after."""

    def get(self) -> Message:
        """Receive one message; its frames are good until the next is received."""

    def try_put(self, message: list[Any]) -> bool:
        """Send one message, or say False when that would block."""

    def try_get(self) -> Message | None:
        """Receive one message, or say None when that would block."""

    def rest(self, seconds: float) -> None:
        """Wait until one of both may get on, or somewhat less than so many seconds have passed."""

    def pause(self, instant: int) -> None:
        """Wait until ``perf_counter_ns`` reaches ``instant``."""


def echo(line: Line, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Receive a message and send the same frames back, ``count`` times."""
    check, get, put = line.check, line.get, line.put
    count: int = params["count"]
    echoed = 0
    try:
        while echoed < count:
            check()
            put(get())
            echoed += 1
    finally:
        result["echoed"] = echoed


def ping(line: Line, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Send and wait for the answer, ``warmup`` + ``count`` times; only the ``count`` are timed."""
    trips = line.trips(params)
    try:
        if not trips.planned:
            _lock_step(line, trips)
        elif line.lockstep:
            _in_turn(line, trips)
        else:
            _open_loop(line, trips)
    finally:
        result.update(trips.result())


def _lock_step(line: Line, trips: Trips) -> None:
    check, put, get, number, note, clock = line.check, line.put, line.get, trips.number, trips.note, perf_counter_ns
    for sequence in range(trips.total):
        check()
        message = number(sequence)
        start = clock()
        put(message)
        answer = get()
        end = clock()
        note(sequence, start, end, answer)


def _in_turn(line: Line, trips: Trips) -> None:
    """Keep to a plan as far as a socket can that needs its answer before it may send again."""
    for sequence in range(trips.total):
        line.check()
        message = trips.number(sequence)
        line.pause(trips.due(sequence))
        start = trips.since(sequence)
        line.put(message)
        answer = line.get()
        trips.note(sequence, start, perf_counter_ns(), answer)


def _open_loop(line: Line, trips: Trips) -> None:
    """Keep to a plan, whether or not answers come: one send and one receive in turn, and a wait if neither went."""
    sent = 0
    due = trips.due(0)
    message = trips.number(0)
    while trips.missing:
        line.check()
        wait = due - perf_counter_ns()
        if wait <= 0:
            if line.try_put(message):
                trips.left(sent)
                sent += 1
                due = trips.due(sent) if sent < trips.total else _FOREVER
                message = trips.number(sent)
                wait = 0
            else:
                wait = _FOREVER
        answer = line.try_get()
        if answer is not None:
            trips.take(answer, perf_counter_ns())
        elif wait:
            line.rest(wait / 1e9)
