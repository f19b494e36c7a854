"""Section 6: RAW carries plain bytes over one connection, and loses none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.frames import b64, digest, recipe
from tests.contract.histogram import decode
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


# Over a path, and as a floor


@pytest.fixture(params=["tcp://127.0.0.1:*", "tcp://[::1]:*", "ipc://*"])
def line(request: pytest.FixtureRequest, peer: RawPeer) -> tuple[int, int]:
    """Two ends of a plain connection over each transport that there is."""
    endpoint: str = request.param
    transport = "tcp6" if "[" in endpoint else endpoint.partition(":")[0]
    need(peer, "socket_types", "RAW")
    need(peer, "transports", transport)
    bound, actual = peer.bound("RAW", endpoint)
    return bound, peer.open("RAW", connect=[actual])


def test_raw_carries_bytes_over_every_transport(line: tuple[int, int], peer: RawPeer) -> None:
    bound, connected = line
    peer.send(connected, ["forth"])
    assert peer.call("recv", socket=bound, size=5, timeout=10_000) == {"messages": [["forth"]]}
    peer.send(bound, ["back"])
    assert peer.call("recv", socket=connected, size=4, timeout=10_000) == {"messages": [["back"]]}


def test_raw_leaves_no_path_behind(peer: RawPeer) -> None:
    need(peer, "socket_types", "RAW")
    need(peer, "transports", "ipc")
    bound, endpoint = peer.bound("RAW", "ipc://*")
    path = Path(endpoint.removeprefix("ipc://"))
    assert path.is_relative_to(peer.hello["workdir"])
    assert path.exists()
    peer.close(bound)
    assert not path.exists()


@pytest.mark.parametrize("plan", [{}, {"rate": 2000}], ids=["lock-step", "open loop"])
@pytest.mark.parametrize("size", [16, 64, 1_000_000])
def test_raw_echoes_pings(size: int, plan: dict[str, int], line: tuple[int, int], peer: RawPeer) -> None:
    bound, connected = line
    echoing = peer.start("echo", socket=bound, count=25, size=size)
    result = peer.call("ping", socket=connected, count=20, warmup=5, size=size, **plan)
    assert peer.result(echoing) == {"echoed": 25}
    assert (result["count"], result["wrong"]) == (20, 0)
    assert decode(result["hdr"]).get_total_count() == 20


@pytest.mark.parametrize("plan", [{}, {"rate": 1000}], ids=["lock-step", "open loop"])
def test_a_ping_over_raw_notices_other_bytes(plan: dict[str, int], peer: RawPeer) -> None:
    bound, connected = raw(peer)
    pinging = peer.start("ping", socket=connected, count=1, size=20, **plan)
    assert peer.call("recv", socket=bound, size=20, timeout=10_000) == {"messages": [["\0" * 20]]}
    peer.send(bound, ["\0" * 10])
    peer.send(bound, ["\0" * 9 + "x"])
    result = peer.result(pinging)
    assert (result["count"], result["wrong"]) == (1, 1)


def test_raw_loses_no_byte_when_an_echo_runs_out(peer: RawPeer) -> None:
    bound, connected = raw(peer)
    echoing = peer.start("echo", socket=bound, count=2, size=4, timeout=500)
    peer.send(connected, ["abcdef"])
    assert peer.call("recv", socket=connected, size=4, timeout=10_000) == {"messages": [["abcd"]]}
    error = peer.error(echoing)
    assert (error["data"]["name"], error["data"]["echoed"]) == ("timeout", 1)
    peer.send(connected, ["gh"])
    assert peer.call("recv", socket=bound, size=4, timeout=10_000) == {"messages": [["efgh"]]}


@pytest.mark.parametrize("method", ["echo", "ping"])
def test_the_end_of_a_raw_socket_ends_its_workload(method: str, peer: RawPeer) -> None:
    bound, connected = raw(peer)
    running = peer.start(method, socket=bound, count=1, size=16)
    peer.call("stats")
    peer.close(connected)
    assert peer.error(running)["data"]["name"] == "closed"
    bound, connected = raw(peer)
    running = peer.start(method, socket=bound, count=1, size=16)
    peer.call("stats")
    peer.close(bound)
    assert peer.error(running)["data"]["name"] == "closed"


@pytest.mark.parametrize(
    ("method", "params"),
    [("echo", {}), ("echo", {"size": 0}), ("ping", {}), ("ping", {"size": 16, "prefix": ["x"]})],
    ids=str,
)
def test_a_workload_on_raw_needs_a_size_and_nothing_in_front(
    method: str, params: dict[str, Any], peer: RawPeer
) -> None:
    bound, _ = raw(peer)
    error = peer.refused(method, socket=bound, count=1, **params)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")


def test_raw_has_no_messages_to_drain(peer: RawPeer) -> None:
    bound, _ = raw(peer)
    assert peer.refused("drain", socket=bound, count=1)["data"]["name"] == "unsupported"
