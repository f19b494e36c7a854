"""A bad network between two peers, made by Toxiproxy: what is delivered is what was sent, and flows run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from harness.model.frames import Content, Recipe
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer, RemoteSocket
from harness.places import toxiproxy
from harness.places.toxiproxy import Network
from tests.interop.recovery import Traffic, listener_and_client, opened, reconnecting, types

BODIES: list[list[Content]] = [
    [""],
    ["a"],
    ["", "between", ""],
    [Recipe(255, 1), Recipe(256, 2)],
    [f"part {number}" for number in range(20)],
    [Recipe(2_000, 3)],
]
"""Messages on both sides of ZMTP's short and long frames, small enough for a network that passes single bytes."""


def exchange_all(left: RemoteSocket, right: RemoteSocket, bodies: list[list[Content]]) -> None:
    """Send all bodies one way and back the other."""
    for sender, receiver in ((left, right), (right, left)):
        sender.send_all(bodies)
        assert receiver.recv_all(len(bodies)) == bodies


@pytest.mark.scenario("latency", "pair-pair", binds=("right-binds",))
def test_a_slow_unsteady_network_changes_nothing_but_the_time(left: Peer, right: Peer, link: Link) -> None:
    # 23/ZMTP: a connection is an ordered stream; when its bytes come is nobody's promise.
    there = link.bind(right, "PAIR")
    with toxiproxy.running().before(there.endpoint) as network:
        network.add("latency", latency=8, jitter=6)
        exchange_all(left.socket("PAIR", connect=network.endpoint), there, BODIES)


@pytest.mark.scenario("bandwidth", "pair-pair", binds=("right-binds",))
def test_a_narrow_network_carries_long_messages_whole(left: Peer, right: Peer, link: Link) -> None:
    # 23/ZMTP: a frame's length says where it ends, however long its bytes take.
    there = link.bind(right, "PAIR")
    with toxiproxy.running().before(there.endpoint) as network:
        network.add("bandwidth", rate=2_000)
        exchange_all(left.socket("PAIR", connect=network.endpoint), there, [[Recipe(150_000, 5), "end"], ["next"]])


@pytest.mark.scenario("single-bytes", "pair-pair", binds=("right-binds", "left-binds"))
def test_a_network_that_passes_single_bytes_changes_no_message(left: Peer, right: Peer, link: Link) -> None:
    # 23/ZMTP: greeting, handshake and frames may come in pieces of any size.
    listening, connecting = listener_and_client(link, left, right)
    there = link.bind(listening, "PAIR")
    with toxiproxy.running().before(there.endpoint) as network:
        network.add("slicer", average_size=1, size_variation=0, delay=0)
        exchange_all(connecting.socket("PAIR", connect=network.endpoint), there, BODIES)


PADDING: list[Content] = [Recipe(300, 1), "", Recipe(400, 2)]
"""Frames before the last one of a message that a connection ends in the middle of."""


def cut_in_the_middle(network: Network) -> None:
    """Let each connection end after 1000 bytes."""
    network.add("limit_data", bytes=1000)


def across(
    left: Peer,
    right: Peer,
    link: Link,
    pattern: Pattern,
    figures: dict[str, float],
    disturb: Callable[[Network], None],
    *,
    padding: Sequence[Content] = (),
) -> None:
    """Let messages flow through a network, disturb it, heal it, and let them flow again."""
    listening, connecting = listener_and_client(link, left, right)
    options = reconnecting(connecting)
    bound, connected = types(link, pattern)
    listener = opened(listening, bound, bind=link.transport.wildcard)
    with toxiproxy.running().before(listener.endpoint) as network:
        client = opened(connecting, connected, connect=network.endpoint, options=options)
        traffic = Traffic(*((listener, client) if link.left_binds else (client, listener)), figures, padding)
        traffic.run()
        disturb(network)
        figures["came_meanwhile"] = traffic.meanwhile()
        network.heal()
        traffic.run()


@pytest.mark.scenario("cut-and-healed", "push-pull", "pub-sub", "dealer-router")
def test_a_flow_runs_again_after_its_connection_was_cut(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP: "if the connection is broken, [sockets] SHOULD reconnect after a suitable delay".
    across(left, right, link, pattern, figures, Network.cut)
    assert figures["came_meanwhile"] == 0


@pytest.mark.scenario("reset", "push-pull", "dealer-router")
def test_a_flow_runs_again_after_its_connection_was_reset(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP, as above: a reset throws away what was under way, and shows as an error at both ends.
    across(left, right, link, pattern, figures, lambda network: network.add("reset_peer", timeout=0))
    assert figures["came_meanwhile"] == 0


@pytest.mark.scenario("half-open", "push-pull", "dealer-router")
def test_a_flow_runs_again_after_its_network_swallowed_everything(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP, as above. Neither end can know until the connection ends; what was sent meanwhile is lost.
    across(left, right, link, pattern, figures, lambda network: network.add("timeout", timeout=0))
    assert figures["came_meanwhile"] == 0


@pytest.mark.scenario("data-limit", "push-pull", "pub-sub")
def test_a_message_whose_connection_ends_in_the_middle_comes_whole_or_not_at_all(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_msg_send(3): "a multi-part message is an atomic unit: peers receive either all its parts or none".
    across(left, right, link, pattern, figures, cut_in_the_middle, padding=PADDING)


@pytest.mark.scenario("data-limit", "dealer-router", pairs="pebbe>*|pyzmq*>*", binds=("right-binds",))
def test_a_request_whose_connection_ends_in_the_middle_comes_whole_or_not_at_all(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # As above, and for what the ROUTER answers. What a go-zeromq that connects makes of it, the others show; here each
    # of its cells would take 10 to 30 s.
    across(left, right, link, pattern, figures, cut_in_the_middle, padding=PADDING)
