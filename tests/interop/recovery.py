"""Steps of all that comes and goes: a flow of numbered messages across an interruption, and what became of each."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from harness.errors import CallFailed
from harness.model.frames import Content
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, Receiving, RemoteSocket, until
from harness.places.ports import reserved
from tests.interop.steps import bytes_of

SETTLED = 10
"""Messages that must all come, in order, once a flow has recovered."""

_EACH_MS = 50.0
"""ms that a send may wait for a connection while there is none: a fraction of what a flow may need to run again."""


def reconnecting(peer: Peer) -> dict[str, OptionValue]:
    """Return the options of a socket that shall connect again soon; Unsupported if its library never does."""
    peer.need("features", "reconnect")
    if peer.can("options", "AUTO_RECONNECT"):
        return {"AUTO_RECONNECT": 1}
    return soon(peer)


def soon(peer: Peer) -> dict[str, OptionValue]:
    """Return the options that make a library try again soon, where it tries for ever."""
    # A library that reconnects only where it is asked to gives up after some attempts; soon would be too soon for it.
    if peer.can("options", "RECONNECT_IVL") and not peer.can("options", "AUTO_RECONNECT"):
        return {"RECONNECT_IVL": 20}
    return {}


class Flow:
    """Numbered messages from one end to the other, which may be exchanged in between.

    `figures` takes how long the flow needed to run again and what became of the messages: `lost` of those that the
    library accepted, `doubled` ones, `refused` ones (their send reported an error) and of them `refused_and_came`.
    Errors that a receive reported meanwhile are only counted (`recv_errors`): whether there may be any is a check of
    its own. `padding` is frames that go before each number, `address` those before them that a ROUTER sends by.
    """

    def __init__(
        self,
        sender: RemoteSocket,
        receiver: RemoteSocket,
        figures: dict[str, float],
        padding: Sequence[Content] = (),
        address: Sequence[Content] = (),
    ) -> None:
        self.accepted: list[int] = []
        self.refused: dict[int, str] = {}
        self.came: list[int] = []
        self._figures = figures
        figures.setdefault("recv_errors", 0)
        self._count = 0
        self._padding = list(padding)
        self._address = list(address)
        self.sender = sender
        self.receiver = receiver
        self._waiting: Receiving | None = None
        self._steady = 0
        self._unordered: set[int] = set()

    def send(self, timeout: float | None = _EACH_MS) -> None:
        """Send the next number; note whether the library took it. `timeout` in ms."""
        number, self._count = self._count, self._count + 1
        try:
            self.sender.send(*self._address, *self._padding, f"news {number}", timeout=timeout)
        except CallFailed as error:
            self.refused[number] = error.name
        else:
            self.accepted.append(number)

    def collect(self, wait: float = 0.0) -> None:
        """Take in what has come, after at most `wait` seconds."""
        while True:
            if self._waiting is None:
                self._waiting = self.receiver.recv_later()
            if not self._waiting.done(wait):
                return
            waiting, self._waiting = self._waiting, None
            try:
                message = waiting.messages()[0]
            except CallFailed as error:
                if error.name not in ("timeout", "library"):
                    raise
                self._figures["recv_errors"] += error.name == "library"
                return
            word = bytes_of(message[-1])
            assert word.startswith(b"news "), f"a message that nobody sent: {word!r}"
            # A ROUTER puts the sender's identity before it.
            assert message[-1 - len(self._padding) : -1] == self._padding, f"a message is not whole: {message!r}"
            assert len(message) - len(self._padding) - 1 == (self.receiver.type == "ROUTER"), f"not whole: {message!r}"
            self.came.append(int(word[5:]))
            wait = 0.0

    def replace(self, old: RemoteSocket, new: RemoteSocket) -> None:
        """Go on with another socket in the place of one end."""
        self.change(**{"sender" if old is self.sender else "receiver": new})

    def change(self, *, sender: RemoteSocket | None = None, receiver: RemoteSocket | None = None) -> None:
        """Go on with another socket at one end; what the old receiver had not handed out is gone with it."""
        self.sender = sender or self.sender
        if receiver is not None:
            self.receiver, self._waiting = receiver, None

    def run(self, timeout: float | None = _EACH_MS) -> None:
        """Send until a message comes that was sent from now on, and see that all after it come too, in order.

        What was sent since the last run may come at any time: it may have had another connection, and a receiver takes
        turns with its connections (28/REQREP, 29/PUBSUB, 30/PIPELINE: "fair-queuing"). `timeout`, in ms, is a send's
        own; None for the peer's longest, where a connection is there and none may fail.
        """
        first, began = self._count, perf_counter()
        for pause in until(self.receiver.peer.wait_ms):
            self.send(timeout)
            self.collect(pause)
            if self.came and self.came[-1] >= first:
                break
        else:
            refusals = f"; refused: {dict(Counter(list(self.refused.values())))}" if self.refused else ""
            raise AssertionError(
                f"none of {self._count - first} messages came within {self.receiver.peer.wait_ms:g} ms{refusals}"
            )
        self._figures["recovered_ms"] = round(1000 * (perf_counter() - began), 1)
        start = self.came[-1]
        if self._steady:
            self._unordered.update(range(self._steady, start))
        for _ in range(SETTLED):
            self.send(timeout=None)
        end = self._count - 1
        for pause in until(self.receiver.peer.wait_ms):
            self.collect(pause)
            if end in self.came:
                break
        self.account()
        self._steady = end + 1
        wanted = [number for number in range(start, end + 1) if number not in self.refused or number in self.came]
        assert self._ordered(self.came.index(start)) == wanted, "once a flow runs again, all comes in order, once"

    def _ordered(self, index: int = 0) -> list[int]:
        """Return what came from there on, without what may come at any time."""
        return [number for number in self.came[index:] if number not in self._unordered]

    def account(self) -> None:
        """File the figures; refuse what is wrong whatever happened in between."""
        came = Counter(self.came)
        doubled = sorted(number for number, times in came.items() if times > 1)
        revived = sorted(number for number in self.refused if number in came)
        self._figures["lost"] = sum(number not in came for number in self.accepted)
        self._figures["doubled"] = len(doubled)
        self._figures["refused"] = len(self.refused)
        self._figures["refused_and_came"] = len(revived)
        # 23/ZMTP: "A message SHALL NOT be delivered more than once to any peer."
        assert doubled == [], f"came twice: {doubled}"
        # A send that timed out may be under way still, where a library cannot call it off; any other error is a no.
        denied = [number for number in revived if self.refused[number] != "timeout"]
        assert denied == [], f"their send reported an error, and they were delivered: {denied}"
        assert self._ordered() == sorted(self._ordered()), f"out of order: {self.came}"


NAME = "dealer"
"""What a DEALER calls itself, so that a ROUTER can speak first."""


class Traffic:
    """All that flows between the two ends of a pattern: from left to right, and back from a ROUTER to its DEALER."""

    def __init__(
        self,
        left: RemoteSocket,
        right: RemoteSocket,
        figures: dict[str, float],
        padding: Sequence[Content] = (),
    ) -> None:
        self._figures = figures
        self._back: dict[str, float] = {}
        self.flows = [Flow(left, right, figures, padding)]
        if (left.type, right.type) == ("DEALER", "ROUTER"):
            self.flows.append(Flow(right, left, self._back, padding, [NAME]))

    def run(self) -> None:
        """See that everything flows; `Flow.run` says what that is."""
        try:
            for flow in self.flows:
                flow.run()
        finally:
            self._figures.update({f"back_{name}": value for name, value in self._back.items()})

    def meanwhile(self) -> int:
        """Send a few messages whatever becomes of them; returns how many came."""
        before = sum(len(flow.came) for flow in self.flows)
        for flow in self.flows:
            for _ in range(5):
                flow.send()
            flow.collect(0.02)
        return sum(len(flow.came) for flow in self.flows) - before

    def replace(self, old: RemoteSocket, new: RemoteSocket) -> None:
        """Go on with another socket in the place of one end."""
        for flow in self.flows:
            flow.replace(old, new)


@contextmanager
def endpoint_kept(link: Link) -> Iterator[str]:
    """Yield an endpoint of the link's transport where nobody listens yet, for a listener that goes and comes back."""
    if link.transport.name == "ipc":
        with tempfile.TemporaryDirectory(prefix="zmq-interop-") as folder:
            yield f"ipc://{folder}/kept"
    elif link.transport.name == "tcp6":
        with reserved("::1") as port:
            yield f"tcp://[::1]:{port}"
    else:
        with reserved() as port:
            yield f"tcp://127.0.0.1:{port}"


def listener_and_client(link: Link, left: Peer, right: Peer) -> tuple[Peer, Peer]:
    """Return who binds and who connects."""
    return (left, right) if link.left_binds else (right, left)


def types(link: Link, pattern: Pattern) -> tuple[str, str]:
    """Return the socket types of the binding and the connecting side."""
    return (pattern.left, pattern.right) if link.left_binds else (pattern.right, pattern.left)


def opened(
    peer: Peer,
    socket_type: str,
    *,
    bind: str | None = None,
    connect: str | None = None,
    options: dict[str, OptionValue] | None = None,
    monitor: bool = False,
) -> RemoteSocket:
    """Open a socket; one that subscribes, subscribes to everything. `monitor` records its events from the first.

    A DEALER is called `NAME`, and a ROUTER lets it come back under that name at any time, unless the options say
    otherwise: what becomes of it else is a check of its own.
    """
    if socket_type == "DEALER":
        options = {"ROUTING_ID": NAME, **(options or {})}
    if socket_type == "ROUTER" and peer.can("options", "ROUTER_HANDOVER"):
        options = {"ROUTER_HANDOVER": 1, **(options or {})}
    socket = peer.socket(socket_type, options=options)
    if monitor:
        socket.monitor()
    if socket_type in ("SUB", "XSUB"):
        socket.subscribe("")
    if bind is not None:
        socket.bind(bind)
    if connect is not None:
        socket.connect(connect)
    return socket


def wait_for(socket: RemoteSocket, event: str, within_ms: float) -> float:
    """Wait for an event of the socket; returns how many ms it took."""
    began = perf_counter()
    while (left := within_ms - 1000 * (perf_counter() - began)) > 0:
        try:
            name, _, _ = socket.next_event(timeout=left)
        except CallFailed as error:
            if error.name != "timeout":
                raise
            break
        if name == event:
            return 1000 * (perf_counter() - began)
    raise AssertionError(f"no event {event} within {within_ms:g} ms")
