"""Options that limit what is kept or taken, and messages that end in the middle."""

from __future__ import annotations

import socket as tcp
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select
from threading import Event, Thread
from time import sleep

import pytest

from harness.errors import CallFailed
from harness.judge import Crowd
from harness.model.frames import Message, Recipe
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer, RemoteSocket, until
from tests.interop.steps import bytes_of
from tests.interop.test_handshake_timeouts import address, silent_listener

KIB, MIB = 1024, 1024 * 1024


def one_is_kept(sender: RemoteSocket, receiver: RemoteSocket) -> int:
    """Send bursts until the receiver, which looks a while later, finds but the last one's last message; counts bursts.

    How long a burst is on its way is not known, and a receiver that looks meanwhile rightly finds a message at each
    look; so the pause grows. A queue of more than one message hands over more, however long it is left alone. libzmq's
    SUB takes a message off its queue to say that there is one (`xsub_t::xhas_in`), as an event loop asks it: that one
    comes first.
    """
    came: list[int] = []
    for burst, _ in enumerate(until(receiver.peer.wait_ms), 1):
        first, last = 1000 * burst, 1000 * burst + 199
        sender.send_all([[str(number)] for number in range(first, last + 1)])
        sleep(0.02 * burst)
        came = [int(bytes_of(receiver.recv()[0]))]
        while came[-1] != last:
            came.append(int(bytes_of(receiver.recv()[0])))
        assert came == sorted(came)
        if len(came) <= (2 if receiver.type == "SUB" else 1):
            return burst
    raise AssertionError(f"{len(came)} of 200 messages were kept")


@pytest.mark.scenario("conflate", "push-pull", "dealer-dealer", binds=("right-binds",))
def test_conflate_keeps_only_the_last_message(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_CONFLATE: "a socket shall keep only one message in its inbound/outbound queue, this message
    # being the last message received/the last message to be sent". PUSH, PULL, DEALER, PUB and SUB have it.
    right.need("options", "CONFLATE")
    sender, receiver = link.open((left, pattern.left), (right, pattern.right, {"CONFLATE": 1}))
    figures["bursts"] = one_is_kept(sender, receiver)


@pytest.mark.scenario("conflate", "pub-sub", binds=("left-binds",))
def test_a_conflating_subscriber_keeps_only_the_last_publication(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_CONFLATE, as above.
    right.need("options", "CONFLATE")
    publisher = link.bind(left, "PUB")
    subscriber = right.socket("SUB", options={"CONFLATE": 1})
    subscriber.subscribe("")
    subscriber.connect(publisher.endpoint)
    waiting = subscriber.recv_later()
    for pause in until(left.wait_ms):
        publisher.send("0")
        if waiting.done(pause):
            break
    waiting.messages()
    figures["bursts"] = one_is_kept(publisher, subscriber)


@pytest.mark.scenario("immediate", "push-pull", "dealer-dealer", binds=("right-binds",))
def test_immediate_queues_only_for_completed_connections(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_IMMEDIATE: 1 queues messages "only to completed connections. This will cause the socket to
    # block if there are no other connections".
    left.need("options", "IMMEDIATE")
    receiver = link.bind(right, pattern.right)
    with silent_listener() as nowhere:
        with left.socket(pattern.left, connect=nowhere) as trusting:
            trusting.send("queued for somebody who never speaks", timeout=1000)
        sender = left.socket(pattern.left, connect=nowhere, options={"IMMEDIATE": 1})
        with pytest.raises(CallFailed) as failure:
            sender.send("nobody is connected", timeout=50)
        assert failure.value.name == "timeout", failure.value
        sender.connect(receiver.endpoint)
        messages = [[str(number)] for number in range(6)]
        sender.send_all(messages)
        assert receiver.recv_all(len(messages)) == messages


@pytest.mark.scenario("max-size", "push-pull", "dealer-router", binds=("right-binds",))
def test_a_message_above_the_limit_is_refused_and_smaller_ones_go_on(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # zmq_setsockopt(3), ZMQ_MAXMSGSIZE: "If a peer sends a message larger than ZMQ_MAXMSGSIZE it is disconnected."
    right.need("options", "MAXMSGSIZE")
    limit = 1000
    sender, receiver = link.open((left, pattern.left), (right, pattern.right, {"MAXMSGSIZE": limit}))
    other = link.connect(left, pattern.left, receiver)
    fits = Recipe(limit, 1)
    for socket in (sender, other):
        socket.send(fits)
        assert receiver.recv()[-1:] == [fits]
    sender.send(Recipe(limit + 1, 2))
    other.send("of another peer")
    assert receiver.recv()[-1] == "of another peer"
    if not left.can("features", "reconnect") or left.can("options", "AUTO_RECONNECT"):
        return  # it does not connect again, or only when asked to
    # What is sent before the sender has noticed may be lost; a new connection carries messages again.
    again = receiver.recv_later()
    for pause in until(left.wait_ms):
        if again.done(pause):
            break
        with suppress(CallFailed):
            sender.send("again", timeout=100)
    assert again.messages()[0][-1] == "again"


class Relay:
    """Passes bytes between one client and an endpoint, and stops after some that the client sent."""

    def __init__(self, endpoint: str, limit: int) -> None:
        self.cut = Event()
        """Set when `limit` bytes of the client have been passed, and no more are."""
        self._ended = Event()
        self._target, self._limit = address(endpoint), limit
        self._listener = tcp.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where the client connects."""
        return f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"

    def _run(self) -> None:
        with suppress(OSError), self._listener.accept()[0] as client, tcp.create_connection(self._target) as server:
            passed = 0
            while passed < self._limit:
                for source in select((client, server), (), ())[0]:
                    data = source.recv(min(64 * KIB, self._limit - passed) if source is client else 64 * KIB)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
                    passed += len(data) if source is client else 0
            self.cut.set()
            self._ended.wait()

    def end(self) -> None:
        """Close both connections."""
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(tcp.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextmanager
def relay(endpoint: str, limit: int) -> Iterator[Relay]:
    """Run a relay."""
    running = Relay(endpoint, limit)
    try:
        yield running
    finally:
        running.end()


@pytest.mark.scenario("killed-in-a-message", "push-pull", binds=("right-binds",))
def test_a_message_whose_sender_is_killed_half_way_comes_whole_or_not_at_all(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern
) -> None:
    # 23/ZMTP: "A message SHALL be sent or received atomically; that is, all frames or none of the frames".
    receiver = link.bind(right, pattern.right)
    victim = peers.fresh("left")
    # The first two of four frames get through, and half of the third.
    with relay(receiver.endpoint, 5 * MIB // 2) as between:
        sender = victim.socket(pattern.left)
        sender.connect(between.endpoint)
        sender.send_later([[Recipe(MIB, number) for number in range(4)]])
        assert between.cut.wait(victim.wait_ms / 1000), "the message does not leave its sender"
        victim.client.kill()
    with pytest.raises(CallFailed):  # nothing to receive, or the end of a connection to report
        raise AssertionError(f"half a message came: {receiver.recv(timeout=50)!r:.200}")
    another = link.connect(left, pattern.left, receiver)
    sending = another.send_later([["end"]])
    assert after_errors(receiver)[-1:] == ["end"]
    sending.result()


def after_errors(receiver: RemoteSocket) -> Message:
    """Receive a message. That a library reports the end of a connection is another matter, and no part of a message."""
    for _ in range(2):
        with suppress(CallFailed):
            return receiver.recv()
    return receiver.recv()
