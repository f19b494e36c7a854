"""Peers that come late, leave, come back, or are killed or paused: 23/ZMTP and 28 to 31."""

from __future__ import annotations

import pytest

from harness.judge import Crowd
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer
from harness.places.ports import reserved
from tests.interop.recovery import Flow, listener_and_client, opened, reconnecting, types


@pytest.mark.scenario("listener-returns", "push-pull", "pub-sub", "dealer-router")
def test_a_client_finds_a_listener_that_closed_and_came_back(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP: "if the connection is broken, [sockets] SHOULD reconnect after a suitable delay".
    listening, connecting = listener_and_client(link, left, right)
    across_a_return(listening, listening, connecting, link, pattern, figures)


@pytest.mark.scenario("listener-killed", "push-pull", "pub-sub")
def test_a_client_finds_the_successor_of_a_listener_that_was_killed(
    peers: Crowd, left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP, as above: a killed process says no goodbye, and its successor listens on the same endpoint.
    listening, connecting = listener_and_client(link, left, right)
    victim = peers.fresh("left" if link.left_binds else "right")
    across_a_return(victim, listening, connecting, link, pattern, figures)


def across_a_return(
    first: Peer, second: Peer, connecting: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    """Let messages flow, let the listener go, and let them flow again to or from the second one on its endpoint."""
    options = reconnecting(connecting)
    bound, connected = types(link, pattern)
    with reserved() as port:
        endpoint = f"tcp://127.0.0.1:{port}"
        listener = opened(first, bound, bind=endpoint)
        client = opened(connecting, connected, connect=endpoint, options=options)
        flow = Flow(*((listener, client) if link.left_binds else (client, listener)), figures)
        flow.run()
        if first is second:
            listener.close()
        else:
            first.client.kill()
        successor = opened(second, bound, bind=endpoint)
        flow.change(**{"sender" if link.left_binds else "receiver": successor})
        flow.run()
