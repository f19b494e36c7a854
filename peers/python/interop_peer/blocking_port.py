"""Workloads on a blocking libzmq socket: the library's own blocking calls, in slices, and ``proxy``."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import zmq

from . import ping
from .errors import PeerError, closed, timed_out
from .frames import Message
from .libzmq import explain
from .owner import Loan, Owner
from .trips import Trips
from .waiting import SLICE, nap, precisely, watch
from .workloads import TABLE, complete, seconds, with_result

DIRECT = {"echo": ping.echo, "ping": ping.ping}


class BlockingPort:
    """A socket as a workload sees it. ``SNDTIMEO`` and ``RCVTIMEO`` are its own while it is open.

    A blocking call is left once in a slice to look at the time, and at a close that cannot interrupt it: a shared
    context must not be ended for the sake of one socket.
    """

    trips: type[Trips] = Trips

    def __init__(self, owner: Owner, socket: zmq.Socket[bytes], limit: float) -> None:
        """Work on ``socket`` for at most ``limit`` seconds."""
        self._owner = owner
        self._socket = socket
        self._deadline = monotonic() + limit
        self._restore = {name: socket.get(name) for name in (zmq.SNDTIMEO, zmq.RCVTIMEO)}
        self._attention = 0.0
        self.lockstep = socket.get(zmq.TYPE) == zmq.REQ
        self.check()

    def check(self) -> None:
        """See whether it is time to stop, and near the end say how long the library may block."""
        if self._owner.closing:
            raise closed()
        now = monotonic()
        if now < self._attention:
            return
        left = self._deadline - now
        if left <= 0:
            raise timed_out()
        blocking = max(1, int(min(left, SLICE) * 1000))
        for name in self._restore:
            self._socket.set(name, blocking)
        self._attention = self._deadline - SLICE

    def put(self, message: list[Any]) -> None:
        """Send as the library's own blocking call."""
        while True:
            try:
                if len(message) == 1:
                    self._socket.send(message[0])
                else:
                    self._socket.send_multipart(message)
            except zmq.Again:
                self.check()
                continue
            return

    def get(self) -> Message:
        """Receive as the library's own blocking call."""
        while True:
            try:
                return self._socket.recv_multipart()
            except zmq.Again:
                self.check()

    def try_put(self, message: list[Any]) -> bool:
        """Send if that does not block."""
        try:
            self._socket.send_multipart(message, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def try_get(self) -> Message | None:
        """Receive if that does not block."""
        try:
            return self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def rest(self, seconds: float) -> None:
        """Wait on the library's descriptor, which tells of anything new since a call of the library said ``EAGAIN``."""
        watch(self._socket.fileno(), min(seconds, self._deadline - monotonic()))

    def pause(self, instant: int) -> None:
        """Wait for a moment of the plan."""
        while not nap(instant, self._deadline - monotonic()):
            self.check()

    async def send(self, message: list[Any]) -> None:
        """Send."""
        self.check()
        self.put(message)

    async def recv(self) -> Message:
        """Receive."""
        self.check()
        return self.get()

    async def until(self, instant: int) -> None:
        """Wait for a moment of the plan."""
        self.pause(instant)

    def end(self) -> None:
        """Give the socket its own timeouts back."""
        if not self._owner.closing:
            for name, value in self._restore.items():
                self._socket.set(name, value)


PortMaker = Callable[[Owner, "zmq.Socket[bytes]", float], BlockingPort]


def run(
    owner: Owner, make: PortMaker, socket: zmq.Socket[bytes], method: str, params: dict[str, Any]
) -> dict[str, Any]:
    """Run one workload but ``proxy`` to its end, on its owner's thread."""
    result: dict[str, Any] = {}

    def work() -> None:
        port = make(owner, socket, seconds(params))
        try:
            with precisely(params):
                if method in DIRECT:
                    DIRECT[method](port, params, result)
                else:
                    complete(TABLE[method](port, params, result))
        finally:
            port.end()

    try:
        owner.block(work)
    except Exception as error:
        raise with_result(explain(error, method), result) from None
    return result


def proxy(owner: Owner, front: zmq.Socket[bytes], other: Any, limit: float) -> dict[str, Any]:
    """Pass messages between two sockets, both ways, until either is closed.

    ``other`` is the backend's ``Owner``, which lends its socket: libzmq lets a socket change threads when its two
    threads agree on the moment.
    """
    if not isinstance(other, Owner) or not isinstance(getattr(other.link, "socket", None), zmq.Socket):
        raise PeerError("unsupported", "'backend' is not a ZeroMQ socket")
    deadline = monotonic() + limit
    loan = Loan(other)
    try:
        while not loan.given.wait(SLICE):
            if owner.closing or other.closing:
                return {"forward": 0, "backward": 0}
            if monotonic() >= deadline:
                raise with_result(timed_out(), {"forward": 0, "backward": 0})
        if loan.refused:
            return {"forward": 0, "backward": 0}
        return _Proxy(owner, front, other, deadline).run()
    finally:
        loan.over.set()


class _Proxy:
    def __init__(self, owner: Owner, front: zmq.Socket[bytes], other: Owner, deadline: float) -> None:
        back: zmq.Socket[bytes] = other.link.socket  # type: ignore[attr-defined]
        self.owners = (owner, other)
        self.sockets = (front, back)
        self.deadline = deadline
        self.passed = [0, 0]

    def result(self) -> dict[str, Any]:
        return {"forward": self.passed[0], "backward": self.passed[1]}

    def run(self) -> dict[str, Any]:
        try:
            while self._wait([(socket, zmq.POLLIN) for socket in self.sockets]):
                for way, (source, target) in enumerate((self.sockets, self.sockets[::-1])):
                    self._pass(way, source, target)
        except Exception as error:
            raise with_result(explain(error, "proxy"), self.result()) from None
        return self.result()

    def _pass(self, way: int, source: zmq.Socket[bytes], target: zmq.Socket[bytes]) -> None:
        """Pass what is there, but never so much that the other way starves."""
        for _ in range(100):
            try:
                message = source.recv_multipart(zmq.NOBLOCK)
            except zmq.ZMQError as error:
                if error.errno in (zmq.EAGAIN, zmq.ENOTSUP):  # ENOTSUP: a socket that only sends
                    return
                raise
            while True:
                try:
                    target.send_multipart(message, zmq.NOBLOCK)
                    break
                except zmq.Again:
                    if not self._wait([(target, zmq.POLLOUT)]):
                        return
            self.passed[way] += 1

    def _wait(self, watched: list[tuple[Any, int]]) -> bool:
        """Wait for sockets; False when one of the two is being closed."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise timed_out()
        # Either owner's wake-up may tell of a close
        wakes = [(owner.waker(), zmq.POLLIN) for owner in self.owners]
        with self.owners[0].watched():
            if not any(owner.closing for owner in self.owners):
                zmq.zmq_poll([*watched, *wakes], max(1, int(min(left, SLICE) * 1000)))
        self.owners[1].drain_waker()
        return not any(owner.closing for owner in self.owners)


__all__ = ["DIRECT", "TABLE", "BlockingPort", "proxy", "run"]
