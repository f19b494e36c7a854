"""A link that sends something else than it was asked, and says that it did what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zmq

from .. import blocking_port
from ..calls import Call
from ..drivers import pyzmq
from ..frames import Message
from ..jobs import RecvJob, SendJob
from ..owner import Owner


class LyingJob(SendJob):
    """Sends other messages, and counts those that were asked for."""

    def __init__(self, call: Call, paths: tuple[str, ...], alter: Callable[[list[Message]], list[Message]]) -> None:
        """Let ``alter`` say what is sent instead."""
        super().__init__(call, paths)
        self._claimed = len(self.messages)
        self.messages = alter(self.messages)

    def progress(self) -> dict[str, Any]:
        """Claim that everything went."""
        return {"sent": self._claimed if self.done else min(self.sent, self._claimed)}


class AlteringLink(pyzmq.ZmqLink):
    """A socket of a library that makes mistakes with messages."""

    def __init__(self, *arguments: Any) -> None:
        """Make the socket, with what the faults remember."""
        self.single = 0
        self.held_back: Message | None = None
        self.heard: dict[bytes, None] = {}
        super().__init__(*arguments)

    def altered(self, messages: list[Message]) -> list[Message]:
        """Say what is sent instead of these messages."""
        return messages

    def hear(self, message: Message) -> None:
        """Note who sent a message."""
        self.heard[message[0]] = None

    def sent(self, message: Message) -> None:
        """Take notice of a message that went."""

    def discards(self) -> bool:
        """Say whether a workload's next message is thrown away."""
        return False

    def begin(self, call: Call) -> SendJob | RecvJob:
        """Read a ``send`` and change it."""
        if call.method == "send":
            return LyingJob(call, self.paths, self.altered)
        return super().begin(call)

    def send(self, job: SendJob, flags: int = 0) -> None:
        """Send, and take notice."""
        message = job.messages[job.sent]
        super().send(job, flags)
        self.sent(message)

    def recv(self, job: RecvJob, flags: int = 0) -> None:
        """Receive, and note who sent."""
        super().recv(job, flags)
        self.hear(job.messages[-1])

    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        """Run a workload with the fault in it."""
        if call.method not in (*blocking_port.TABLE, *blocking_port.DIRECT):
            return super().work(owner, call)

        def port(owner: Owner, socket: zmq.Socket[bytes], limit: float) -> _Port:
            return _Port(self, owner, socket, limit)

        return blocking_port.run(owner, port, self.socket, call.method, call.params)


class _Port(blocking_port.BlockingPort):
    def __init__(self, link: AlteringLink, owner: Owner, socket: zmq.Socket[bytes], limit: float) -> None:
        super().__init__(owner, socket, limit)
        self._link = link

    def put(self, message: list[Any]) -> None:
        for altered in self._link.altered([[bytes(frame) for frame in message]]):
            if not self._link.discards():
                super().put(altered)
                self._link.sent(altered)

    def get(self) -> Message:
        message = super().get()
        self._link.hear(message)
        return message

    def try_put(self, message: list[Any]) -> bool:
        self.put(message)
        return True

    def try_get(self) -> Message | None:
        message = super().try_get()
        if message is not None:
            self._link.hear(message)
        return message
