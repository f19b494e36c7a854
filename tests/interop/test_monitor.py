"""What a socket's monitor tells of its connections: zmq_socket_monitor(3)."""

from __future__ import annotations

from typing import Final

import pytest

from harness.errors import CallFailed
from harness.model.matrix import Cell
from harness.peers.sockets import Link, Peer
from tests.interop.locks import TICKET, Lock, Options, curve, event_of, plain

CRYPTOGRAPHIC: Final = 0x11000001
MECHANISM_MISMATCH: Final = 0x11000002
"""libzmq's ZMQ_PROTOCOL_ERROR_ZMTP_…, the value of the event."""


@pytest.mark.scenario("monitor-connects", "push-pull", binds=("right-binds",))
def test_the_connecting_sides_monitor_tells_of_connection_handshake_and_loss(
    left: Peer, right: Peer, link: Link
) -> None:
    left.need("features", "monitor")
    puller = link.bind(right, "PULL")
    pusher = left.socket("PUSH")
    pusher.monitor()
    pusher.connect(puller.endpoint)
    # Nothing but these, in this order; ZMQ_EVENT_CONNECT_DELAYED says that connecting takes a moment.
    events = [pusher.next_event() for _ in range(3)]
    assert [name for name, _, _ in events] == ["CONNECT_DELAYED", "CONNECTED", "HANDSHAKE_SUCCEEDED"]
    assert {endpoint for _, endpoint, _ in events} == {puller.endpoint}
    pusher.send("through")
    assert puller.recv() == ["through"]
    puller.close()
    lost = pusher.next_event()
    assert lost[:2] == ("DISCONNECTED", puller.endpoint)
    # It keeps on trying by itself: ZMQ_RECONNECT_IVL.
    assert pusher.next_event()[0] == "CONNECT_RETRIED"


@pytest.mark.scenario("monitor-listens", "push-pull", binds=("right-binds",))
def test_the_listening_sides_monitor_tells_of_connection_handshake_and_loss(
    left: Peer, right: Peer, link: Link
) -> None:
    right.need("features", "monitor")
    puller = right.socket("PULL")
    puller.monitor()
    endpoint = puller.bind(link.transport.wildcard)
    assert puller.next_event()[:2] == ("LISTENING", endpoint)
    pusher = left.socket("PUSH", connect=endpoint)
    assert [puller.next_event()[0] for _ in range(2)] == ["ACCEPTED", "HANDSHAKE_SUCCEEDED"]
    pusher.send("through")
    assert puller.recv() == ["through"]
    pusher.close()
    assert puller.next_event()[0] == "DISCONNECTED"


def watch_refusal(server: Peer, lock: Lock, client: Peer, options: Options, link: Link) -> tuple[str, int]:
    """Have a client refused by a secured server; returns the server's first event of a handshake, and its value."""
    puller = server.socket("PULL", bind=link.transport.wildcard, context=lock.context, options=lock.server)
    puller.monitor()
    pusher = client.socket("PUSH", options=options)
    try:
        pusher.connect_later(puller.endpoint).result()
    except CallFailed:
        assert not client.can("features", "monitor")  # a library whose connect waits for the handshake
    return event_of(puller, "HANDSHAKE")


@pytest.mark.scenario("monitor-mismatch", "push-pull", binds=("right-binds",))
def test_a_servers_monitor_tells_of_a_client_with_another_mechanism(
    left: Peer, right: Peer, link: Link, cell: Cell
) -> None:
    # Both sides see the mismatch. Where the client closes the connection first, the server's event has an errno instead
    # (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL).
    right.need("features", "monitor")
    name, value = watch_refusal(right, plain(right, cell), left, {}, link)
    assert name in ("HANDSHAKE_FAILED_PROTOCOL", "HANDSHAKE_FAILED_NO_DETAIL")
    assert value == MECHANISM_MISMATCH or name != "HANDSHAKE_FAILED_PROTOCOL"


@pytest.mark.scenario("monitor-refusal", "push-pull", binds=("right-binds",))
def test_a_servers_monitor_tells_of_a_client_that_zap_refuses(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: "The event value is the status code returned by the ZAP handler (i.e. 300, 400
    # or 500)."
    right.need("features", "monitor")
    left.need("mechanisms", "PLAIN")
    wrong = {**TICKET, "PLAIN_PASSWORD": "guessed"}
    assert watch_refusal(right, plain(right, cell), left, wrong, link) == ("HANDSHAKE_FAILED_AUTH", 400)


@pytest.mark.scenario("monitor-cipher", "push-pull", binds=("right-binds",))
def test_a_servers_monitor_tells_of_a_client_that_uses_another_key(
    left: Peer, right: Peer, link: Link, cell: Cell
) -> None:
    # ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC
    right.need("features", "monitor")
    lock = curve(right, left, cell)
    wrong = {**lock.friend, "CURVE_SERVERKEY": left.keypair()[0]}
    assert watch_refusal(right, lock, left, wrong, link) == ("HANDSHAKE_FAILED_PROTOCOL", CRYPTOGRAPHIC)


@pytest.mark.scenario("monitor-told", "push-pull", binds=("right-binds",))
def test_a_refused_clients_monitor_tells_it_that_zap_said_no(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 24/ZMTP-PLAIN: ERROR carries the reason; libzmq's servers send ZAP's status code.
    left.need("features", "monitor")
    right.need("features", "zap")
    lock = plain(right, cell)
    puller = right.socket("PULL", bind=link.transport.wildcard, context=lock.context, options=lock.server)
    pusher = left.socket("PUSH", options={**TICKET, "PLAIN_PASSWORD": "guessed"})
    pusher.monitor()
    pusher.connect(puller.endpoint)
    events = [pusher.next_event() for _ in range(4)]
    assert [name for name, _, _ in events[:3]] == ["CONNECT_DELAYED", "CONNECTED", "HANDSHAKE_FAILED_AUTH"]
    assert events[2][2] == 400
    assert events[3][0] == "DISCONNECTED"
