"""High-water marks: full queues block or drop as the pattern says, lose nothing that they took, and stay bounded."""

from __future__ import annotations

from collections.abc import Sequence

import psutil
import pytest

from harness.errors import CallFailed
from harness.judge import Crowd
from harness.model.frames import Message, Recipe
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket
from tests.interop.steps import bytes_of
from tests.interop.test_stuck_peers import subscribe_to_all

KIB, MIB = 1024, 1024 * 1024
SIZE = 64 * KIB
FLOOD = 600
"""Messages of `SIZE` that no pair of queues of `MARK` takes, with all that the system's socket buffers hold (7 MiB on a
default Linux); a mark that is ignored, 1000 by default, takes them."""

MARK = 10
MUTE_MS = 60.0
"""How long a sender takes nothing until it is called blocked."""

PAGE = 4 * KIB
"""Bytes of the messages whose memory is measured: larger ones, which are mostly zero, may never become resident."""

BOUND_MB = 32.0
"""Queues of 1000 such messages at either end, libzmq's default, are 8 MiB; allocators keep some more."""

TURNS = 10
"""How often at most what a slow machine had no time to offer is offered again, while the sender takes some of it."""


def marks(peer: Peer, mark: int = MARK, **more: OptionValue) -> dict[str, OptionValue]:
    """Low high-water marks, where the library has them; elsewhere what its users get."""
    options: dict[str, OptionValue] = {"SNDHWM": mark, "RCVHWM": mark, **more}
    return {name: value for name, value in options.items() if peer.can("options", name)}


@pytest.mark.scenario("full-queue", "push-pull", "dealer-router", "pair-pair", binds=("right-binds",))
def test_a_full_queue_blocks_its_sender_and_keeps_what_it_took(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 30/PIPELINE, 28/REQREP, 31/EXPAIR: PUSH, DEALER and PAIR "SHALL block on sending, or return a suitable error" when
    # no peer can take more, and "SHALL NOT discard messages that it cannot queue".
    sender, receiver = link.open((left, pattern.left, marks(left)), (right, pattern.right, marks(right)))
    sent, rounds = flood_until_stuck(sender)
    figures["queued"] = sent
    drain_exactly(receiver, sent, strip=1 if pattern.right == "ROUTER" else 0)
    sender.send("end")
    last = receiver.recv()
    # The call's own timeout ended each flood, not the library's, so the message that it was about may still come.
    while last[-1] != "end" and figures.get("came_after_timeout", 0) < rounds:
        figures["came_after_timeout"] = figures.get("came_after_timeout", 0) + 1
        last = receiver.recv()
    assert last[-1] == "end", f"a message that was not sent came: {last!r:.200}"


def flood_until_stuck(sender: RemoteSocket, *prefix: str) -> tuple[int, int]:
    """Send until the sender takes nothing for `MUTE_MS`; returns how many messages it took, in how many floods.

    Each flood has a number of its own as its messages' source.
    """
    taken: list[int] = []
    while sum(taken) < FLOOD and (not taken or taken[-1]):
        params = {"count": FLOOD - sum(taken), "size": SIZE, "prefix": list(prefix), "source": len(taken)}
        try:
            taken.append(sender.work("flood", timeout=MUTE_MS, **params).result()["sent"])
        except CallFailed as error:
            if error.name != "timeout":
                raise
            taken.append(int(error.data["sent"]))
    assert sum(taken) < FLOOD, f"{FLOOD} messages of {SIZE} bytes were taken while nobody received"
    assert sum(taken) > 0, "nothing was sent at all"
    return sum(taken), len(taken)


def drain_exactly(receiver: RemoteSocket, count: int, strip: int = 0) -> None:
    """Receive so many flooded messages, and see that they are all that were taken, in order."""
    sources = receiver.work("drain", count=count, strip=strip).result()["sources"]
    assert sum(source["received"] for source in sources.values()) == count
    wrong = {key: sum(source[key] for source in sources.values()) for key in ("missing", "doubled", "reordered")}
    assert wrong == {"missing": 0, "doubled": 0, "reordered": 0}


@pytest.mark.scenario("failed-send", "push-pull", binds=("right-binds",))
def test_a_message_whose_send_timed_out_never_arrives(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_SNDTIMEO: EAGAIN means that the message was not sent; who repeats it must not double it.
    left.need("options", "SNDTIMEO")
    pusher, puller = link.open((left, "PUSH", marks(left, SNDTIMEO=50)), (right, "PULL", marks(right)))
    sent, failed = 0, None
    while failed is None and sent < FLOOD:
        try:
            pusher.send_blocking(f"{sent}", Recipe(SIZE, 1)).result()
            sent += 1
        except CallFailed as error:
            failed = error
    assert failed is not None, f"{FLOOD} messages of {SIZE} bytes were taken while nobody received"
    assert failed.name == "timeout", failed
    figures["queued"] = sent
    came = [int(bytes_of(message[0])) for message in puller.recv_all(sent)]
    assert came == list(range(sent))
    ending = pusher.send_later([["end"]])
    try:
        last = puller.recv()
    except CallFailed as error:
        raise AssertionError(f"after a send that timed out nothing comes any more: {error}") from error
    assert last == ["end"], f"after a send that timed out came {last!r:.100}"
    ending.result()


@pytest.mark.unrecorded("a recorder's sockets have buffers too, which take what the slow one does not")
@pytest.mark.scenario("slow-subscriber", "pub-sub", "xpub-sub", binds=("left-binds",))
def test_a_slow_subscriber_misses_messages_and_delays_nobody(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 29/PUBSUB: PUB and XPUB "SHALL silently drop the message if the queue for a subscriber is full", "SHALL NOT block
    # on sending".
    publisher = link.bind(left, pattern.left, marks(left, 2))
    slow, fast = (link.connect(right, "SUB", publisher, marks(right, 2, RCVBUF=64 * KIB)) for _ in range(2))
    subscribe_to_all(publisher, slow, fast)
    # More than marks and buffers hold: Linux lets a receive buffer grow to 32 MiB where nobody bounds it.
    offered = 30 if right.can("options", "RCVBUF") else 80
    sent = 0
    for sent in range(1, offered + 1):
        publisher.send(f"{sent}", Recipe(MIB, 1))
        try:
            received = fast.recv()
        except CallFailed as error:
            raise AssertionError(f"a subscriber waits for one that does not receive: {error}") from error
        assert received[0] == f"{sent}"
    # The slow one finds the first messages, whole and in order; there was no room for the others.
    came = [int(bytes_of(message[0])) for message in take_all(slow, publisher)]
    figures["dropped"] = sent - len(came)
    assert came == sorted(set(came))
    assert came[:1] == [1]
    assert len(came) < sent, f"all {sent} messages of 1 MiB waited for a subscriber that did not receive"


def take_all(subscriber: RemoteSocket, publisher: RemoteSocket) -> list[Message]:
    """Receive what is queued; the end is a last message, said until it is heard, for the queue may still be full."""
    taken: list[Message] = []
    waiting = subscriber.recv_later()
    while True:
        if waiting.done(0.005):
            message = waiting.messages()[0]
            if message == ["0"]:
                return taken
            taken.append(message)
            waiting = subscriber.recv_later()
        else:
            publisher.send("0")


@pytest.mark.scenario("router-drops", "dealer-router", binds=("right-binds",))
def test_a_router_drops_for_a_slow_dealer_and_serves_the_others(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, ROUTER: "SHALL either silently drop the message, or return an error" if the queue for a peer is full,
    # "SHALL NOT block on sending".
    router = link.bind(right, "ROUTER", marks(right))
    slow, fast = (link.connect(left, "DEALER", router, marks(left, ROUTING_ID=name)) for name in ("slow", "fast"))
    for dealer in (slow, fast):
        dealer.send("hello")
        router.recv()
    flooding = router.work("flood", count=FLOOD, size=SIZE, prefix=["slow"])
    try:
        assert flooding.result()["sent"] == FLOOD
    except CallFailed as error:
        raise AssertionError(f"the router waits for a dealer that does not receive: {error}") from error
    router.send("fast", "and you")
    assert fast.recv() == ["and you"]
    drain_exactly(slow, 1)


@pytest.mark.scenario("router-mandatory-full", "dealer-router", binds=("right-binds",))
def test_a_mandatory_router_says_that_a_dealer_cannot_take_more(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_ROUTER_MANDATORY: "the socket shall ... block ... until the message can be sent" or give
    # EAGAIN when the peer's high-water mark is reached; what it took is not lost.
    right.need("options", "ROUTER_MANDATORY")
    router = link.bind(right, "ROUTER", marks(right, ROUTER_MANDATORY=1))
    slow = link.connect(left, "DEALER", router, marks(left, ROUTING_ID="slow"))
    slow.send("hello")
    router.recv()
    sent, _ = flood_until_stuck(router, "slow")
    figures["queued"] = sent
    drain_exactly(slow, sent)
    router.send("slow", "end")
    assert slow.recv() == ["end"]


def stays_bounded(
    sender: RemoteSocket, paused: RemoteSocket, seconds: float, rate: int, figures: dict[str, float], *prefix: str
) -> None:
    """Send at a steady rate to a socket whose process is paused, and measure by how much the sender's memory grows."""
    process = psutil.Process(sender.peer.client.pid)
    paused.peer.client.pause()
    try:
        before = process.memory_info().rss
        left = int(rate * seconds)
        for _ in range(TURNS):
            taken = offer(sender, left, seconds, rate, prefix)
            left -= taken
            if not taken or not left:
                break
        grown = (process.memory_info().rss - before) / MIB
    finally:
        paused.peer.client.resume()
    figures["rss_mb"] = round(grown, 1)
    offered = rate * seconds * PAGE / MIB
    assert grown < BOUND_MB, f"the sender grew by {grown:.0f} MiB; {offered:.0f} MiB were offered to a paused peer"


def offer(sender: RemoteSocket, count: int, seconds: float, rate: int, prefix: Sequence[str]) -> int:
    """Send at a steady rate for so long; returns how many messages the sender took."""
    pacing = {"count": count, "size": PAGE, "rate": rate, "prefix": list(prefix)}
    try:
        sender.work("pace", timeout=1000 * seconds + 200, **pacing).result()
    except CallFailed as error:  # PUSH and DEALER block in the end, and their time runs out
        return int(error.data["sent"])
    return count


def met(sender: RemoteSocket, receiver: RemoteSocket) -> tuple[RemoteSocket, RemoteSocket]:
    """Return the two once a message has passed, so that what follows is about a connection that there is."""
    if receiver.type == "SUB":
        subscribe_to_all(sender, receiver)
    else:
        sender.send("first")
        receiver.recv()
    return sender, receiver


@pytest.mark.scenario(
    "paused-peer-memory", "push-pull", "pub-sub", "xpub-sub", "dealer-router", pairs="same", binds=("left-binds",)
)
def test_memory_stays_bounded_while_a_peer_is_paused(
    peers: Crowd, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_SNDHWM: "a hard limit on the maximum number of outstanding messages 0MQ shall queue in
    # memory for any single peer".
    sender = link.bind(peers.fresh("left"), pattern.left)
    stays_bounded(*met(sender, link.connect(peers.fresh("right"), pattern.right, sender)), 0.5, 30_000, figures)


@pytest.mark.scenario("paused-dealer-memory", "dealer-router", pairs="same", binds=("right-binds",))
def test_a_routers_memory_stays_bounded_while_a_dealer_is_paused(
    peers: Crowd, link: Link, figures: dict[str, float]
) -> None:
    # 28/REQREP, ROUTER: SHALL drop the message, or return an error, if the queue for a peer is full.
    router = link.bind(peers.fresh("right"), "ROUTER")
    dealer = link.connect(peers.fresh("left"), "DEALER", router, {"ROUTING_ID": "sleeper"})
    met(dealer, router)
    stays_bounded(router, dealer, 0.5, 30_000, figures, "sleeper")


@pytest.mark.slow
@pytest.mark.wide
@pytest.mark.scenario(
    "paused-peer-memory-10s", "push-pull", "pub-sub", "dealer-router", pairs="same", binds=("left-binds",)
)
def test_memory_stays_bounded_while_a_peer_is_paused_for_long(
    peers: Crowd, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    sender = link.bind(peers.fresh("left"), pattern.left)
    stays_bounded(*met(sender, link.connect(peers.fresh("right"), pattern.right, sender)), 10.0, 5000, figures)
