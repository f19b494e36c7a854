"""Behind a firewall: silence ends in timeouts, nobody hangs, and what was sent comes when the way is open again.

Both peers run behind a wall of the cell's own. Each block is proved by a canary before anything rests on it.
"""

from __future__ import annotations

from ipaddress import ip_address

import psutil
import pytest

from harness.errors import CallFailed, Unsupported
from harness.host.firewall import Firewall
from harness.judge import Crowd
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer, RemoteSocket
from tests.interop.recovery import listener_and_client

WAIT_MS = 300
"""How long a receive waits for what the firewall keeps back."""

BEHIND = "its peers run behind a firewall of their own, where no recorder is"


def stays_silent(socket: RemoteSocket, wait_ms: float = WAIT_MS) -> None:
    """Fail unless a receive ends by its timeout."""
    try:
        message = socket.recv(timeout=wait_ms)
    except CallFailed as error:
        if error.name != "timeout":
            raise
        return
    raise AssertionError(f"a message came through the block: {message}")


@pytest.mark.slow
@pytest.mark.unrecorded(BEHIND)
@pytest.mark.scenario("blocked-before", "req-rep", binds=("right-binds",))
def test_who_connects_into_a_block_is_served_when_it_ends(peers: Crowd, link: Link, firewall: Firewall) -> None:
    # 23/ZMTP: a peer that cannot connect tries again; RFC 9293, 3.8.1: an unanswered SYN is sent again.
    left, right = (peers.fresh(side, firewall.place) for side in ("left", "right"))
    server = link.bind(right, "REP")
    client = left.socket("REQ")
    with firewall.block(server.endpoint):
        connecting = client.connect_later(server.endpoint)
        stays_silent(server)
    connecting.result()
    client.send("after the block")
    assert server.recv() == ["after the block"]
    server.send("answered")
    assert client.recv() == ["answered"]


@pytest.mark.slow
@pytest.mark.unrecorded(BEHIND)
@pytest.mark.scenario("blocked-mid-stream", "pair-pair", binds=("right-binds",))
def test_a_block_in_mid_stream_delays_and_loses_nothing(peers: Crowd, link: Link, firewall: Firewall) -> None:
    # 23/ZMTP over TCP: what no connection gave up is sent again, in order; what was acknowledged had arrived.
    left, right = (peers.fresh(side, firewall.place) for side in ("left", "right"))
    one, other = link.open((left, "PAIR"), (right, "PAIR"))
    one.send("before")
    assert other.recv() == ["before"]
    other.send("acknowledged")
    assert one.recv() == ["acknowledged"]
    with firewall.block(other.endpoint):
        one.send_all([["there", f"{number}"] for number in range(50)])
        other.send_all([["back", f"{number}"] for number in range(50)])
        stays_silent(one)
        stays_silent(other)
    assert other.recv_all(50) == [["there", f"{number}"] for number in range(50)]
    assert one.recv_all(50) == [["back", f"{number}"] for number in range(50)]


@pytest.mark.slow
@pytest.mark.unrecorded(BEHIND)
@pytest.mark.scenario("blocked-one-way", "pair-pair", binds=("right-binds",))
def test_a_block_of_one_direction_loses_nothing_in_either(peers: Crowd, link: Link, firewall: Firewall) -> None:
    # RFC 9293, 3.8.1: with the one direction go the acknowledgements of the other, so TCP may hold that back, too.
    left, right = (peers.fresh(side, firewall.place) for side in ("left", "right"))
    one, other = link.open((left, "PAIR"), (right, "PAIR"))
    one.send("hello")
    assert other.recv() == ["hello"]
    for way, there, back in (("in", one, other), ("out", other, one)):
        with firewall.block(other.endpoint, direction="in" if way == "in" else "out"):
            there.send("kept back", way)
            back.send("let through", way)
            stays_silent(back)
        assert there.recv() == ["let through", way]
        assert back.recv() == ["kept back", way]


@pytest.mark.scenario("loopback-only", "push-pull", "req-rep", transports=("tcp4", "tcp6"), pairs="same")
def test_a_peer_listens_on_loopback_only(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # A listener on an unspecified address makes Windows ask the user; one on loopback does not.
    binding, _ = listener_and_client(link, left, right)
    link.open((left, pattern.left), (right, pattern.right))
    listening = listeners(binding.client.pid)
    assert listening, "the peer does not listen at all"
    strangers = [host for host in listening if not ip_address(host).is_loopback]
    assert not strangers, f"the peer listens on {', '.join(strangers)}, which others reach"


def listeners(pid: int) -> list[str]:
    """Return the addresses on which a process listens."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.AccessDenied:
        raise Unsupported("this user may not look at the sockets of another process: run this as root") from None
    return [one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN]
