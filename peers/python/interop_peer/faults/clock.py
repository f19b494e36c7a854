"""Messages that take longer, and a clock that does not tell."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

from .. import blocking_port
from ..blocking_port import BlockingPort
from ..calls import Call
from ..drivers import pyzmq
from ..jobs import SendJob
from ..owner import Owner
from ..trips import Trips
from .registry import register


class _OtherPortLink(pyzmq.ZmqLink):
    """A link whose workloads run on another port than the honest one."""

    port: blocking_port.PortMaker

    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        if call.method in (*blocking_port.TABLE, *blocking_port.DIRECT):
            return blocking_port.run(owner, self.port, self.socket, call.method, call.params)
        return super().work(owner, call)


_DELAY = 0  # ns


def _delay_by(text: str) -> None:
    global _DELAY
    _DELAY = int(text) * 1000


def _dawdle() -> None:
    until = perf_counter_ns() + _DELAY
    while perf_counter_ns() < until:
        pass


class _SlowPort(BlockingPort):
    def put(self, message: list[Any]) -> None:
        _dawdle()
        super().put(message)

    def try_put(self, message: list[Any]) -> bool:
        _dawdle()
        return super().try_put(message)


class _SlowLink(_OtherPortLink):
    port = _SlowPort

    def send(self, job: SendJob, flags: int = 0) -> None:
        _dawdle()
        super().send(job, flags)


register("slow", "=MICROSECONDS: spends so long in vain before it sends a message", link=_SlowLink, take=_delay_by)


class _LazyTrips(Trips):
    def since(self, sequence: int) -> int:
        return perf_counter_ns()


class _LazyPort(BlockingPort):
    trips = _LazyTrips


class _LazyLink(_OtherPortLink):
    port = _LazyPort


register(
    "lazy-clock",
    "counts the times of an open loop from when a message left instead of when it should have",
    link=_LazyLink,
)
