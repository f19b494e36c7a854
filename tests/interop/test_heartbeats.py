"""Heartbeats: 37/ZMTP's PING and PONG, by libzmq's options. A silent peer is noticed in time; a live one is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter

import pytest

from harness.errors import CallFailed, Inconclusive
from harness.judge import Crowd
from harness.model.patterns import PATTERNS, Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket
from harness.places import toxiproxy
from tests.interop.recovery import Flow, listener_and_client, opened, reconnecting, soon, types, wait_for

IVL_MS, TIMEOUT_MS = 50, 250
"""An interval between PINGs, and how long the answer may take."""

STALL_MS = 80.0
"""A machine that lets a thread wait so long beyond its time may well cut off a live peer."""

SLACK_MS = 3_000.0
"""How much later than promised a busy machine may notice; a peer that does not watch notices after minutes."""


def watching(peer: Peer) -> dict[str, OptionValue]:
    """Return the options of a socket that watches its peers."""
    peer.need("options", "HEARTBEAT_IVL", "HEARTBEAT_TIMEOUT")
    peer.need("features", "monitor")
    return {"HEARTBEAT_IVL": IVL_MS, "HEARTBEAT_TIMEOUT": TIMEOUT_MS}


@contextmanager
def paused(peer: Peer) -> Iterator[None]:
    """Stop a peer's process for a while: its connections stay, and nothing answers on them."""
    peer.client.pause()
    try:
        yield
    finally:
        peer.client.resume()


@pytest.mark.scenario("silent-peer", "push-pull")
def test_a_peer_that_falls_silent_is_noticed_in_time(
    peers: Crowd, left: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_HEARTBEAT_TIMEOUT: the connection is closed if nothing comes for so long after a PING.
    options = watching(left)
    sleeper = peers.fresh("right")
    watcher, silent = ends(link, (left, options), (sleeper, {}), pattern)
    Flow(watcher, silent, figures).run()
    stays_silent(silent, IVL_MS + TIMEOUT_MS)
    refuse_disconnections(watcher)
    began = perf_counter()
    with paused(sleeper):
        wait_for(watcher, "DISCONNECTED", IVL_MS + TIMEOUT_MS + SLACK_MS)
    figures["noticed_ms"] = noticed = round(1000 * (perf_counter() - began), 1)
    # The last PING before the pause may have been on its way for a while: a busy machine is granted half the time.
    assert noticed >= TIMEOUT_MS / 2, f"given up after {noticed} ms, before its time"


def ends(
    link: Link,
    left: tuple[Peer, dict[str, OptionValue]],
    right: tuple[Peer, dict[str, OptionValue]],
    pattern: Pattern,
) -> tuple[RemoteSocket, RemoteSocket]:
    """Open both ends of the link, left and right; those that can record their events from the first."""
    one, other = (left, right) if link.left_binds else (right, left)
    bound, connected = types(link, pattern)
    seen, heard = (peer.can("features", "monitor") for peer, _ in (one, other))
    listener = opened(one[0], bound, bind=link.transport.wildcard, options=one[1], monitor=seen)
    hasty = {**soon(other[0]), **other[1]}
    client = opened(other[0], connected, connect=listener.endpoint, options=hasty, monitor=heard)
    return (listener, client) if link.left_binds else (client, listener)


@pytest.mark.scenario("time-to-live", "push-pull", binds=("right-binds",))
def test_a_peer_that_was_told_a_time_to_live_notices_by_itself(
    peers: Crowd, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 37/ZMTP, PING: "if the peer receives no other traffic … within the TTL … it SHOULD disconnect".
    right.need("features", "monitor")
    sleeper = peers.fresh("left")
    sleeper.need("options", "HEARTBEAT_IVL", "HEARTBEAT_TTL")
    # A TTL has a resolution of 100 ms.
    silent, watcher = ends(link, (sleeper, {"HEARTBEAT_IVL": IVL_MS, "HEARTBEAT_TTL": 200}), (right, {}), pattern)
    Flow(silent, watcher, figures).run()
    stays_silent(watcher, 2 * IVL_MS)
    with paused(sleeper):
        figures["noticed_ms"] = round(wait_for(watcher, "DISCONNECTED", 200 + SLACK_MS), 1)


def stays_silent(socket: RemoteSocket, ms: float) -> None:
    """See that nothing arrives for a while in which PINGs do: commands are not for the application (23/ZMTP)."""
    waiting = socket.recv_later(timeout=ms)
    while True:
        began = perf_counter()
        if waiting.done(0.005):
            break
        if (stalled := 1000 * (perf_counter() - began) - 5) > STALL_MS:
            raise Inconclusive(f"the machine stood still for {stalled:.0f} ms, of {TIMEOUT_MS} ms that an answer has")
    try:
        message = waiting.messages()[0]
    except CallFailed as error:
        if error.name != "timeout":
            raise
    else:
        raise AssertionError(f"a heartbeat reached the application: {message!r}")


def refuse_disconnections(socket: RemoteSocket) -> None:
    """See that none of the events until now is the end of a connection; its beginning is among them."""
    wait = socket.peer.wait_ms
    with suppress(CallFailed):
        while True:
            event, endpoint, _ = socket.next_event(timeout=wait)
            assert event != "DISCONNECTED", f"a live connection was cut off: {event} {endpoint}"
            wait = 20.0


@pytest.mark.scenario("idle-but-alive", "push-pull", binds=("right-binds",))
def test_a_live_peer_with_nothing_to_say_is_never_cut_off(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 37/ZMTP: a peer that receives a PING SHALL respond with a PONG.
    watcher, idle = ends(link, (left, watching(left)), (right, {}), pattern)
    watcher.send("before")
    assert idle.recv()[-1] == "before"
    stays_silent(idle, 2 * IVL_MS + TIMEOUT_MS)
    refuse_disconnections(watcher)
    watcher.send("after")
    assert idle.recv()[-1] == "after"


@pytest.mark.scenario("slow-answer", "req-rep", binds=("right-binds",))
def test_a_requester_is_not_answered_by_a_heartbeat(left: Peer, right: Peer, link: Link) -> None:
    # 37/ZMTP, as above; 28/REQREP: what REQ hands out is the reply to its request.
    client, server = ends(link, (left, {}), (right, watching(right)), PATTERNS["req-rep"])
    client.send("question")
    assert server.recv() == ["question"]
    stays_silent(client, 2 * IVL_MS + TIMEOUT_MS)
    refuse_disconnections(server)
    server.send("answer")
    assert client.recv() == ["answer"]


@pytest.mark.scenario("half-open-watched", "push-pull")
def test_a_watched_connection_that_went_dead_is_replaced(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_HEARTBEAT_TIMEOUT, and 23/ZMTP: a broken connection is made anew.
    options = watching(left)
    listening, connecting = listener_and_client(link, left, right)
    renewing = reconnecting(connecting)
    bound, connected = types(link, pattern)
    listener = opened(listening, bound, bind=link.transport.wildcard, options=options if link.left_binds else None)
    with toxiproxy.running().before(listener.endpoint) as network:
        client = opened(
            connecting,
            connected,
            connect=network.endpoint,
            options=renewing if link.left_binds else {**renewing, **options},
        )
        watcher, other = (listener, client) if link.left_binds else (client, listener)
        watcher.monitor()
        flow = Flow(watcher, other, figures)
        flow.run()
        stays_silent(other, 2 * IVL_MS)
        network.add("timeout", timeout=0)
        figures["noticed_ms"] = round(wait_for(watcher, "DISCONNECTED", IVL_MS + TIMEOUT_MS + SLACK_MS), 1)
        network.heal()
        flow.run()
