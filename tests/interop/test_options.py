"""The options that users are told to set: set through each peer, read back, and seen to act. zmq_setsockopt(3)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from harness.errors import CallFailed
from harness.model.frames import Recipe
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket
from tests.interop.live_tcp import keepalive

IDLE: Final = 77
"""Seconds; no system has this by default."""


def read_back(owner: RemoteSocket, **wanted: OptionValue) -> None:
    """See that options read as they were set. go-zeromq can read none; what they do is all that can be seen there."""
    for option, value in wanted.items():
        try:
            assert owner.get(option) == value
        except CallFailed as error:
            if error.name != "unsupported":
                raise


@contextmanager
def deaf_listener() -> Iterator[str]:
    """Yield an endpoint whose connections are taken by the system and greeted by nobody, so that messages wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.unrecorded("it looks for the peer's connection to the listener's own port")
@pytest.mark.scenario("keepalive", "push-pull")
def test_tcp_keepalive_and_its_idle_time_are_set_on_the_live_connection(left: Peer, right: Peer, link: Link) -> None:
    # ZMQ_TCP_KEEPALIVE overrides SO_KEEPALIVE, ZMQ_TCP_KEEPALIVE_IDLE overrides TCP_KEEPIDLE: for
    # connections that are made and for those that are accepted.
    left.need("options", "TCP_KEEPALIVE", "TCP_KEEPALIVE_IDLE")
    for alive in (1, 0):
        wanted: dict[str, OptionValue] = {"TCP_KEEPALIVE": alive, "TCP_KEEPALIVE_IDLE": IDLE}
        pusher, puller = link.open((left, "PUSH", wanted), (right, "PULL"))
        pusher.send("connected")
        assert puller.recv() == ["connected"]
        read_back(pusher, **wanted)
        on, idle = keepalive(pusher if link.left_binds else puller, left)
        assert (on, idle if on else IDLE) == (alive, IDLE)
        pusher.close()
        puller.close()


@pytest.mark.scenario("ipv6-switch", "push-pull", transports=("tcp6",), binds=("right-binds",))
def test_ipv6_decides_whether_an_ipv6_address_can_be_reached(left: Peer, right: Peer, link: Link) -> None:
    # ZMQ_IPV6: off, the socket uses IPv4 only. libzmq reads the address without brackets too; where it has them, the
    # peers of the harness switch IPv6 on by themselves.
    left.need("options", "IPV6")
    puller = link.bind(right, "PULL")
    address = puller.endpoint.replace("[", "").replace("]", "")
    with pytest.raises(CallFailed, match=r"No such device|no such device|Invalid|invalid"):
        left.socket("PULL", bind="tcp://::1:*", options={"IPV6": 0})
    refused = left.socket("PUSH", connect=address, options={"IPV6": 0})
    read_back(refused, IPV6=0)
    refused.send("with IPv6 off")
    listening = left.socket("PULL", bind="tcp://::1:*", options={"IPV6": 1})
    assert "::1" in listening.endpoint
    allowed = left.socket("PUSH", connect=address, options={"IPV6": 1})
    read_back(allowed, IPV6=1)
    allowed.send("with IPv6 on")
    assert puller.recv() == ["with IPv6 on"]
    with pytest.raises(CallFailed, match="timeout"):
        puller.recv(timeout=20)


@pytest.mark.scenario("sndhwm-exact", "push-pull", "dealer-router", binds=("right-binds",))
def test_sndhwm_is_how_many_messages_wait_for_a_peer(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # ZMQ_SNDHWM: "a hard limit on the maximum number of outstanding messages"; PUSH and DEALER block beyond it.
    left.need("options", "SNDHWM")
    quick: dict[str, OptionValue] = {"RECONNECT_IVL": 1} if left.can("options", "RECONNECT_IVL") else {}
    jobs = [["job", str(number)] for number in range(7)]
    with deaf_listener() as endpoint:
        sender = left.socket(pattern.left, connect=endpoint, options={"SNDHWM": len(jobs), **quick})
        read_back(sender, SNDHWM=len(jobs))
        sender.send_all(jobs)
        with pytest.raises(CallFailed, match="timeout"):
            sender.send("one too many", timeout=0)
    right.need("socket_types", pattern.right)
    receiver = right.socket(pattern.right, bind=endpoint)
    assert [message[-2:] for message in receiver.recv_all(len(jobs))] == jobs


BULK: Final = [[Recipe(65_536, number)] for number in range(96)]
"""6 MiB: more than the system's buffers of one connection hold, where the receiver's is set small."""


@pytest.mark.unrecorded("a recorder's sockets have buffers too, which take what the queue does not")
@pytest.mark.scenario("rcvhwm-holds-back", "push-pull", binds=("right-binds",))
def test_rcvhwm_of_a_puller_that_does_not_read_holds_its_pusher_back(left: Peer, right: Peer, link: Link) -> None:
    # ZMQ_RCVHWM limits what is queued inbound. What does not fit stays with TCP and then with the sender, which blocks
    # and discards nothing (30/PIPELINE). A mark that is high enough takes everything.
    right.need("options", "RCVHWM", "RCVBUF")
    narrow: dict[str, OptionValue] = {"SNDHWM": 1} if left.can("options", "SNDHWM") else {}
    for mark in (len(BULK), 1):
        puller = link.bind(right, "PULL", {"RCVHWM": mark, "RCVBUF": 65_536})
        pusher = link.connect(left, "PUSH", puller, narrow)
        read_back(puller, RCVHWM=mark)
        if mark > 1:
            pusher.send_all(BULK)
            sent = len(BULK)
        else:
            sent = push_until_held(pusher)
            assert sent < len(BULK), f"with RCVHWM {mark}, all {sent} messages were taken"
        assert puller.recv_all(sent) == BULK[:sent]
        pusher.close()
        puller.close()


def push_until_held(pusher: RemoteSocket) -> int:
    """Send the bulk until one send does not return at once; returns how many messages were taken."""
    for number, message in enumerate(BULK):
        try:
            pusher.send(*message, timeout=60)
        except CallFailed as error:
            if error.name != "timeout":
                raise
            return number
    return len(BULK)


@pytest.mark.scenario("linger-holds-close", "push-pull", binds=("right-binds",))
def test_close_waits_for_queued_messages_as_long_as_linger_says(left: Peer, right: Peer, link: Link) -> None:
    # ZMQ_LINGER: 0 discards pending messages, a positive value bounds how long they linger, -1 sets no bound. The peer
    # ends the socket's context before it answers close.
    left.need("options", "LINGER")
    quick: dict[str, OptionValue] = {"RECONNECT_IVL": 1} if left.can("options", "RECONNECT_IVL") else {}
    with deaf_listener() as endpoint:
        discarding = left.socket("PUSH", connect=endpoint, options={"LINGER": 0})
        limited = left.socket("PUSH", connect=endpoint, options={"LINGER": 60})
        patient = left.socket("PUSH", connect=endpoint, options={"LINGER": -1, **quick})
        for sender, linger in ((discarding, 0), (limited, 60), (patient, -1)):
            read_back(sender, LINGER=linger)
            sender.send(f"lingers {linger}")
        discarding.close()
        before = time.perf_counter()
        limited.close()
        assert time.perf_counter() - before >= 0.06
        closing = patient.close_later()
        assert not closing.done(0.02)
    right.need("socket_types", "PULL")
    puller = right.socket("PULL", bind=endpoint)
    assert puller.recv() == ["lingers -1"]
    closing.result()


@pytest.mark.scenario("identity-seen", "dealer-router", "req-router")
def test_a_routers_application_sees_the_identity_that_was_set(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # ZMQ_ROUTING_ID, 28/REQREP: ROUTER prefixes what it receives with the identity, which the peer may name itself.
    left.need("options", "ROUTING_ID")
    identity = b"\x01bin\xff"
    client, router = link.open((left, pattern.left, {"ROUTING_ID": identity}), (right, "ROUTER"))
    read_back(client, ROUTING_ID=identity)
    client.send("who am I?")
    assert router.recv()[0] == identity
