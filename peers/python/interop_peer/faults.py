"""Planted faults: each is one mistake that a ZeroMQ library could make, and that a check must catch.

``--fault NAME`` puts one around the blocking driver; the honest peer never imports this module. A fault acts
whenever it has the chance. Where a socket's state machine leaves it none (a REQ can't send twice), it does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import zmq

from . import blocking_port
from .calls import Call, parse
from .drivers import pyzmq
from .errors import METHOD, PeerError, ProtocolError
from .frames import Message
from .jobs import RecvJob, SendJob
from .lifetime import Lifetime, Workdir
from .lines import Writer
from .owner import Owner
from .server import Server

FAULTS = {
    "drop": "does not send one message of a call with two or more, or every second message of single ones",
    "double": "sends one message of every call twice",
    "reorder": "swaps two neighbouring messages of a call, or holds a single one back until after the next",
    "merge": "joins the first two frames of a multi-frame message",
    "split": "sends the first frame of a multi-frame message as a message of its own",
    "eat-empty": "drops one empty frame; a message that is nothing else is not sent",
    "flip": "flips a bit in the last byte of the largest frame",
    "truncate": "cuts frames over 64 KiB to 65,536 bytes",
    "wrong-requester": "lets a ROUTER that has heard two or more peers answer another one of them",
    "ignore-prefix": "subscribes SUB and XSUB to everything instead of the topic given",
    "false-capability": "says in hello that it has socket types CLIENT and SERVER and transport ws",
    "silent": "never answers a recv, and nothing after it",
    "crash": "aborts in the first send or recv",
    "garbage": "writes a line that is not JSON before every answer but hello's",
    "leave-child": "starts a process that survives it by five minutes",
    "swallow": "accepts every option and every method, and does nothing with those it does not know",
    "leak": "answers close and leaves the socket open",
}

_CUT = 65_536  # bytes
_LOCKSTEP = ("REQ", "REP")  # socket types that take exactly one message at a time

# Messages as a whole


def _drop(link: FaultyLink, messages: list[Message]) -> list[Message]:
    if len(messages) > 1:
        return messages[:1] + messages[2:]
    link.single += 1
    return [] if link.single % 2 == 0 else messages


def _double(link: FaultyLink, messages: list[Message]) -> list[Message]:
    return messages if link.kind in _LOCKSTEP else messages[:1] + messages


def _reorder(link: FaultyLink, messages: list[Message]) -> list[Message]:
    if link.kind in _LOCKSTEP or not messages:
        return messages
    if len(messages) > 1:
        return [messages[1], messages[0], *messages[2:]]
    held, link.held_back = link.held_back, None
    if held is None:
        link.held_back = messages[0]
        return []
    return [*messages, held]


# One message, without the routing id that a ROUTER or STREAM writes before it


def _merge(frames: Message) -> list[Message]:
    return [[frames[0] + frames[1], *frames[2:]]] if len(frames) > 1 else [frames]


def _split(frames: Message) -> list[Message]:
    return [frames[:1], frames[1:]] if len(frames) > 1 else [frames]


def _eat_empty(frames: Message) -> list[Message]:
    if b"" not in frames:
        return [frames]
    at = frames.index(b"")
    rest = frames[:at] + frames[at + 1 :]
    return [rest] if rest else []


def _flip(frames: Message) -> list[Message]:
    at = max(range(len(frames)), key=lambda index: len(frames[index]))
    frame = frames[at]
    if not frame:
        return [frames]
    return [[*frames[:at], frame[:-1] + bytes([frame[-1] ^ 1]), *frames[at + 1 :]]]


def _truncate(frames: Message) -> list[Message]:
    return [[frame[:_CUT] for frame in frames]]


def _everything(frames: Message) -> list[Message]:
    # 29/PUBSUB: a subscription is a message of one frame, 1 or 0 and the topic
    return [[frames[0][:1]]] if frames[0][:1] in (b"\0", b"\1") else [frames]


def _each(alter: Callable[[Message], list[Message]], *kinds: str, lockstep: bool = True) -> Alter:
    """Make a fault of all messages from one of a single message; ``kinds`` are the socket types it is for."""

    def fault(link: FaultyLink, messages: list[Message]) -> list[Message]:
        if (kinds and link.kind not in kinds) or (link.kind in _LOCKSTEP and not lockstep):
            return messages
        head = 1 if link.kind in ("ROUTER", "STREAM") else 0
        return [
            message[:head] + part
            for message in messages
            for part in (alter(message[head:]) if len(message) > head else [message[head:]])
        ]

    return fault


def _wrong_requester(link: FaultyLink, messages: list[Message]) -> list[Message]:
    def other(name: bytes) -> bytes:
        return next((heard for heard in link.heard if heard != name), name)

    return [[other(message[0]), *message[1:]] for message in messages] if link.kind == "ROUTER" else messages


Alter = Callable[["FaultyLink", list[Message]], list[Message]]

_ALTER: dict[str, Alter] = {
    "drop": _drop,
    "double": _double,
    "reorder": _reorder,
    "merge": _each(_merge),
    "split": _each(_split, lockstep=False),
    "eat-empty": _each(_eat_empty),
    "flip": _each(_flip),
    "truncate": _each(_truncate),
    "wrong-requester": _wrong_requester,
    "ignore-prefix": _each(_everything, "XSUB"),
}


class _LyingJob(SendJob):
    """Sends something else than it was asked, and says that it did what it was asked."""

    def __init__(self, call: Call, paths: tuple[str, ...], alter: Callable[[list[Message]], list[Message]]) -> None:
        super().__init__(call, paths)
        self._asked = len(self.messages)
        self.messages = alter(self.messages)

    def progress(self) -> dict[str, Any]:
        return {"sent": self._asked if self.done else min(self.sent, self._asked)}


class FaultyLink(pyzmq.ZmqLink):
    """A socket of a library that makes a mistake."""

    fault = ""
    leaked: list[FaultyLink]

    def __init__(self, *arguments: Any) -> None:
        """Make the socket, with what the faults remember."""
        super().__init__(*arguments)
        self.single = 0
        self.held_back: Message | None = None
        self.heard: dict[bytes, None] = {}

    def altered(self, messages: list[Message]) -> list[Message]:
        """Say what is sent instead of these messages."""
        if self.fault == "crash":
            os.abort()
        alter = _ALTER.get(self.fault)
        return alter(self, messages) if alter else messages

    def hear(self, message: Message) -> None:
        """Note who sent a message."""
        self.heard[message[0]] = None

    def begin(self, call: Call) -> SendJob | RecvJob:
        """Read a ``send`` and change it."""
        if call.method == "send":
            return _LyingJob(call, self.paths, self.altered)
        if self.fault == "crash":
            os.abort()
        return super().begin(call)

    def recv(self, job: RecvJob, flags: int = 0) -> None:
        """Receive, and note who sent."""
        super().recv(job, flags)
        self.hear(job.messages[-1])

    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        """Run a workload with the fault in it."""
        if call.method == "proxy":
            return super().work(owner, call)

        def port(owner: Owner, socket: zmq.Socket[bytes], limit: float) -> _FaultyPort:
            return _FaultyPort(self, owner, socket, limit)

        return blocking_port.run(owner, port, self.socket, call.method, call.params)

    def set(self, name: str, value: Any) -> None:
        """Set an option, or something like it."""
        if self.fault == "ignore-prefix" and name in ("SUBSCRIBE", "UNSUBSCRIBE"):
            value = ""
        try:
            super().set(name, value)
        except PeerError:
            if self.fault != "swallow":
                raise

    def get(self, name: str) -> Any:
        """Read an option, or invent it."""
        try:
            return super().get(name)
        except PeerError:
            if self.fault != "swallow":
                raise
            return 0

    def close(self) -> None:
        """Close, or only say so."""
        if self.fault == "leak":
            self.leaked.append(self)
        else:
            super().close()


class _FaultyPort(blocking_port.BlockingPort):
    def __init__(self, link: FaultyLink, owner: Owner, socket: zmq.Socket[bytes], limit: float) -> None:
        super().__init__(owner, socket, limit)
        self._link = link

    async def send(self, message: list[Any]) -> None:
        for altered in self._link.altered([[bytes(frame) for frame in message]]):
            await super().send(altered)

    async def recv(self, like: list[Any] | None = None) -> Message:
        message = await super().recv(like)
        self._link.hear(message)
        return message


class FaultyServer(Server):
    """A peer with a fault that shows outside of its sockets."""

    fault = ""
    _silenced = False

    def __init__(self, *arguments: Any) -> None:
        """Start, and a child with it if that is the fault."""
        super().__init__(*arguments)
        self.leaked: list[FaultyLink] = []
        if self.fault == "leave-child":
            _leave_child()

    def _handle(self, line: bytes | None) -> None:
        if self.fault == "swallow" and line:
            try:
                parse(line, self.reply)
            except ProtocolError as error:
                if error.code == METHOD:
                    self.reply(error.identity, {"result": {}})
                    return
        super()._handle(line)

    def dispatch(self, call: Call) -> None:
        """Pass a call on, or fall silent."""
        if self.fault == "silent" and call.method == "recv":
            self._silenced = True
        if not self._silenced:
            super().dispatch(call)

    def reply(self, identity: str | float | None, outcome: dict[str, Any]) -> None:
        """Write a response, or more than that, or nothing."""
        if self._silenced:
            return
        if self.fault == "garbage" and "contract" not in outcome.get("result", {}):
            self._writer.write(b"warning: a library wrote this line to stdout")
        super().reply(identity, outcome)

    def greeting(self) -> dict[str, Any]:
        """Say who this is, and more."""
        about = super().greeting()
        if self.fault == "false-capability":
            about["capabilities"]["socket_types"] += ["CLIENT", "SERVER"]
            about["capabilities"]["transports"].append("ws")
        return about

    def counts(self) -> dict[str, int]:
        """Count, with what is open that should not be."""
        counts = super().counts()
        counts["sockets"] += len(self.leaked)
        return counts


def _leave_child() -> None:
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    null = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(300)"],
        stdin=null,
        stdout=null,
        stderr=null,
        start_new_session=True,
        creationflags=flags,
    )


def plant(
    name: str, module: ModuleType, workdir: Workdir, lifetime: Lifetime, writer: Writer
) -> tuple[Server, pyzmq.PyzmqDriver]:
    """Make a server and a driver that make the mistake called ``name``."""
    if name not in FAULTS:
        raise SystemExit(f"no fault '{name}'; there are: {', '.join(FAULTS)}")
    if module is not pyzmq:
        raise SystemExit("faults are planted in the driver pyzmq only")
    server = type("Server", (FaultyServer,), {"fault": name})(workdir, lifetime, writer)
    driver = pyzmq.make(server)
    driver.link = type("Link", (FaultyLink,), {"fault": name, "leaked": server.leaked})
    return server, driver
