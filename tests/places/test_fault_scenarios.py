"""What each pattern keeps of its promise when the network between two hosts fails, and for how long it is late.

Each host is a network namespace; what is dropped is dropped without a word to either side. `figures` say what was lost,
doubled and refused, and how many ms passed from the healing to the first message, and to all that had been accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

import pytest

from harness.errors import Unsupported
from harness.judge import Crowd
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket, until
from harness.places import netns, toxiproxy
from harness.places.netns import NetnsPlace
from tests.interop.recovery import Flow, Traffic, listener_and_client, opened, reconnecting, types, wait_for

APART = ("netns>netns",)
FLOWS = ("push-pull", "pub-sub", "dealer-router")
ANSWERED = ("push-pull", "dealer-router")
SOME = "go-zeromq>go-zeromq|go-zeromq>pyzmq|pyzmq>go-zeromq|pebbe>pyzmq-asyncio|pyzmq-asyncio>pebbe"
"""Pairs in which every implementation plays both sides."""

WATCHING = "pebbe>go-zeromq|pyzmq>go-zeromq|pyzmq>pebbe|pyzmq-asyncio>pyzmq"
"""Pairs whose left side knows heartbeats."""

QUEUED = 100
"""Messages that each side sends while nothing goes through: far fewer than any queue holds."""

PATIENCE = 90.0
"""Seconds that a flow may need to run again: TCP doubles its pauses, so after 30 s of silence up to 30 s more pass."""

MORE = 9
"""So many times longer than elsewhere a message may take here."""

IN_FLIGHT_MS = 300.0
"""How long what was sent before a cut may still arrive."""


def host(peer: Peer) -> NetnsPlace:
    """Return the host of a peer; Unsupported where its network cannot be disturbed."""
    if not isinstance(peer.place, NetnsPlace):
        raise Unsupported(f"the place {peer.place.name} cannot disturb its network like this: use netns")
    return peer.place


@contextmanager
def disturbed(*peers: Peer) -> Iterator[None]:
    """Heal the networks of these peers at the end, whatever happens."""
    places = [host(peer) for peer in peers]
    try:
        yield
    finally:
        for place in places:
            place.heal()


def traffic(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> tuple[Traffic, RemoteSocket]:
    """Open both ends, and see that everything flows; returns the traffic and the end that listens."""
    for peer in (left, right):
        peer.client.patience *= MORE
    listening, connecting = listener_and_client(link, left, right)
    bound, connected = types(link, pattern)
    listener = opened(listening, bound, bind=link.transport.wildcard)
    client = opened(connecting, connected, connect=listener.endpoint, options=reconnecting(connecting))
    flowing = Traffic(*((listener, client) if link.left_binds else (client, listener)), figures)
    flowing.run()
    return flowing, listener


def came(flowing: Traffic, wait: float = 0.0) -> int:
    """Return how many messages have come on all flows together, after at most `wait` seconds for each."""
    for flow in flowing.flows:
        flow.collect(wait)
    return sum(len(flow.came) for flow in flowing.flows)


def queue(flowing: Traffic, count: int = QUEUED) -> None:
    """Send on each flow, whatever becomes of it."""
    for flow in flowing.flows:
        for _ in range(count):
            flow.send()


def missing(flow: Flow) -> set[int]:
    """Return what was accepted and has not come; what was sent before the first that came had no connection yet."""
    return {number for number in flow.accepted if number >= flow.came[0]} - set(flow.came)


def settle(flowing: Traffic, figures: dict[str, float]) -> None:
    """Wait for all that was accepted, and file what became of it; nothing of it may be missing."""
    began, before = perf_counter(), came(flowing)
    for pause in until(PATIENCE * 1000):
        now = came(flowing, pause)
        if now > before:
            figures.setdefault("first_ms", round(1000 * (perf_counter() - began), 1))
        if not any(map(missing, flowing.flows)):
            break
    figures["all_ms"] = round(1000 * (perf_counter() - began), 1)
    for flow in flowing.flows:
        flow.account()
    lost = {flow.sender.type: len(missing(flow)) for flow in flowing.flows}
    # 23/ZMTP runs over TCP, which delivers what it has accepted as long as the connection lives; and nothing ended it.
    assert not any(lost.values()), f"lost although no connection ended: {lost}"


def parted(flowing: Traffic, seconds: float, figures: dict[str, float]) -> None:
    """Queue on both sides while nothing goes through, and see that it does not."""
    came(flowing, IN_FLIGHT_MS / 1000)
    before = came(flowing)
    queue(flowing)
    for _ in until(seconds * 1000):
        assert came(flowing, 0.05) == before, "a message came through a network that was cut"
    figures["parted_s"] = seconds


def partition(left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float], seconds: float) -> None:
    with disturbed(left, right):
        flowing, _ = traffic(left, right, link, pattern, figures)
        host(right).cut()
        parted(flowing, seconds, figures)
        host(right).heal()
        settle(flowing, figures)
        flowing.run()


@pytest.mark.scenario("parted-3s", *FLOWS, pairs=SOME, binds=("right-binds",), places=APART)
def test_what_was_queued_while_the_network_was_cut_comes_when_it_heals(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    partition(left, right, link, pattern, figures, 3)


@pytest.mark.wide
@pytest.mark.scenario("parted-30s", *FLOWS, binds=("right-binds",), places=APART)
def test_what_was_queued_while_the_network_was_cut_for_long_comes_when_it_heals(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    partition(left, right, link, pattern, figures, 30)


@pytest.mark.scenario("cut-one-way", "dealer-router", pairs=SOME, binds=("right-binds",), places=APART)
def test_a_network_that_is_cut_one_way_holds_that_way_back_and_doubles_nothing_on_the_other(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # What goes from right to left arrives, and its acknowledgement does not: TCP sends it again, and must hide that.
    with disturbed(left, right):
        flowing, _ = traffic(left, right, link, pattern, figures)
        forth, back = flowing.flows
        came(flowing, IN_FLIGHT_MS / 1000)
        seen = len(forth.came), len(back.came)
        host(right).cut("in")
        queue(flowing, 10)
        for _ in until(2_000):
            came(flowing, 0.05)
            assert len(forth.came) == seen[0], "a message came through a network that was cut"
        assert len(back.came) == seen[1] + 10, "the other way was to stay open"
        host(right).heal()
        settle(flowing, figures)
        flowing.run()


TURNS = 10
"""How often the messages are sent, at most, until a packet was lost: a slow machine has many in one packet."""


def losing(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float], percent: int, count: int
) -> None:
    with disturbed(left, right):
        flowing, _ = traffic(left, right, link, pattern, figures)
        for peer in (left, right):
            host(peer).lose(percent)
        began = perf_counter()
        for _ in range(TURNS):
            for _ in range(count):
                queue(flowing, 1)
                came(flowing)
            settle(flowing, figures)
            figures["dropped_packets"] = host(left).dropped() + host(right).dropped()
            if figures["dropped_packets"]:
                break
        figures["took_ms"] = round(1000 * (perf_counter() - began), 1)
        assert figures["dropped_packets"] > 0, "no packet was lost: nothing is shown"


@pytest.mark.scenario("loss-1", "push-pull", pairs=SOME, binds=("right-binds",), places=APART)
def test_a_network_that_loses_a_packet_in_a_hundred_loses_no_message(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    losing(left, right, link, pattern, figures, 1, 1_500)


@pytest.mark.scenario("loss-10", *FLOWS, pairs=SOME, binds=("right-binds",), places=APART)
def test_a_network_that_loses_a_packet_in_ten_loses_no_message(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    losing(left, right, link, pattern, figures, 10, 200)


BEATS: dict[str, OptionValue] = {"HEARTBEAT_IVL": 200, "HEARTBEAT_TIMEOUT": 1_500}
"""An interval between PINGs that a delay of 200 ms each way exceeds, and a timeout that it does not."""

DELAY_MS = 200


@pytest.mark.scenario("delay-200ms", "push-pull", pairs=WATCHING, binds=("left-binds",), places=APART)
def test_a_slow_network_does_not_stop_a_heart(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 37/ZMTP: PONG answers PING; a peer whose answers come late, and in time, is alive.
    left.need("options", *BEATS)
    left.need("features", "monitor")
    with disturbed(left, right):
        sender = left.socket("PUSH", options=BEATS)
        sender.monitor()
        endpoint = sender.bind(link.transport.wildcard)
        with slowed(left, endpoint, figures) as reached:
            receiver = right.socket("PULL", connect=reached)
            wait_for(sender, "HANDSHAKE_SUCCEEDED", left.wait_ms)
            began = perf_counter()
            for number in range(10):
                sender.send(f"{number}")
                assert receiver.recv() == [f"{number}"]
            figures["each_ms"] = round(100 * (perf_counter() - began), 1)
            assert figures["each_ms"] >= DELAY_MS, "the network was not slow: nothing is shown"
            with pytest.raises(AssertionError, match="no event DISCONNECTED"):
                wait_for(sender, "DISCONNECTED", 2_000)


@contextmanager
def slowed(peer: Peer, endpoint: str, figures: dict[str, float]) -> Iterator[str]:
    """Yield an endpoint from which all takes 200 ms each way: by the kernel, or by Toxiproxy where it has no netem."""
    try:
        netns.need_netem()
    except Unsupported:
        figures["by_toxiproxy"] = 1
        with toxiproxy.running().before(endpoint) as network:
            network.add("latency", latency=DELAY_MS)
            yield network.endpoint
        return
    host(peer).disturb(f"delay {2 * DELAY_MS}ms")
    yield endpoint


def vanish(peer: Peer) -> None:
    """Let a host vanish: its link is gone before its peer is, so that no FIN and no RST ever leaves it."""
    host(peer).unplug()
    peer.client.kill()


@pytest.mark.scenario("vanished", "push-pull", pairs=WATCHING, binds=("left-binds",), places=APART)
def test_a_heart_that_stops_with_its_host_is_noticed_in_time(
    peers: Crowd, left: Peer, link: Link, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_HEARTBEAT_TIMEOUT: nothing else tells of a host that vanishes.
    left.need("options", *BEATS)
    left.need("features", "monitor")
    goner = peers.fresh("right")
    sender = left.socket("PUSH", options=BEATS)
    sender.monitor()
    receiver = goner.socket("PULL", connect=sender.bind(link.transport.wildcard))
    sender.send("alive")
    assert receiver.recv() == ["alive"]
    try:
        vanish(goner)
        figures["noticed_ms"] = round(wait_for(sender, "DISCONNECTED", 10_000), 1)
    finally:
        host(goner).plug()


def returned(
    peers: Crowd,
    left: Peer,
    link: Link,
    pattern: Pattern,
    figures: dict[str, float],
    between: Callable[[Peer], None],
    *,
    moved: bool = False,
) -> None:
    """Let the listener's host fail, and a successor listen there; the flow must run again."""
    goner = peers.fresh("right")
    flowing, listener = traffic(left, goner, link, pattern, figures)
    old = listener.endpoint
    between(goner)
    for _ in range(5):
        flowing.flows[0].send()  # the other end is gone, and says nothing any more
    successor = peers.fresh("right")
    successor.client.patience *= MORE
    host(successor).plug()
    new = opened(successor, pattern.right, bind=link.transport.wildcard if moved else old)
    if moved:
        client = flowing.flows[0].sender
        assert new.endpoint.rpartition(":")[0] != old.rpartition(":")[0], "the host was to move"
        client.connect(new.endpoint)
        client.disconnect(old)
    flowing.replace(listener, new)
    flowing.run()


@pytest.mark.scenario(
    "vanished-and-back", "push-pull", "dealer-router", pairs=SOME, binds=("right-binds",), places=APART
)
def test_a_flow_runs_again_when_a_host_that_vanished_without_a_word_is_back(
    peers: Crowd, left: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP: sockets reconnect; the returning host answers what it knows nothing of with a reset.
    returned(peers, left, link, pattern, figures, vanish)


@pytest.mark.scenario("moved", *ANSWERED, pairs=SOME, binds=("right-binds",), places=APART)
def test_a_flow_runs_again_when_its_listener_is_back_under_another_address(
    peers: Crowd, left: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_disconnect(3), zmq_connect(3): a socket may change its endpoint while it lives.
    left.need("features", "disconnect")

    def move(goner: Peer) -> None:
        goner.client.kill()
        host(goner).move()

    returned(peers, left, link, pattern, figures, move, moved=True)
