"""Section 7, `callers`: many clients, each with one request on its way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.histogram import ROUNDING, decode
from tests.contract.needs import need
from tests.contract.test_workloads import bytes_of, numbered
from tests.contract.wire import RawPeer

MANY = 500


def calling(peer: RawPeer, endpoint: str, **params: Any) -> int:
    """Start the workload, and return its request's id."""
    need(peer, "features", "callers")
    return peer.start("callers", **{"type": "DEALER", "endpoint": endpoint, "count": 1, "size": 16, **params})


@pytest.mark.parametrize("kind", ["REQ", "DEALER"])
@pytest.mark.parametrize("server", ["REP", "ROUTER"])
def test_every_client_gets_all_its_answers(server: str, kind: str, peer: RawPeer) -> None:
    need(peer, "features", "callers")
    echoing, endpoint = peer.bound(server)
    serving = peer.start("echo", socket=echoing, count=20 * 11)
    result = peer.result(calling(peer, endpoint, type=kind, clients=20, count=10, size=64))
    assert peer.result(serving) == {"echoed": 220}
    assert (result["answered"], result["errors"]) == (200, {})
    trips = decode(result["hdr"])
    assert trips.get_total_count() == 200
    assert 0 < trips.get_max_value() <= result["ns"] * ROUNDING
    peer.close(echoing)
    assert peer.open_now() == (0, 0)


def test_many_clients_are_served(peer: RawPeer) -> None:
    need(peer, "features", "callers")
    echoing, endpoint = peer.bound("ROUTER")
    serving = peer.start("echo", socket=echoing, count=MANY * 2)
    result = peer.result(calling(peer, endpoint, clients=MANY), 60)
    assert (result["answered"], result["errors"]) == (MANY, {})
    assert peer.result(serving) == {"echoed": MANY * 2}


def test_requests_say_whose_they_are(peer: RawPeer) -> None:
    need(peer, "features", "callers")
    router, endpoint = peer.bound("ROUTER")
    running = calling(peer, endpoint, clients=3, count=2, size=40)
    sources: dict[int, list[bytes]] = {}
    for _ in range(9):
        [message] = peer.recv(router)
        assert message[1] == ""
        data = bytes_of(message[2])
        sources.setdefault(data[15], []).append(data)
        peer.send(router, message)
    assert sources.keys() == {0, 1, 2}
    for source, requests in sources.items():
        assert requests == [bytes_of(numbered(sequence, source, 40)) for sequence in range(3)]
    assert peer.result(running)["answered"] == 6


def test_a_client_whose_answer_does_not_come_stops(peer: RawPeer) -> None:
    need(peer, "features", "callers")
    router, endpoint = peer.bound("ROUTER")
    running = calling(peer, endpoint, clients=4, count=5, timeout=400)
    for message in peer.recv(router, 4):  # all at the same time: no answer has left yet
        peer.send(router, message)
    messages = peer.recv(router, 4)
    peer.send(router, messages[0])
    [again] = peer.recv(router)
    assert again[0] == messages[0][0]
    result = peer.result(running)
    assert (result["answered"], result["errors"]) == (1, {"timeout": 4})


def test_clients_that_nobody_serves_say_so(peer: RawPeer) -> None:
    need(peer, "features", "callers")
    router, endpoint = peer.bound("ROUTER")
    peer.close(router)
    answer = peer.answer(calling(peer, endpoint, clients=3, timeout=300))
    if "error" in answer:  # a library may say so at once
        assert answer["error"]["data"]["name"] in ("timeout", "library")
    else:
        assert answer["result"]["answered"] == 0
        assert sum(answer["result"]["errors"].values()) == 3
    assert peer.open_now() == (0, 0)


def test_an_answer_that_is_not_the_request_stops_a_client(peer: RawPeer) -> None:
    need(peer, "features", "callers")
    router, endpoint = peer.bound("ROUTER")
    running = calling(peer, endpoint, clients=1, count=5)
    [message] = peer.recv(router)
    peer.send(router, message)
    [message] = peer.recv(router)
    peer.send(router, [*message[:2], numbered(0, 7)])
    result = peer.result(running)
    assert (result["answered"], result["errors"]) == (0, {"library": 1})
