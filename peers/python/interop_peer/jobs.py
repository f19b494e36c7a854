"""A ``send`` or ``recv`` on its way: how far it came, until when it may take, what it answers.

The same for every library; how a message is sent or received is the driver's.
"""

from __future__ import annotations

from math import inf
from time import monotonic, perf_counter_ns
from typing import Any

from .calls import Call, spell_out
from .errors import InvalidError, PeerError
from .frames import INLINE, Message, decode_messages

_LAG = 0.01  # s that a call may take from the reader to the library without losing them from its timeout


class Job:
    """What all calls that wait have in common."""

    def __init__(self, call: Call) -> None:
        """Read how long the whole call may take."""
        self.call = call
        timeout = call.params.get("timeout")
        self.timed = timeout is not None
        self.deadline = inf if timeout is None else call.arrived + timeout / 1000
        """When the time is up, on the clock of ``time.monotonic``; without ``timeout`` the library decides."""
        self._asked: int | None = None

    def ask(self) -> None:
        """Note that the library is being asked from now on, unless it was before."""
        if self._asked is None:
            lag = monotonic() - self.call.arrived
            if self.timed and lag < _LAG:
                self.deadline += lag  # so that the library waits as long as it was asked to
            self._asked = perf_counter_ns()

    def moved(self) -> None:
        """Note a message; without ``timeout`` the library's own one begins again with each."""
        if not self.timed:
            self._asked = None

    def progress(self) -> dict[str, Any]:
        """Tell how far the call came."""
        raise NotImplementedError

    def waited(self) -> dict[str, Any]:
        """Tell how many ns the library was asked, for a call that timed out."""
        return {"waited_ns": 0 if self._asked is None else perf_counter_ns() - self._asked}

    def succeed(self) -> None:
        """Answer the call."""
        self.call.answer(self.progress())

    def fail(self, error: Exception) -> None:
        """Answer with an error that says how far the call came."""
        if isinstance(error, PeerError) and not isinstance(error, InvalidError):
            error.data.update(self.progress())
            if error.data["name"] == "timeout":
                error.data.update(self.waited())
        self.call.fail(error)


class SendJob(Job):
    """Messages to send, one after the other."""

    def __init__(self, call: Call, paths: tuple[str, ...]) -> None:
        """Decode the messages; ``paths`` are the library's ways to send, first the default."""
        super().__init__(call)
        self.via = call.params.get("via", paths[0])
        if self.via not in paths:
            raise PeerError("unsupported", f"this library has no send path '{self.via}'")
        self.messages: list[Message] = decode_messages(call.params["messages"])
        self.sent = 0

    @property
    def done(self) -> bool:
        """Whether all messages are with the library."""
        return self.sent >= len(self.messages)

    def progress(self) -> dict[str, Any]:
        """Count the messages handed to the library."""
        return {"sent": self.sent}


class RecvJob(Job):
    """Messages to receive."""

    def __init__(self, call: Call) -> None:
        """Read what is wanted."""
        super().__init__(call)
        self.count: int = call.params.get("count", 1)
        self.size: int | None = call.params.get("size")
        """Bytes wanted from a ``RAW`` socket."""
        self.messages: list[Message] = []

    @property
    def done(self) -> bool:
        """Whether all messages have come."""
        return len(self.messages) >= self.count

    def progress(self) -> dict[str, Any]:
        """Give the messages received."""
        return {"messages": spell_out(self.messages, self.call.params.get("inline", INLINE))}
