"""What ROUTER promises about identities: who is who, who is not there, and who takes over (28/REQREP)."""

from __future__ import annotations

from contextlib import suppress
from time import sleep

import pytest

from harness.errors import CallFailed
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket, until
from tests.interop.steps import bytes_of

QUIET_MS = 50.0
"""How long nothing may come where nothing must."""

IDENTITIES = (b"a", b"\xff\x00\x01", b"\x01" * 5, "Xi'an 西安".encode(), bytes(range(1, 256)), b"z" * 254)
"""Identities that peers announce: 1 to 255 bytes; a leading null is libzmq's own."""


def gets_nothing(socket: RemoteSocket, when: str) -> None:
    """Nothing arrives within a moment; errors other than messages are not what is asked here."""
    with suppress(CallFailed):
        raise AssertionError(f"{socket} received {socket.recv(timeout=QUIET_MS)} {when}")


@pytest.mark.scenario("identities", "dealer-router", "req-router", binds=("right-binds",))
def test_a_router_knows_its_peers_by_the_identity_they_announce(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # 23/ZMTP: Identity is 0 to 255 octets. 28/REQREP, ROUTER: SHALL prefix the identity, and route by the first frame.
    router = link.bind(right, "ROUTER")
    clients = [link.connect(left, pattern.left, router, {"ROUTING_ID": identity}) for identity in IDENTITIES]
    delimiter = [""] if pattern.left == "REQ" else []
    for identity, client in zip(IDENTITIES, clients, strict=True):
        client.send("I am", identity)
        assert router.recv() == [identity, *delimiter, "I am", identity]
    for identity, client in reversed(list(zip(IDENTITIES, clients, strict=True))):
        router.send(identity, *delimiter, "you are", identity)
        assert client.recv() == ["you are", identity]


@pytest.mark.scenario(
    "long-identity",
    "dealer-router",
    pairs="pebbe>pebbe|pyzmq>pyzmq|pyzmq-asyncio>pyzmq-asyncio",  # the peer for go-zeromq refuses it by itself
    binds=("right-binds",),
)
def test_an_identity_of_more_than_255_bytes_is_refused(left: Peer, right: Peer, link: Link) -> None:
    # 23/ZMTP: "identity = 0*255OCTET"; zmq_setsockopt(3), ZMQ_ROUTING_ID: at most 255 bytes long, else EINVAL.
    router = link.bind(right, "ROUTER")
    dealer = left.socket("DEALER", options={"ROUTING_ID": b"y" * 255})
    with pytest.raises(CallFailed) as refused:
        dealer.set("ROUTING_ID", b"x" * 256)
    assert refused.value.name in ("invalid", "library")
    # The one before is still in force.
    dealer.connect(router.endpoint)
    dealer.send("hello")
    assert router.recv() == [b"y" * 255, "hello"]


@pytest.mark.scenario("generated", "dealer-router", "req-router", binds=("right-binds",))
def test_a_router_tells_peers_without_an_identity_apart(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 28/REQREP, ROUTER: SHALL identify each double queue using a unique "identity" binary string.
    router = link.bind(right, "ROUTER")
    clients = [link.connect(left, pattern.left, router) for _ in range(4)]
    delimiter = [""] if pattern.left == "REQ" else []
    given: list[bytes] = []
    for _ in range(2):
        for number, client in enumerate(clients):
            client.send(f"client {number}")
            identity, *body = router.recv()
            assert body == [*delimiter, f"client {number}"]
            assert 1 <= identity.size <= 255
            given.append(bytes_of(identity))
        for number, client in reversed(list(enumerate(clients))):
            router.send(given[number], *delimiter, f"for {number}")
            assert client.recv() == [f"for {number}"]
    assert len(set(given[:4])) == 4, f"four peers have the identities {given[:4]}"
    assert given[4:] == given[:4], "a peer keeps its identity as long as it is connected"


@pytest.mark.scenario("duplicate", "dealer-router", binds=("right-binds",))
def test_of_two_peers_with_one_identity_the_first_gets_the_messages(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, ROUTER: a unique identity each. zmq_setsockopt(3), ZMQ_ROUTER_HANDOVER: else the second is refused.
    router = link.bind(right, "ROUTER")
    first = link.connect(left, "DEALER", router, {"ROUTING_ID": "twin"})
    first.send("first")
    assert router.recv() == ["twin", "first"]
    second = heard = None
    with suppress(CallFailed):  # its connection may be closed at once
        second = link.connect(left, "DEALER", router, {"ROUTING_ID": "twin"})
        second.send("second")
    with suppress(CallFailed):  # 28/REQREP does not say whether it may be heard
        heard = router.recv(timeout=QUIET_MS)
    assert heard is None or heard == ["twin", "second"]
    router.send("twin", "secret")
    if second:
        gets_nothing(second, "that is for the first peer of its identity")
    assert first.recv() == ["secret"]


@pytest.mark.scenario("handover", "dealer-router", binds=("right-binds",))
def test_with_handover_the_second_peer_of_an_identity_takes_over(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_ROUTER_HANDOVER: the new connection takes the identity over, the existing one is closed.
    right.need("options", "ROUTER_HANDOVER")
    router = link.bind(right, "ROUTER", {"ROUTER_HANDOVER": 1})
    # The first would come back by itself, and take over in turn.
    stay_away: dict[str, OptionValue] = {} if left.can("options", "AUTO_RECONNECT") else {"RECONNECT_IVL": -1}
    first = link.connect(left, "DEALER", router, {"ROUTING_ID": "heir", **stay_away})
    first.send("first")
    assert router.recv() == ["heir", "first"]
    second = link.connect(left, "DEALER", router, {"ROUTING_ID": "heir", **stay_away})
    second.send("second")
    assert router.recv() == ["heir", "second"]
    router.send("heir", "letter")
    assert second.recv() == ["letter"]
    gets_nothing(first, "after the handover")


@pytest.mark.scenario("unknown-receiver", "dealer-router", "req-router", binds=("right-binds",))
def test_a_message_to_nobody_is_dropped_and_disturbs_no_one(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # 28/REQREP, ROUTER: if there is no such peer, SHALL either silently drop the message or return an error.
    router = link.bind(right, "ROUTER")
    client = link.connect(left, pattern.left, router, {"ROUTING_ID": "client"})
    delimiter = [""] if pattern.left == "REQ" else []
    client.send("here")
    assert router.recv() == ["client", *delimiter, "here"]
    for nobody in ("nobody", "clien", "client2", b"\x00" * 5, "x" * 255):
        router.send(nobody, *delimiter, "lost")
    router.send("client", *delimiter, "found")
    assert client.recv() == ["found"]


@pytest.mark.scenario("nobody-yet", "dealer-router", pairs="same", binds=("right-binds",))
def test_a_router_without_peers_does_not_wait_for_one(right: Peer, link: Link) -> None:
    # 28/REQREP, ROUTER: SHALL NOT block on sending; without a peer it drops the message or returns an error.
    router = link.bind(right, "ROUTER")
    try:
        router.send("nobody", "lost")
    except CallFailed as error:
        if error.name != "unroutable":
            raise AssertionError(f"ROUTER waited for a peer instead of dropping: {error}") from error


def until_unroutable(router: RemoteSocket, identity: str) -> None:
    """Send until the peer is known to be gone; that takes the time of a closed connection to show."""
    for pause in until(router.peer.wait_ms):
        try:
            router.send(identity, "are you there?")
        except CallFailed as error:
            if error.name != "unroutable":
                raise
            return
        sleep(pause)
    raise AssertionError(f"{router} still sends to {identity!r}, which has left")


@pytest.mark.scenario("mandatory", "dealer-router", "req-router", binds=("right-binds",))
def test_with_mandatory_an_unknown_receiver_is_an_error(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_ROUTER_MANDATORY: an unroutable message is EHOSTUNREACH instead of silently discarded.
    right.need("options", "ROUTER_MANDATORY")
    router = link.bind(right, "ROUTER", {"ROUTER_MANDATORY": 1})
    with pytest.raises(CallFailed) as nobody:
        router.send("client", "too early")
    assert nobody.value.name == "unroutable"
    client = link.connect(left, pattern.left, router, {"ROUTING_ID": "client"})
    delimiter = [""] if pattern.left == "REQ" else []
    client.send("here")
    assert router.recv() == ["client", *delimiter, "here"]
    with pytest.raises(CallFailed) as nobody:
        router.send("nobody", *delimiter, "lost")
    assert nobody.value.name == "unroutable"
    router.send("client", *delimiter, "found")
    assert client.recv() == ["found"]
    client.close()
    until_unroutable(router, "client")


@pytest.mark.scenario("probe", "dealer-router", "req-router", "router-router", binds=("right-binds",))
def test_a_probe_announces_a_peer_before_its_first_message(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # zmq_setsockopt(3), ZMQ_PROBE_ROUTER: an empty message on each new connection, which ROUTER hands out.
    left.need("options", "PROBE_ROUTER")
    probing: dict[str, OptionValue] = {"ROUTING_ID": "prober", "PROBE_ROUTER": 1}
    prober, router = link.open((left, pattern.left, probing), (right, "ROUTER", {"ROUTING_ID": "router"}))
    assert router.recv() == ["prober", ""]
    # Now the ROUTER can speak first, which is what a probe is for.
    if pattern.left != "REQ":
        router.send("prober", "welcome")
        back = ["router"] if pattern.left == "ROUTER" else []
        assert prober.recv() == [*back, "welcome"]


@pytest.mark.scenario("bound-probe", "dealer-router", "router-router", binds=("left-binds",))
def test_a_bound_socket_probes_each_router_that_connects(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_PROBE_ROUTER: when a connection is made or accepted.
    left.need("options", "PROBE_ROUTER")
    prober = link.bind(left, pattern.left, {"ROUTING_ID": "prober", "PROBE_ROUTER": 1})
    # libzmq accepts peers whenever its application calls it.
    waiting = prober.recv_later(2)
    routers = [link.connect(right, "ROUTER", prober, {"ROUTING_ID": name}) for name in ("one", "two")]
    for router in routers:
        assert router.recv() == ["prober", ""]
        router.send("prober", "welcome")
    assert [message[-1] for message in waiting.messages()] == ["welcome"] * 2


@pytest.mark.scenario("named-by-router", "dealer-router", "router-router", binds=("left-binds",))
def test_a_connecting_router_may_name_its_peer(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_CONNECT_ROUTING_ID: the identity that ROUTER gives to the peer it connects to next.
    right.need("options", "CONNECT_ROUTING_ID")
    others = [link.bind(left, pattern.left, {"ROUTING_ID": f"own name {number}"}) for number in range(2)]
    router = right.socket("ROUTER", options={"ROUTING_ID": "router"})
    for number, other in enumerate(others):
        router.set("CONNECT_ROUTING_ID", f"peer {number}")
        router.connect(other.endpoint)
    back = ["router"] if pattern.left == "ROUTER" else []
    for number, other in enumerate(others):
        router.send(f"peer {number}", "hello", str(number))
        assert other.recv() == [*back, "hello", str(number)]
        other.send(*back, "hello yourself")
        assert router.recv() == [f"peer {number}", "hello yourself"]
