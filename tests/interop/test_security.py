"""Who gets in: PLAIN (24), CURVE (25, 26), ZAP (27) and NULL (23/ZMTP), each with a friend and an intruder.

The friend is connected from before the intruder comes until after it was refused, and must not notice.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import pytest

from harness.errors import CallFailed
from harness.model.frames import Recipe
from harness.model.matrix import Cell
from harness.peers.sockets import Link, Peer, RemoteSocket
from tests.interop.locks import DOMAIN, TICKET, Lock, Options, curve, event_of, plain


def keep_out(server: Peer, lock: Lock, friend: Peer, intruder: Peer, wrong: Options, link: Link) -> None:
    """See that the intruder gets nothing through and an error that it can see, and that the friend is not disturbed."""
    door = server.socket("PULL", bind=link.transport.wildcard, context=lock.context, options=lock.server)
    inside = friend.socket("PUSH", connect=door.endpoint, options=lock.friend)
    inside.send("before")
    assert door.recv() == ["before"]
    knock(intruder, door, wrong)
    inside.send("after")
    assert door.recv() == ["after"], "the friend's message comes next, and nothing of the intruder's"
    with pytest.raises(CallFailed, match="timeout"):
        door.recv(timeout=20)


def knock(intruder: Peer, door: RemoteSocket, wrong: Options) -> None:
    """Connect, send what must not get through, and see that the intruder is told, by an error or an event."""
    outside = intruder.socket("PUSH", options={**wrong})
    watched = intruder.can("features", "monitor")
    if watched:
        outside.monitor()
    try:
        outside.connect_later(door.endpoint).result()
        trying = outside.send_later([["from an intruder"]], timeout=200)
        if not watched:
            trying.result()
    except CallFailed:
        return
    # 26/CURVEZMQ has a server drop some clients without a word; the end of the connection is all that those can see.
    event, _ = event_of(outside, "HANDSHAKE", "DISCONNECTED") if watched else ("", 0)
    assert event.startswith(("HANDSHAKE_FAILED", "DISCONNECTED")), "the intruder was let in, or not told otherwise"


@pytest.mark.scenario("plain-wrong-password", "push-pull", binds=("right-binds",))
def test_a_wrong_password_lets_nothing_in(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 24/ZMTP-PLAIN: "The server accepts or rejects this authentication"; it answers WELCOME, or ERROR, or closes.
    left.need("mechanisms", "PLAIN")
    wrong: Options = {**TICKET, "PLAIN_PASSWORD": "guessed"}
    keep_out(right, plain(right, cell), left, left, wrong, link)


@pytest.mark.scenario("plain-unknown-user", "push-pull", binds=("right-binds",))
def test_an_unknown_user_gets_nothing_in(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    left.need("mechanisms", "PLAIN")
    wrong: Options = {**TICKET, "PLAIN_USERNAME": "nobody"}
    keep_out(right, plain(right, cell), left, left, wrong, link)


@pytest.mark.scenario("plain-no-password", "push-pull", binds=("right-binds",))
def test_a_client_without_security_gets_nothing_into_a_plain_server(
    left: Peer, right: Peer, link: Link, cell: Cell
) -> None:
    # 23/ZMTP: the peers' mechanisms must match exactly, else the connection is closed.
    left.need("mechanisms", "PLAIN")
    keep_out(right, plain(right, cell), left, left, {}, link)


@pytest.mark.scenario("curve-unknown-key", "push-pull", binds=("right-binds",))
def test_a_client_whose_key_is_not_listed_gets_nothing_in(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 26/CURVEZMQ, 27/ZAP: the server checks the client's long-term public key.
    lock = curve(right, left, cell)
    public, secret = left.keypair()
    wrong: Options = {**lock.friend, "CURVE_PUBLICKEY": public, "CURVE_SECRETKEY": secret}
    keep_out(right, lock, left, left, wrong, link)


@pytest.mark.scenario("curve-wrong-server", "push-pull", binds=("right-binds",))
def test_a_client_that_expects_another_server_sends_it_nothing(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 26/CURVEZMQ: only the server that the client knows by its public key can open HELLO.
    lock = curve(right, left, cell)
    keep_out(right, lock, left, left, {**lock.friend, "CURVE_SERVERKEY": left.keypair()[0]}, link)


@pytest.mark.scenario("curve-no-key", "push-pull", binds=("right-binds",))
def test_a_client_without_security_gets_nothing_into_a_curve_server(
    left: Peer, right: Peer, link: Link, cell: Cell
) -> None:
    # The friend is the server's own library: the intruder's may have no CURVE at all.
    keep_out(right, curve(right, right, cell), right, left, {}, link)


@pytest.mark.scenario("curve-plain-client", "push-pull", binds=("right-binds",))
def test_a_plain_client_gets_nothing_into_a_curve_server(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    left.need("mechanisms", "PLAIN")
    keep_out(right, curve(right, right, cell), right, left, TICKET, link)


@pytest.mark.scenario("null-plain-client", "push-pull", binds=("right-binds",))
def test_a_plain_client_gets_nothing_into_a_server_without_security(
    left: Peer, right: Peer, link: Link, cell: Cell
) -> None:
    # 23/ZMTP: a client that asks for security must not be content with none.
    left.need("mechanisms", "PLAIN")
    keep_out(right, Lock(None, {}, {}), left, left, TICKET, link)


@pytest.mark.scenario("null-in-domain", "push-pull", binds=("right-binds",))
def test_nobody_whom_zap_does_not_list_gets_into_a_null_server_with_a_domain(
    left: Peer, right: Peer, link: Link, cell: Cell
) -> None:
    # 27/ZAP, zmq_setsockopt(3) ZMQ_ZAP_DOMAIN: a server asks for NULL too, where its socket names a domain.
    right.need("features", "zap")
    lock = plain(right, cell)
    door = right.socket("PULL", bind=link.transport.wildcard, context=lock.context, options={"ZAP_DOMAIN": DOMAIN})
    knock(left, door, {})
    with pytest.raises(CallFailed, match="timeout"):
        door.recv(timeout=20)


SIZES: Final = (0, 1, 223, 255, 256, 8_191, 8_192, 65_535, 65_536, 1_048_576)
"""Bytes: about ZMTP's sizes, before and after what CURVE adds to a frame, and about libzmq's buffers."""


def exchange(server: Peer, lock: Lock, friend: Peer, link: Link) -> None:
    """See that frames of every size, alone and together, arrive unchanged both ways."""
    bound = server.socket("PAIR", bind=link.transport.wildcard, context=lock.context, options=lock.server)
    other = friend.socket("PAIR", connect=bound.endpoint, options=lock.friend)
    frames = [Recipe(size, number) for number, size in enumerate(SIZES)]
    bodies = [*([frame] for frame in frames), frames]
    for sender, receiver in ((other, bound), (bound, other)):
        sender.send_all(bodies)
        assert receiver.recv_all(len(bodies)) == bodies


@pytest.mark.scenario("plain-payloads", "pair-pair", binds=("right-binds",))
def test_a_plain_connection_carries_every_size_of_frame(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 24/ZMTP-PLAIN: after the handshake, messages travel as with NULL.
    left.need("mechanisms", "PLAIN")
    exchange(right, plain(right, cell), left, link)


@pytest.mark.scenario("curve-payloads", "pair-pair", binds=("right-binds",))
def test_a_curve_connection_carries_every_size_of_frame(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 25/ZMTP-CURVE: each frame becomes a MESSAGE command, 33 bytes longer.
    exchange(right, curve(right, left, cell), left, link)


@pytest.mark.scenario("plain-two-servers", "push-pull", binds=("right-binds",))
def test_a_client_shows_its_credentials_to_each_server(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    left.need("mechanisms", "PLAIN")
    lock = plain(right, cell)
    servers = [
        right.socket("PULL", bind=link.transport.wildcard, context=lock.context, options=lock.server) for _ in range(2)
    ]
    client = left.socket("PUSH", connect=servers[0].endpoint, options=lock.friend)
    client.connect(servers[1].endpoint)
    client.send_all([["hello"]] * len(servers))
    for server in servers:
        assert server.recv() == ["hello"]


def call_on(server: Peer, lock: Lock, client: Peer, wrong: Options, link: Link) -> None:
    """Let a secured server connect to a client that is right and to one that is wrong."""
    inside = client.socket("PUSH", bind=link.transport.wildcard, options=lock.friend)
    outside = client.socket("PUSH", bind=link.transport.wildcard, options=wrong)
    caller = server.socket("PULL", context=lock.context, options=lock.server)
    caller.connect(inside.endpoint)
    inside.send("before")
    assert caller.recv() == ["before"]
    calls = [caller.connect_later(outside.endpoint), outside.send_later([["from an intruder"]], timeout=100)]
    for call in calls:
        with suppress(CallFailed):
            call.result()
    inside.send("after")
    assert caller.recv() == ["after"], "the friend's message comes next, and nothing of the intruder's"
    with pytest.raises(CallFailed, match="timeout"):
        caller.recv(timeout=20)


@pytest.mark.scenario("plain-server-connects", "push-pull", binds=("left-binds",))
def test_a_plain_server_may_be_the_one_that_connects(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 23/ZMTP, as-server: "Is the peer acting as server for security handshake?" is told by the greeting, and not by who
    # listens.
    left.need("mechanisms", "PLAIN")
    call_on(right, plain(right, cell), left, {**TICKET, "PLAIN_PASSWORD": "guessed"}, link)


@pytest.mark.scenario("curve-server-connects", "push-pull", binds=("left-binds",))
def test_a_curve_server_may_be_the_one_that_connects(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # zmq_curve(7): "The role is independent of bind/connect direction."
    lock = curve(right, left, cell)
    public, secret = left.keypair()
    call_on(right, lock, left, {**lock.friend, "CURVE_PUBLICKEY": public, "CURVE_SECRETKEY": secret}, link)
