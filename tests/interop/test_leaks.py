"""What is opened and closed again leaves nothing behind: handles, threads, goroutines, sockets, memory.

No RFC says so; zmq_close(3) and zmq_ctx_term(3) do: they release "any resources associated with" a socket or context,
and net.Conn and the libraries' own documentation promise as much of `Close`. Processes are the cell's own, so that
nothing that an earlier cell left is counted.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.errors import CallFailed
from harness.judge import Crowd
from harness.measure.probe import Watch
from harness.model.figures import Figures
from harness.model.frames import Message
from harness.model.matrix import Cell
from harness.model.patterns import Pattern
from harness.peers.client import PendingCall
from harness.peers.sockets import Link, Peer, RemoteSocket, until
from harness.places.ports import reserved
from tests.interop.recovery import reconnecting
from tests.interop.steps import bytes_of

Watched = dict[str, Peer]


def cast(left: Peer, right: Peer, peers: Crowd, cell: Cell) -> tuple[Peer, Peer, Watched]:
    """Return who plays left and right, and whose counters are watched.

    An implementation with itself plays both ends in one new process; with pyzmq only its own end is new, and watched.
    """
    if cell.left == cell.right:
        both = peers.fresh("left")
        return both, both, {"both": both}
    if cell.left == "pyzmq":
        right = peers.fresh("right")
        return left, right, {"right": right}
    left = peers.fresh("left")
    return left, right, {"left": left}


WITH_PYZMQ = "go-zeromq>pyzmq|pebbe>pyzmq|pyzmq-asyncio>pyzmq|pyzmq>go-zeromq|pyzmq>pebbe|pyzmq>pyzmq-asyncio"


def accustom(socket: RemoteSocket) -> None:
    """Let a receive wait on a socket that stays, so that the peer has all that it will ever have for it."""
    with pytest.raises(CallFailed, match="timeout"):
        socket.recv(timeout=100)


def talk(left: RemoteSocket, right: RemoteSocket, number: int) -> None:
    """Pass a message from left to right, and back where the pattern lets it."""
    if right.type in ("SUB", "XSUB"):
        right.subscribe("")
        publish_until_heard(left, right, number)
        return
    left.send(f"question {number}")
    *envelope, body = received(right)
    assert body == f"question {number}"
    if left.type != "PUSH":
        right.send(*envelope, f"answer {number}")
        assert left.recv()[-1] == f"answer {number}"


def publish_until_heard(publisher: RemoteSocket, subscriber: RemoteSocket, number: int) -> None:
    """Publish until the subscriber gets something, and have it receive all that was published since."""
    waiting = subscriber.recv_later()
    for published, pause in enumerate(until(publisher.peer.wait_ms), 1):
        publisher.send(f"news {number}", f"{published}")
        if not waiting.done(pause):
            continue
        try:
            first = waiting.messages()[0]
        except CallFailed as error:
            if error.name != "library":
                raise
            waiting = subscriber.recv_later()
        else:
            for _ in range(published - int(bytes_of(first[1]))):
                received(subscriber)
            return
    raise AssertionError(f"nothing came within {publisher.peer.wait_ms:g} ms")


def received(socket: RemoteSocket) -> Message:
    """Receive a message, past reports of peers that have gone: whether there may be any is a check of its own."""
    for _ in range(8):
        try:
            return socket.recv()
        except CallFailed as error:
            if error.name != "library":
                raise
    return socket.recv()


def shut(socket: RemoteSocket) -> None:
    """Close a socket. That this may report the other end's leaving is, again, a check of its own."""
    try:
        socket.close()
    except CallFailed as error:
        if error.name != "library":
            raise


def opens_talks_closes(left: Peer, right: Peer, link: Link, pattern: Pattern) -> Callable[[int], None]:
    """Return a cycle of both ends."""

    def cycle(number: int) -> None:
        one, other = link.open((left, pattern.left), (right, pattern.right))
        talk(one, other, number)
        shut(one)
        shut(other)

    return cycle


@pytest.mark.scenario(
    "leaks",
    *("push-pull", "pub-sub", "req-rep", "dealer-router", "pair-pair", "xpub-xsub"),
    pairs="same",
    binds=("right-binds",),
)
def test_sockets_that_talked_and_were_closed_leave_nothing_behind(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern, cell: Cell, figures: Figures
) -> None:
    left, right, watched = cast(left, right, peers, cell)
    Watch(figures, watched).refuse_leaks(opens_talks_closes(left, right, link, pattern))


@pytest.mark.scenario("leaks-abroad", "push-pull", "pub-sub", "req-rep", pairs=WITH_PYZMQ, binds=("right-binds",))
def test_sockets_that_talked_to_another_library_leave_nothing_behind(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern, cell: Cell, figures: Figures
) -> None:
    left, right, watched = cast(left, right, peers, cell)
    Watch(figures, watched).refuse_leaks(opens_talks_closes(left, right, link, pattern))


@pytest.mark.scenario(
    "leaks-nearby", "push-pull", "pub-sub", transports=("ipc", "inproc"), pairs="same", binds=("right-binds",)
)
def test_sockets_within_one_machine_leave_nothing_behind(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern, cell: Cell, figures: Figures
) -> None:
    left, right, watched = cast(left, right, peers, cell)
    Watch(figures, watched).refuse_leaks(opens_talks_closes(left, right, link, pattern))


@pytest.mark.scenario("leaks-unread", "push-pull", "dealer-router", pairs="same", binds=("right-binds",))
def test_messages_that_nobody_received_go_with_their_socket(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern, cell: Cell, figures: Figures
) -> None:
    left, right, watched = cast(left, right, peers, cell)

    def cycle(number: int) -> None:
        sender, receiver = link.open((left, pattern.left), (right, pattern.right))
        sender.send_all([["unread", f"{turn}"] for turn in range(60)])
        receiver.recv_all(30)
        shut(sender)
        shut(receiver)

    Watch(figures, watched).refuse_leaks(cycle)


@pytest.mark.scenario("leaks-timeouts", "push-pull", "req-rep", pairs="same", binds=("right-binds",))
def test_calls_that_timed_out_leave_nothing_behind(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern, cell: Cell, figures: Figures
) -> None:
    left, right, watched = cast(left, right, peers, cell)

    def cycle(number: int) -> None:
        sender, receiver = link.open((left, pattern.left), (right, pattern.right))
        with pytest.raises(CallFailed, match="timeout"):
            receiver.recv(timeout=1)
        if pattern.left == "REQ":
            sender.send("question")
            receiver.recv()
            with pytest.raises(CallFailed, match="timeout"):
                sender.recv(timeout=1)
        shut(sender)
        shut(receiver)

    Watch(figures, watched).refuse_leaks(cycle)


@pytest.mark.scenario("leaks-restarts", "push-pull", "pub-sub", pairs="pyzmq>*", binds=("right-binds",))
def test_a_listener_lets_go_of_processes_that_died(
    right: Peer, peers: Crowd, link: Link, pattern: Pattern, figures: Figures
) -> None:
    right = peers.fresh("right")
    listener = link.bind(right, pattern.right)
    accustom(listener)

    def cycle(number: int) -> None:
        partner = peers.fresh("left")
        talk(link.connect(partner, pattern.left, listener), listener, number)
        partner.client.kill()

    Watch(figures, {"right": right}).refuse_leaks(cycle, warm_up=1, cycles=3)


@pytest.mark.scenario("leaks-reconnects", "push-pull", pairs="pyzmq>*", binds=("left-binds",))
def test_a_client_lets_go_of_connections_to_processes_that_died(
    right: Peer, peers: Crowd, link: Link, pattern: Pattern, figures: Figures
) -> None:
    right = peers.fresh("right")
    with reserved() as port:
        endpoint = f"tcp://127.0.0.1:{port}"
        client = right.socket(pattern.right, options=reconnecting(right))
        accustom(client)
        connecting: list[PendingCall] = []
        # Each one's successor is there before it dies: go-zeromq tries for 2.5 s, and a process may take longer.
        partners = [peers.fresh("left")]

        def cycle(number: int) -> None:
            partner = partners.pop()
            listener = partner.socket(pattern.left, bind=endpoint)
            if not connecting:
                connecting.append(client.connect_later(endpoint))
            talk(listener, client, number)
            partners.append(peers.fresh("left"))
            partner.client.kill()

        Watch(figures, {"right": right}).refuse_leaks(cycle, warm_up=1, cycles=3)


CLOSED_BY_THE_COLLECTOR = ("pebbe", "pyzmq", "pyzmq-asyncio")
"""Libraries that close a socket to which nothing refers any more; with them a program leaks that still holds it."""


@pytest.mark.scenario("forgotten-close", "push-pull", pairs="same", binds=("right-binds",))
def test_a_program_that_forgets_to_close_is_caught(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern, cell: Cell, figures: Figures
) -> None:
    left, right, watched = cast(left, right, peers, cell)

    def cycle(number: int) -> None:
        sender, receiver = link.open((left, pattern.left), (right, pattern.right))
        waiting = receiver.recv_later()  # what waits may be known in more places than what finds its message there
        sender.send(f"question {number}")
        assert waiting.messages() == [[f"question {number}"]]
        sender.abandon()
        receiver.abandon()

    kept = left.client.hello["implementation"] not in CLOSED_BY_THE_COLLECTOR
    # `sockets` and `contexts` are the peer's own count, and who forgets them does not count right.
    watch = Watch(figures, watched, ignored=("sockets", "contexts"))
    found = watch.findings(cycle, settle_ms=500 if kept else None)
    left.client.kill()  # it cannot be asked to leave nothing open
    # Who keeps two sockets a cycle keeps two of something at least. Of the last ones a little may be in use still.
    names = {finding.counter: finding.per_cycle for finding in found["both"] if finding.per_cycle >= 2}
    if kept:
        assert "handles" in names, f"nobody notices what is forgotten: {names}"
    else:
        assert names == {}, f"the garbage collector did not close what was forgotten: {names}"
