"""Section 5: `echo` and `ping`, lock-step and with a plan."""

from __future__ import annotations

import base64
import time

import pytest

from tests.contract.histogram import ROUNDING, decode
from tests.contract.needs import need, pair
from tests.contract.test_workloads import bytes_of, numbered
from tests.contract.wire import RawPeer


def test_an_echo_answers_every_ping(peer: RawPeer) -> None:
    need(peer, "workloads", "echo", "ping")
    one, other = pair(peer)
    echoing = peer.start("echo", socket=other, count=130)
    result = peer.call("ping", socket=one, count=100, warmup=30, size=64)
    assert peer.result(echoing) == {"echoed": 130}
    assert (result["count"], result["wrong"]) == (100, 0)
    trips = decode(result["hdr"])
    assert trips.get_total_count() == 100
    assert 0 < trips.get_min_value() <= trips.get_max_value() < 10_000_000_000
    # One trip after the other, and what lies between them
    assert trips.get_mean_value() * 100 <= result["ns"] * ROUNDING
    assert 0 <= result["jitter_ns"] <= trips.get_max_value() * ROUNDING


def test_requests_are_echoed_by_a_replier(peer: RawPeer) -> None:
    need(peer, "workloads", "echo", "ping")
    need(peer, "socket_types", "REQ", "REP")
    server, client = peer.joined("REP", "REQ")
    echoing = peer.start("echo", socket=server, count=20)
    assert peer.call("ping", socket=client, count=20, size=16)["wrong"] == 0
    assert peer.result(echoing) == {"echoed": 20}


def test_a_ping_may_go_in_an_envelope(peer: RawPeer) -> None:
    need(peer, "workloads", "echo", "ping")
    need(peer, "socket_types", "DEALER", "REP")
    server, client = peer.joined("REP", "DEALER")
    echoing = peer.start("echo", socket=server, count=5)
    result = peer.call("ping", socket=client, count=5, size=20, prefix=["hop", ""], strip=2)
    assert (result["count"], result["wrong"]) == (5, 0)
    assert peer.result(echoing) == {"echoed": 5}


@pytest.mark.parametrize("change", ["other bytes", "other size", "one more frame"])
def test_a_ping_notices_an_answer_that_is_not_its_request(change: str, peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, other = pair(peer)
    pinging = peer.start("ping", socket=one, count=2, size=16)
    [request] = peer.recv(other)
    peer.send(
        other,
        {
            "other bytes": [{"base64": base64.b64encode(b"\xff" * 16).decode()}],
            "other size": [{"base64": base64.b64encode(bytes_of(request[0])[:-1]).decode()}],
            "one more frame": [*request, ""],
        }[change],
    )
    peer.send(other, *peer.recv(other))
    result = peer.result(pinging)
    assert (result["count"], result["wrong"]) == (2, 1)


def test_a_late_answer_is_felt_in_the_histogram_and_the_jitter(peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, other = pair(peer)
    pinging = peer.start("ping", socket=one, count=3, size=16)
    for late in (0.0, 0.3, 0.0):
        messages = peer.recv(other)
        time.sleep(late)
        peer.send(other, *messages)
    result = peer.result(pinging)
    trips = decode(result["hdr"])
    assert trips.get_max_value() * ROUNDING >= 300_000_000
    assert trips.get_min_value() < 300_000_000
    assert result["jitter_ns"] >= 100_000_000
    assert result["ns"] >= 300_000_000


def test_what_warms_up_is_not_counted(peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, other = pair(peer)
    pinging = peer.start("ping", socket=one, count=2, warmup=1, size=16)
    for late in (1.0, 0.0, 0.0):
        messages = peer.recv(other)
        time.sleep(late)
        peer.send(other, *messages)
    result = peer.result(pinging)
    assert decode(result["hdr"]).get_total_count() == 2
    assert result["ns"] < 1_000_000_000


# ping with a plan


def test_an_open_loop_waits_for_no_answer(peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, other = pair(peer)
    pinging = peer.start("ping", socket=one, count=20, size=64, rate=100)
    messages = peer.recv(other, 20)
    assert [bytes_of(message[0])[:8] for message in messages] == [n.to_bytes(8, "big") for n in range(20)]
    peer.send(other, *messages)
    result = peer.result(pinging)
    trips = decode(result["hdr"])
    assert (result["count"], result["wrong"], trips.get_total_count()) == (20, 0, 20)
    # No answer came before the last message had left, 190 ms after the first one was to
    assert result["ns"] >= 190_000_000
    assert trips.get_max_value() * ROUNDING >= 190_000_000
    assert trips.get_value_at_percentile(50) * ROUNDING >= 90_000_000


def test_an_open_loop_keeps_its_rate(peer: RawPeer) -> None:
    need(peer, "workloads", "echo", "ping")
    one, other = pair(peer)
    echoing = peer.start("echo", socket=other, count=46)
    result = peer.call("ping", socket=one, count=41, warmup=5, size=64, rate=200)
    assert peer.result(echoing) == {"echoed": 46}
    assert (result["count"], result["wrong"]) == (41, 0)
    assert 200_000_000 <= result["ns"] < 5_000_000_000


def test_an_open_loop_counts_from_when_a_message_should_have_left(peer: RawPeer) -> None:
    need(peer, "workloads", "echo", "ping")
    need(peer, "socket_types", "REQ", "REP")
    server, client = peer.joined("REP", "REQ")
    pinging = peer.start("ping", socket=client, count=10, size=16, rate=100)
    messages = peer.recv(server)
    time.sleep(0.4)
    peer.send(server, *messages)
    echoing = peer.start("echo", socket=server, count=9)
    result = peer.result(pinging)
    assert peer.result(echoing) == {"echoed": 9}
    # The last one was to leave after 90 ms, and could not within 400
    assert decode(result["hdr"]).get_min_value() * ROUNDING >= 300_000_000


@pytest.mark.parametrize(
    ("answers", "right"), [([0, 0], 1), ([0, 9], 1), ([1, 0], 2)], ids=["doubled", "of nobody", "in another order"]
)
def test_an_open_loop_tells_answers_by_their_numbers(answers: list[int], right: int, peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, other = pair(peer)
    pinging = peer.start("ping", socket=one, count=2, size=16, rate=1000)
    peer.recv(other, 2)
    peer.send(other, *([numbered(number)] for number in answers))
    result = peer.result(pinging)
    assert (result["count"], result["wrong"]) == (right, 2 - right)
    assert decode(result["hdr"]).get_total_count() == right


def test_an_open_loop_notices_other_bytes(peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, other = pair(peer)
    pinging = peer.start("ping", socket=one, count=2, size=17, rate=1000)
    peer.recv(other, 2)
    peer.send(other, [numbered(0, size=17)], [numbered(1, size=18)])
    assert peer.result(pinging)["wrong"] == 1


@pytest.mark.parametrize("kind", ["pair", "REQ"])
def test_an_open_loop_without_answers_runs_out(kind: str, peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one = pair(peer)[0] if kind == "pair" else peer.joined("REP", "REQ")[1]
    error = peer.refused("ping", socket=one, count=3, size=16, rate=1000, timeout=200)
    assert (error["data"]["name"], error["data"]["count"]) == ("timeout", 0)


def test_closing_its_socket_ends_an_open_loop(peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, _ = pair(peer)
    pinging = peer.start("ping", socket=one, count=3, size=16, rate=1)
    peer.call("stats")
    peer.close(one)
    assert peer.error(pinging)["data"]["name"] == "closed"


# echo


def test_an_echo_that_runs_out_tells_what_it_did(peer: RawPeer) -> None:
    need(peer, "workloads", "echo")
    one, other = pair(peer)
    echoing = peer.start("echo", socket=other, count=3, timeout=400)
    peer.send(one, ["a", "", "b"], ["c"])
    assert peer.recv(one, 2) == [["a", "", "b"], ["c"]]
    error = peer.error(echoing)
    assert (error["data"]["name"], error["data"]["echoed"]) == ("timeout", 2)


def test_a_ping_without_answer_runs_out(peer: RawPeer) -> None:
    need(peer, "workloads", "ping")
    one, _ = pair(peer)
    error = peer.refused("ping", socket=one, count=3, size=16, timeout=200)
    assert error["data"]["name"] == "timeout"
    assert error["data"]["count"] == 0
