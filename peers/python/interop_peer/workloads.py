"""The workloads (section 5 of the contract), written once for blocking and asyncio libraries.

Each is a coroutine over a ``Port``. A blocking driver's port never suspends, so ``complete`` runs the same code
to its end without an event loop. A workload fills ``result`` also when it ends early: evidence is never lost.
``proxy`` needs two sockets at once, which drivers wait for in their own ways, so it is theirs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Coroutine
from struct import Struct
from time import perf_counter_ns
from typing import Any, Protocol, TypeVar

from .errors import PeerError
from .frames import Message, decode
from .tally import Source, summary

TIMEOUT = 60_000  # ms, unless the call says otherwise

_HEADER = Struct(">QQ")  # sequence number and source

Result = TypeVar("Result")


class Port(Protocol):
    """A socket as a workload sees it. Every method raises the contract's ``timeout`` or ``closed`` at its time."""

    async def send(self, message: list[Any]) -> None:
        """Hand one message to the library; its frames may be reused after."""

    async def recv(self, like: list[Any] | None = None) -> Message:
        """Receive one message; where there are no messages, as many bytes as ``like`` has."""

    async def until(self, instant: int) -> None:
        """Wait until ``perf_counter_ns`` reaches ``instant``."""


class Numbered:
    """Messages that carry their sequence number: one buffer, used again for each."""

    def __init__(self, params: dict[str, Any]) -> None:
        """Read ``size``, and where given ``source`` and ``prefix``."""
        self.prefix = [decode(frame) for frame in params.get("prefix", ())]
        self.body = bytearray(params["size"])
        self.message: list[Any] = [*self.prefix, self.body]
        self._source: int = params.get("source", 0)

    def number(self, sequence: int) -> list[Any]:
        """Give the message with this number."""
        _HEADER.pack_into(self.body, 0, sequence, self._source)
        return self.message


async def echo(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Receive a message and send the same frames back, ``count`` times."""
    echoed = 0
    try:
        while echoed < params["count"]:
            await port.send(await port.recv())
            echoed += 1
    finally:
        result["echoed"] = echoed


async def flood(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Send as fast as the library takes it."""
    numbered = Numbered(params)
    sent = 0
    start = perf_counter_ns()
    try:
        while sent < params["count"]:
            await port.send(numbered.number(sent))
            sent += 1
    finally:
        result.update(sent=sent, ns=perf_counter_ns() - start)


async def pace(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Send message i at i/``rate`` seconds after the start; a late message does not move the plan."""
    numbered = Numbered(params)
    sent = late = 0
    start = perf_counter_ns()
    try:
        while sent < params["count"]:
            plan = start + int(min(sent * 1e9 / params["rate"], 1e18))
            await port.until(plan)
            late = max(late, perf_counter_ns() - plan)
            await port.send(numbered.number(sent))
            sent += 1
    finally:
        result.update(sent=sent, ns=perf_counter_ns() - start, late_ns=late)


async def drain(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Receive ``count`` messages and account for their numbers.

    ``ns`` runs from the call. A message without room for a header counts as received, and belongs to no source.
    """
    strip: int = params.get("strip", 0)
    sources: dict[int, Source] = {}
    received = 0
    start = perf_counter_ns()
    try:
        while received < params["count"]:
            message = await port.recv()
            received += 1
            if len(message) > strip and len(message[strip]) >= _HEADER.size:
                number, name = _HEADER.unpack_from(message[strip])
                source = sources.get(name)
                if source is None:
                    source = sources[name] = Source()
                source.add(number)
    finally:
        result.update(received=received, ns=perf_counter_ns() - start)
        result["sources"] = {str(name): source.to_json() for name, source in sorted(sources.items())}


async def ping(port: Port, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Send and wait for the answer, ``warmup`` + ``count`` times; only the ``count`` are timed.

    The answer without its first ``strip`` frames must be the request, with or without its prefix.
    """
    numbered = Numbered(params)
    strip: int = params.get("strip", 0)
    expected = (numbered.message, [numbered.body])
    warmup: int = params.get("warmup", 0)
    times = array("q")
    wrong = 0
    try:
        for sequence in range(warmup + params["count"]):
            message = numbered.number(sequence)
            start = perf_counter_ns()
            await port.send(message)
            answer = await port.recv(message)
            end = perf_counter_ns()
            if sequence >= warmup:
                times.append(end - start)
            wrong += answer[strip:] not in expected
    finally:
        result.update(count=len(times), wrong=wrong)
        if times:
            result["ns"] = summary(times)


Workload = Callable[[Port, dict[str, Any], dict[str, Any]], Coroutine[Any, Any, None]]

TABLE: dict[str, Workload] = {"echo": echo, "flood": flood, "pace": pace, "drain": drain, "ping": ping}


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
