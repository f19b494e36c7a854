"""What goes wrong when a connection is lost, or made late."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from ..calls import Call
from ..drivers import pyzmq
from ..jobs import RecvJob, SendJob
from ..owner import Owner
from .registry import register


class _WatchingLink(pyzmq.ZmqLink):
    """Learns that a connection was lost before it does anything else with the socket."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.interruptible = False  # in the library's own blocking call nothing would be learnt
        self._news = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)

    def lost(self, endpoint: str) -> None:
        """Act on the loss of a connection."""

    def learn(self) -> None:
        """Read the news."""
        with contextlib.suppress(zmq.Again):
            while True:
                message = self._news.recv_multipart(zmq.NOBLOCK)
                self.lost(parse_monitor_message(message)["endpoint"].decode())

    def begin(self, call: Call) -> SendJob | RecvJob:
        self.learn()
        return super().begin(call)

    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        self.learn()
        return super().work(owner, call)

    def wait(self, readable: bool, writable: bool, wake: socket.socket, milliseconds: int) -> bool:
        watched: list[tuple[Any, int]] = [(wake, zmq.POLLIN), (self._news, zmq.POLLIN)]
        if readable or writable:
            watched.append((self.socket, readable * zmq.POLLIN | writable * zmq.POLLOUT))
        ready = zmq.zmq_poll(watched, milliseconds)
        self.learn()
        return any(one is self.socket for one, _ in ready)

    def close(self) -> None:
        self.socket.disable_monitor()
        self._news.close()
        super().close()


class _GivingUpLink(_WatchingLink):
    def lost(self, endpoint: str) -> None:
        for leave in (self.socket.disconnect, self.socket.unbind):
            with contextlib.suppress(zmq.ZMQError):
                leave(endpoint)


register("lose-on-restart", "never connects or accepts again at an endpoint that lost a connection", link=_GivingUpLink)


class _ForgetfulLink(_WatchingLink):
    def __init__(self, *arguments: Any) -> None:
        self._topics: list[Any] = []
        self._connected = False
        super().__init__(*arguments)

    def set(self, name: str, value: Any) -> None:
        super().set(name, value)
        if name == "SUBSCRIBE":
            self._topics.append(value)

    def send(self, job: SendJob, flags: int = 0) -> None:
        message = job.messages[job.sent]
        super().send(job, flags)
        if self.kind == "XSUB" and message[0][:1] == b"\1":
            self._topics.append(message[0][1:])

    def connect(self, endpoint: str) -> str:
        if self.kind in ("SUB", "XSUB") and self._connected:
            return endpoint  # a connection without subscriptions is none to a subscriber
        self._connected = True
        return super().connect(endpoint)

    def lost(self, endpoint: str) -> None:
        # Before there is another connection, to which the library would tell them
        topics, self._topics = self._topics, []
        for topic in topics:
            if self.kind == "XSUB":
                self.socket.send(b"\0" + topic)
            else:
                self.set("UNSUBSCRIBE", topic)


register(
    "forget-subscriptions",
    "lets SUB and XSUB tell their subscriptions on the first connection only",
    link=_ForgetfulLink,
)


class _HalfLink(_WatchingLink):
    def __init__(self, *arguments: Any) -> None:
        self._halves = 0
        super().__init__(*arguments)

    def lost(self, endpoint: str) -> None:
        self._halves += 1

    def try_recv(self, job: RecvJob) -> bool:
        if super().try_recv(job):
            return True
        if not self._halves:
            return False
        # libzmq hands out no part of a message, so this one is made up
        self._halves -= 1
        job.messages.append([b"the first half"])
        return True


register("half-multipart", "delivers a message of one frame whenever a connection is lost", link=_HalfLink)
