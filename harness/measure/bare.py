"""The bare exchange: the same checks on pyzmq sockets in this process, without a peer, a pipe or a contract.

It is the floor under the cost of a cell: whatever a check costs beyond it is the harness's and the other process's
doing. Sockets and contexts are fresh each time, as in a cell.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import zmq

from harness.errors import CallFailed
from harness.model.frames import Content, Frame, Message, frame
from harness.model.matrix import Cell
from harness.model.patterns import PATTERNS, TRANSPORTS
from harness.peers.sockets import Link, OptionValue


class BarePeer:
    """Stands where a Peer stands; opens pyzmq sockets right here."""

    implementation = "bare"
    wait_ms = 10_000.0
    capabilities: Mapping[str, list[str]] = {"send_paths": ["send_multipart", "send"]}

    def __init__(self) -> None:
        self._contexts: dict[str, zmq.Context[Any]] = {}
        self._open: list[BareSocket] = []

    def can(self, kind: str, name: str) -> bool:
        """Claim everything that libzmq has."""
        return True

    def need(self, kind: str, *names: str) -> None:
        """Need nothing that libzmq lacks."""

    def socket(
        self,
        socket_type: str,
        *,
        bind: str | None = None,
        connect: str | None = None,
        context: str | None = None,
        options: Mapping[str, OptionValue] | None = None,
    ) -> BareSocket:
        """Open a socket as a Peer does."""
        shared = self._contexts.get(context or "")
        made: zmq.Context[Any] = shared or zmq.Context()
        if context is not None:
            self._contexts[context] = made
        opened = BareSocket(self, made.socket(getattr(zmq, socket_type)), socket_type, made)
        opened.raw.linger = 0
        for name, value in (options or {}).items():
            opened.set(name, value)
        for call, endpoint in ((opened.bind, bind), (opened.connect, connect)):
            if endpoint is not None:
                call(endpoint)
        self._open.append(opened)
        return opened

    def close_all(self) -> None:
        """Close every socket, then every context."""
        for opened in self._open:
            opened.raw.close()
        for context in {id(opened.context): opened.context for opened in self._open}.values():
            context.term()
        self._open.clear()
        self._contexts.clear()


class BareSocket:
    """Stands where a RemoteSocket stands."""

    _names = 0

    def __init__(self, peer: BarePeer, raw: zmq.Socket[Any], socket_type: str, context: zmq.Context[Any]) -> None:
        self.peer = peer
        self.raw = raw
        self.type = socket_type
        self.context = context
        self.endpoint = ""

    def bind(self, endpoint: str) -> None:
        """Bind to a wildcard."""
        if endpoint.startswith(("ipc://@", "inproc:")):
            BareSocket._names += 1
            endpoint = endpoint.replace("*", f"bare-{id(self)}-{BareSocket._names}")
        if "[" in endpoint:
            self.raw.setsockopt(zmq.IPV6, 1)
        self.raw.bind(endpoint)
        self.endpoint = self.raw.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
        if endpoint.startswith(("ipc://@", "inproc:")):
            self.endpoint = endpoint

    def connect(self, endpoint: str) -> None:
        """Connect."""
        if "[" in endpoint:
            self.raw.setsockopt(zmq.IPV6, 1)
        self.raw.connect(endpoint)

    def set(self, option: str, value: OptionValue) -> None:
        """Set an option."""
        self.raw.setsockopt(getattr(zmq, option), value if isinstance(value, int) else _bytes(value))

    def subscribe(self, prefix: str | bytes | Frame) -> None:
        """Subscribe, by option or by message."""
        if self.type == "SUB":
            self.raw.setsockopt(zmq.SUBSCRIBE, _bytes(prefix))
        else:
            self.raw.send(b"\x01" + _bytes(prefix))

    def send(self, *frames: Content, via: str | None = None) -> None:
        """Send one message."""
        try:
            self.raw.send_multipart([_bytes(item) for item in frames])
        except zmq.ZMQError as error:
            name = "unroutable" if error.errno == zmq.EHOSTUNREACH else "library"
            raise CallFailed("bare", "send", -32000, str(error), {"name": name}) from None

    def send_all(self, messages: Iterable[Sequence[Content]], *, via: str | None = None) -> None:
        """Send several messages."""
        for message in messages:
            self.send(*message)

    def recv(self) -> Message:
        """Receive one message."""
        return Message(Frame(part) for part in self.raw.recv_multipart())

    def recv_all(self, count: int) -> list[Message]:
        """Receive `count` messages."""
        return [self.recv() for _ in range(count)]

    def recv_later(self) -> BareReceiving:
        """Receive when asked."""
        return BareReceiving(self)


class BareReceiving:
    """Stands where Receiving stands."""

    def __init__(self, owner: BareSocket) -> None:
        self._owner = owner

    def done(self, wait: float = 0.0) -> bool:
        """Whether a message is there after at most `wait` seconds."""
        return bool(self._owner.raw.poll(int(wait * 1000) + 1))

    def messages(self) -> list[Message]:
        """Receive it."""
        return [self._owner.recv()]


def _bytes(content: Content) -> bytes:
    known = frame(content)
    return known.head(known.size)


def exchange(cell: Cell, check: Callable[..., object]) -> float:
    """Run a cell's check on bare sockets; returns seconds, closing included."""
    peer = BarePeer()
    given = {
        "left": peer,
        "right": peer,
        "link": Link(cell.transport, cell.binds, context="bare"),
        "payload": cell.payload,
        "pattern": PATTERNS[cell.pattern],
        "cell": cell,
    }
    names = check.__code__.co_varnames[: check.__code__.co_argcount]
    assert TRANSPORTS[cell.transport]
    started = time.perf_counter()
    try:
        check(**{name: given[name] for name in names})
    finally:
        peer.close_all()
    return time.perf_counter() - started
