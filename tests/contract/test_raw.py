"""Section 6: RAW carries plain bytes over one TCP connection, and loses none."""

from __future__ import annotations

from tests.contract.frames import b64, digest, recipe
from tests.contract.needs import need
from tests.contract.wire import RawPeer


def raw(peer: RawPeer) -> tuple[int, int]:
    """Return two ends of a plain TCP connection."""
    need(peer, "socket_types", "RAW")
    return peer.joined("RAW", "RAW")


def test_raw_joins_frames_and_gives_exactly_the_bytes_that_are_asked_for(peer: RawPeer) -> None:
    bound, connected = raw(peer)
    assert peer.send(connected, ["ab", "", "c"], ["de"]) == {"sent": 2}
    assert peer.call("recv", socket=bound, size=3, timeout=10_000) == {"messages": [["abc"]]}
    assert peer.call("recv", socket=bound, size=2, timeout=10_000) == {"messages": [["de"]]}
    peer.send(bound, [b64(b"\xff\x00")])
    assert peer.call("recv", socket=connected, size=2, timeout=10_000) == {"messages": [[b64(b"\xff\x00")]]}


def test_raw_carries_many_bytes(peer: RawPeer) -> None:
    bound, connected = raw(peer)
    sending = peer.start("send", socket=connected, messages=[[{"size": 3_000_000, "seed": 1}]], timeout=10_000)
    received = peer.call("recv", socket=bound, size=3_000_000, timeout=10_000)
    assert received == {"messages": [[digest(recipe(3_000_000, 1))]]}
    assert peer.result(sending) == {"sent": 1}


def test_raw_tells_what_came_before_the_connection_ended(peer: RawPeer) -> None:
    bound, connected = raw(peer)
    peer.send(connected, ["abc"])
    assert peer.call("recv", socket=bound, size=1, timeout=10_000) == {"messages": [["a"]]}
    waiting = peer.start("recv", socket=bound, size=10, timeout=10_000)
    peer.close(connected)
    error = peer.error(waiting)
    assert (error["data"]["name"], error["data"]["messages"]) == ("closed", [["bc"]])


def test_raw_loses_no_byte_when_a_receive_runs_out(peer: RawPeer) -> None:
    bound, connected = raw(peer)
    peer.send(connected, ["abcd"])
    error = peer.refused("recv", socket=bound, size=10, timeout=300)
    assert error["data"]["name"] == "timeout"
    came = "".join(part for message in error["data"]["messages"] for part in message)
    peer.send(connected, ["efghij"])
    rest = peer.call("recv", socket=bound, size=10 - len(came), timeout=10_000)
    assert came + rest["messages"][0][0] == "abcdefghij"


def test_raw_receives_nothing_from_nobody(peer: RawPeer) -> None:
    need(peer, "socket_types", "RAW")
    bound, _ = peer.bound("RAW")
    assert peer.refused("recv", socket=bound, size=1, timeout=100)["data"]["name"] == "timeout"
    waiting = peer.start("recv", socket=bound, size=1)
    peer.close(bound)
    assert peer.error(waiting)["data"]["name"] == "closed"
