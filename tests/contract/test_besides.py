"""Section 7: `abandon`, `tune`, `beside` and `runtime`."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.contract.needs import need
from tests.contract.wire import RawPeer

Start = Callable[[], RawPeer]

# abandon


@pytest.fixture
def own(start: Start) -> RawPeer:
    """A peer of one's own: what an abandoned socket leaves behind is the library's affair."""
    peer = start()
    need(peer, "features", "abandon")
    return peer


def test_an_abandoned_socket_is_as_good_as_closed(own: RawPeer) -> None:
    socket, endpoint = own.bound("PULL")
    other, _ = own.bound("PULL")
    assert own.call("stats")["sockets"] == 2
    assert own.call("abandon", socket=socket) == {}
    assert own.call("stats")["sockets"] == 1
    for method, params in {"recv": {}, "connect": {"endpoint": endpoint}, "close": {}, "abandon": {}}.items():
        assert own.refused(method, socket=socket, **params)["data"]["name"] == "closed", method
    own.close(other)


def test_a_call_that_waits_on_an_abandoned_socket_ends(own: RawPeer) -> None:
    socket, _ = own.bound("PULL")
    waiting = [own.start("recv", socket=socket, timeout=60_000), own.start("recv", socket=socket)]
    own.call("stats", collect=True)
    own.call("abandon", socket=socket)
    assert {own.error(number)["data"]["name"] for number in waiting} == {"closed"}


def test_a_peer_ends_with_abandoned_sockets(own: RawPeer) -> None:
    for _ in range(3):
        own.call("abandon", socket=own.bound("PULL")[0])
    own.hang_up()
    assert own.ended() == 0


# tune


def test_a_context_has_as_many_threads_as_it_is_tuned_to(peer: RawPeer) -> None:
    need(peer, "features", "tune")
    counts = []
    for threads in (1, 4):
        assert peer.call("tune", context="tuned", options={"IO_THREADS": threads}) == {}
        socket = peer.open("PULL", context="tuned")
        counts.append(peer.call("stats").get("threads", threads))
        peer.close(socket)
        assert peer.open_now() == (0, 0)
    assert counts[1] - counts[0] >= 3


def test_a_context_has_as_many_sockets_as_it_is_tuned_to(peer: RawPeer) -> None:
    need(peer, "features", "tune")
    assert peer.call("tune", context="tuned", options={"MAX_SOCKETS": 5}) == {}
    sockets = [peer.open("PULL", context="tuned") for _ in range(3)]
    error = [peer.answer(peer.start("open", type="PULL", context="tuned")) for _ in range(5)][-1]["error"]
    assert error["data"]["name"] == "library"
    peer.close(*sockets)


def test_a_context_with_sockets_is_not_tuned(peer: RawPeer) -> None:
    need(peer, "features", "tune")
    peer.open("PULL", context="tuned")
    assert peer.refused("tune", context="tuned", options={"IO_THREADS": 2})["data"]["name"] == "state"


def test_a_context_option_that_there_is_not_is_unsupported(peer: RawPeer) -> None:
    need(peer, "features", "tune")
    assert peer.refused("tune", context="tuned", options={"MADE_UP": 1})["data"]["name"] == "unsupported"


# beside


@pytest.mark.parametrize("how", ["spin", "allocate", "reuse"])
def test_work_beside_the_sockets_takes_its_time_and_counts(how: str, peer: RawPeer) -> None:
    need(peer, "features", "beside")
    started = time.perf_counter()
    assert peer.call("beside", how=how, threads=2, ms=100, bytes=1000)["rounds"] > 1
    assert time.perf_counter() - started >= 0.1


def test_work_beside_the_sockets_holds_up_no_call(peer: RawPeer) -> None:
    need(peer, "features", "beside")
    working = peer.start("beside", how="spin", threads=1, ms=1000)
    started = time.perf_counter()
    peer.call("stats")
    assert time.perf_counter() - started < 0.9
    assert peer.result(working)["rounds"] > 1


# runtime


def test_a_runtime_tells_of_its_collections(peer: RawPeer) -> None:
    need(peer, "features", "runtime")
    before = peer.call("runtime")
    peer.call("stats", collect=True)
    after = peer.call("runtime")
    assert after["gc_cycles"] > before["gc_cycles"]
    for name in ("gc_pause_ns", "sched_ns"):
        assert after[name]["p50"] <= after[name]["p99"] <= after[name]["max"]
        assert after[name]["max"] > 0
