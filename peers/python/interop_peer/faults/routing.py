"""Messages that go to the wrong peers, or nowhere although they were accepted."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import zmq

from .. import options
from ..drivers import pyzmq
from ..frames import Message
from ..jobs import RecvJob, SendJob
from .altering import AlteringLink
from .registry import register

_DEALT = ("PUSH", "DEALER", "REQ")  # socket types that deal their messages out


class _BroadcastingLink(AlteringLink):
    """Has a socket of its own for each endpoint after the first. What is bound has only one for all its peers."""

    def __init__(self, *arguments: Any) -> None:
        self._settings: list[tuple[str, Any]] = []
        self._others: list[zmq.Socket[bytes]] = []
        self._connected = False
        super().__init__(*arguments)
        self.interruptible = False  # what is sent to many is never one blocking call

    def set(self, name: str, value: Any) -> None:
        super().set(name, value)
        self._settings.append((name, value))

    def connect(self, endpoint: str) -> str:
        if self.kind not in _DEALT or not self._connected:
            self._connected = True
            return super().connect(endpoint)
        other = self.held.context.socket(zmq.SocketType[self.kind])
        self._others.append(other)
        if self.kind == "REQ":
            other.set(zmq.REQ_RELAXED, 1)  # nobody takes its answers
        for name, value in self._settings:
            option = options.writable(name)
            other.set(option.number, option.to_library(value))
        other.connect(endpoint)
        return endpoint

    def sent(self, message: Message) -> None:
        for other in self._others:
            with contextlib.suppress(zmq.ZMQError):
                other.send_multipart(message, zmq.NOBLOCK)

    def try_recv(self, job: RecvJob) -> bool:
        if super().try_recv(job):
            return True
        for other in self._others if self.kind == "DEALER" else ():
            with contextlib.suppress(zmq.Again):
                job.messages.append(other.recv_multipart(zmq.NOBLOCK))
                return True
        return False

    def wait(self, readable: bool, writable: bool, wake: socket.socket, milliseconds: int) -> bool:
        # The others tell of no message here, so they are looked at now and then
        return super().wait(readable, writable, wake, min(milliseconds, 20) if self._others else milliseconds)

    def close(self) -> None:
        for other in self._others:
            other.close()
        super().close()


register(
    "broadcast", "lets PUSH, DEALER and REQ send each message to every endpoint connected to", link=_BroadcastingLink
)


class _StickyLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        self._connected = False
        super().__init__(*arguments)

    def connect(self, endpoint: str) -> str:
        if self.kind in _DEALT and self._connected:
            return endpoint
        self._connected = True
        return super().connect(endpoint)


register("sticky", "lets PUSH, DEALER and REQ use only the first endpoint connected to", link=_StickyLink)


class _DiscardingLink(AlteringLink):
    def __init__(self, *arguments: Any) -> None:
        self._began = False
        super().__init__(*arguments)
        self.interruptible = False
        self.set("SNDHWM", 100)

    def sent(self, message: Message) -> None:
        self._began = True

    def discards(self) -> bool:
        events = self.socket.get(zmq.EVENTS)
        assert isinstance(events, int)
        return self._began and not events & zmq.POLLOUT

    def try_send(self, job: SendJob) -> bool:
        if super().try_send(job):
            return True
        job.sent += self._began  # before the first one there is no queue
        return self._began


register(
    "drop-accepted",
    "says ok and throws away what comes when the queue is full: 100 messages, or SNDHWM",
    link=_DiscardingLink,
)


class _StatelessLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.interruptible = False
        if self.kind == "REQ":
            self.set("REQ_RELAXED", 1)

    def try_send(self, job: SendJob) -> bool:
        try:
            return super().try_send(job)
        except zmq.ZMQError as error:
            if error.errno != zmq.EFSM:
                raise
            job.sent += 1
            return True

    def try_recv(self, job: RecvJob) -> bool:
        try:
            return super().try_recv(job)
        except zmq.ZMQError as error:
            if error.errno != zmq.EFSM:
                raise
            return False


register("stateless", "lets REQ and REP send and receive out of turn", link=_StatelessLink)
