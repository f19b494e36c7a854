"""The workloads (section 5 of the contract), written once for blocking and asyncio libraries.

Each is a coroutine over a ``Port``. A blocking driver's port never suspends, so ``complete`` runs the same code
to its end without an event loop. A workload fills ``result`` also when it ends early: evidence is never lost.
``proxy`` needs two sockets at once, and ``echo`` and ``ping`` are measured against floors: drivers do them in their
own ways.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import perf_counter_ns, time_ns
from typing import Any, Protocol, TypeVar

from .errors import PeerError
from .frames import Message
from .histogram import Histogram
from .numbered import HEADER, STAMPED, Numbered
from .tally import Source

TIMEOUT = 60_000  # ms, unless the call says otherwise

Result = TypeVar("Result")


class Port(Protocol):
    """A socket as a workload sees it. Every method raises the contract's ``timeout`` or ``closed`` at its time."""

    async def send(self, message: list[Any]) -> None:
        """Hand one message to the library; its frames may be reused after."""

    async def recv(self) -> Message:
        """Receive one message."""

    async def until(self, instant: int) -> None:
        """Wait until ``perf_counter_ns`` reaches ``instant``."""


async def flood(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Send as fast as the library takes it."""
    numbered = Numbered(params)
    sent = 0
    start = perf_counter_ns()
    try:
        while sent < params["count"]:
            await port.send(numbered.stamp(sent, time_ns()) if numbered.stamps else numbered.number(sent))
            sent += 1
    finally:
        result.update(sent=sent, ns=perf_counter_ns() - start)


async def pace(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Send message i at i/``rate`` seconds after the start; a late message does not move the plan."""
    numbered = Numbered(params)
    sent = late = 0
    wall, start = time_ns(), perf_counter_ns()
    try:
        while sent < params["count"]:
            ahead = int(min(sent * 1e9 / params["rate"], 1e18))
            message = numbered.stamp(sent, wall + ahead) if numbered.stamps else numbered.number(sent)
            await port.until(start + ahead)
            late = max(late, perf_counter_ns() - start - ahead)
            await port.send(message)
            sent += 1
    finally:
        result.update(sent=sent, ns=perf_counter_ns() - start, late_ns=late)


async def drain(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Receive ``count`` messages and account for their numbers.

    ``ns`` runs from the call. A message without room for a header counts as received, and belongs to no source.
    """
    strip: int = params.get("strip", 0)
    delay = Histogram() if params.get("stamped") else None
    sources: dict[int, Source] = {}
    received = 0
    start = perf_counter_ns()
    try:
        while received < params["count"]:
            message = await port.recv()
            received += 1
            if len(message) <= strip or len(frame := message[strip]) < HEADER.size:
                continue
            number, name = HEADER.unpack_from(frame)
            if delay and len(frame) >= STAMPED.size:
                delay.record(time_ns() - STAMPED.unpack_from(frame)[2])
            source = sources.get(name)
            if source is None:
                source = sources[name] = Source()
            source.add(number)
    finally:
        result.update(received=received, ns=perf_counter_ns() - start)
        result["sources"] = {str(name): source.to_json() for name, source in sorted(sources.items())}
        if delay:
            result["delay"] = delay.encode()


Workload = Callable[[Port, dict[str, Any], dict[str, Any]], Coroutine[Any, Any, None]]

TABLE: dict[str, Workload] = {"flood": flood, "pace": pace, "drain": drain}


def seconds(params: dict[str, Any]) -> float:
    """Give a workload's time limit."""
    limit: float = params.get("timeout", TIMEOUT) / 1000
    return limit


def with_result(error: Exception, result: dict[str, Any]) -> Exception:
    """Put the result so far into the error that ended a workload."""
    if isinstance(error, PeerError):
        error.data.update(result)
    return error


def complete(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("a blocking port suspended")
