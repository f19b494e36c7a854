"""Section 5: the workloads count right, with each other inside one peer and with messages made by hand."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from tests.contract.needs import need, pipeline
from tests.contract.wire import RawPeer


def numbered(sequence: int, source: int = 0, size: int = 16) -> dict[str, str]:
    """Make the first frame of a counted message."""
    data = (sequence.to_bytes(8, "big") + source.to_bytes(8, "big")).ljust(size, b"\0")
    return {"base64": base64.b64encode(data).decode()}


def tally(received: int, missing: int = 0, doubled: int = 0, reordered: int = 0) -> dict[str, int]:
    return {"received": received, "missing": missing, "doubled": doubled, "reordered": reordered}


def bytes_of(frame: Any) -> bytes:
    return frame.encode() if isinstance(frame, str) else base64.b64decode(frame["base64"])


def lossless(peer: RawPeer) -> tuple[int, int]:
    """Return a PUSH and a PULL: PUSH waits rather than drops, so every message must come."""
    need(peer, "workloads", "flood", "drain")
    return pipeline(peer)


# flood and drain


@pytest.mark.parametrize("size", [16, 64, 70_000])
def test_a_flood_is_drained_to_the_last_message(size: int, peer: RawPeer) -> None:
    pusher, puller = lossless(peer)
    count = 3000 if size < 1000 else 200
    draining = peer.start("drain", socket=puller, count=count)
    flooding = peer.call("flood", socket=pusher, count=count, size=size)
    drained = peer.result(draining)
    assert (flooding["sent"], drained["received"]) == (count, count)
    assert drained["sources"] == {"0": tally(count)}
    assert flooding["ns"] > 0
    assert drained["ns"] > 0


def test_sources_are_counted_apart(peer: RawPeer) -> None:
    need(peer, "workloads", "flood", "drain")
    puller, endpoint = peer.bound("PULL")
    pushers = {source: peer.open("PUSH", connect=[endpoint]) for source in (1, 7, 2**40)}
    draining = peer.start("drain", socket=puller, count=600)
    floods = [
        peer.start("flood", socket=pusher, count=100 * number, size=32, source=source)
        for number, (source, pusher) in enumerate(pushers.items(), 1)
    ]
    assert [peer.result(flood)["sent"] for flood in floods] == [100, 200, 300]
    assert peer.result(draining)["sources"] == {"1": tally(100), "7": tally(200), str(2**40): tally(300)}


@pytest.mark.parametrize(("method", "more"), [("flood", {}), ("pace", {"rate": 5000})])
def test_a_counted_message_has_its_number_its_source_and_zeros(
    method: str, more: dict[str, Any], peer: RawPeer
) -> None:
    need(peer, "workloads", method)
    pusher, puller = pipeline(peer)
    assert peer.call(method, socket=pusher, count=3, size=40, source=258, prefix=["to", ""], **more)["sent"] == 3
    received = peer.recv(puller, 3)
    assert [message[:2] for message in received] == [["to", ""]] * 3
    assert [bytes_of(message[2]) for message in received] == [bytes_of(numbered(n, 258, 40)) for n in range(3)]
    assert [len(message) for message in received] == [3, 3, 3]


def test_a_drain_ignores_what_it_is_told_to_strip(peer: RawPeer) -> None:
    pusher, puller = lossless(peer)
    draining = peer.start("drain", socket=puller, count=50, strip=2)
    peer.call("flood", socket=pusher, count=50, size=16, source=3, prefix=["topic", {"size": 3000, "seed": 1}])
    assert peer.result(draining)["sources"] == {"3": tally(50)}


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ([0, 1, 2], tally(3)),
        ([2], tally(1, missing=2)),
        ([0, 1, 3, 5], tally(4, missing=2)),
        ([0, 1, 1, 2], tally(4, doubled=1)),
        ([0, 0, 0], tally(3, doubled=2)),
        ([1, 0, 2], tally(3, reordered=1)),
        ([3, 2, 1, 0], tally(4, reordered=3)),
        ([0, 1, 1, 3, 2, 5], tally(6, missing=1, doubled=1, reordered=1)),
    ],
    ids=str,
)
def test_a_drain_counts_what_is_missing_doubled_and_reordered(
    sequence: list[int], expected: dict[str, int], peer: RawPeer
) -> None:
    need(peer, "workloads", "drain")
    pusher, puller = pipeline(peer)
    peer.send(pusher, *([numbered(number, 5)] for number in sequence))
    assert peer.call("drain", socket=puller, count=len(sequence))["sources"] == {"5": expected}


def test_a_drain_that_runs_out_tells_what_came(peer: RawPeer) -> None:
    need(peer, "workloads", "drain")
    pusher, puller = pipeline(peer)
    peer.send(pusher, [numbered(0)], [numbered(2)])
    started = time.perf_counter()
    error = peer.refused("drain", socket=puller, count=3, timeout=300)
    assert time.perf_counter() - started >= 0.3
    assert error["data"]["name"] == "timeout"
    assert (error["data"]["received"], error["data"]["sources"]) == (2, {"0": tally(2, missing=1)})


def test_a_flood_that_nobody_takes_runs_out_and_tells_what_went(peer: RawPeer) -> None:
    need(peer, "workloads", "flood")
    pusher, _ = peer.bound("PUSH")
    error = peer.refused("flood", socket=pusher, count=10, size=16, timeout=200)
    assert (error["data"]["name"], error["data"]["sent"]) == ("timeout", 0)


# pace


def test_a_pace_is_kept(peer: RawPeer) -> None:
    need(peer, "workloads", "pace", "drain")
    pusher, puller = pipeline(peer)
    draining = peer.start("drain", socket=puller, count=41)
    paced = peer.call("pace", socket=pusher, count=41, size=16, rate=200)
    assert paced["sent"] == 41
    assert paced["ns"] >= 200_000_000  # message 40 leaves at 40/200 s, never before
    assert 0 <= paced["late_ns"] <= paced["ns"]
    assert peer.result(draining)["sources"] == {"0": tally(41)}


def test_a_pace_that_runs_out_tells_what_went(peer: RawPeer) -> None:
    need(peer, "workloads", "pace")
    pusher, _ = pipeline(peer)
    error = peer.refused("pace", socket=pusher, count=1000, size=16, rate=2, timeout=300)
    assert (error["data"]["name"], error["data"]["sent"]) == ("timeout", 1)


# proxy


def test_a_proxy_passes_messages_both_ways_until_it_is_closed(peer: RawPeer) -> None:
    need(peer, "workloads", "proxy")
    need(peer, "socket_types", "REQ", "REP", "ROUTER", "DEALER")
    frontend, front = peer.bound("ROUTER")
    backend, back = peer.bound("DEALER")
    client = peer.open("REQ", connect=[front])
    server = peer.open("REP", connect=[back])
    passing = peer.start("proxy", socket=frontend, backend=backend)
    for number in range(5):
        peer.send(client, ["question", str(number)])
        assert peer.recv(server) == [["question", str(number)]]
        peer.send(server, ["answer", str(number)])
        assert peer.recv(client) == [["answer", str(number)]]
    peer.close(frontend)
    assert peer.result(passing) == {"forward": 5, "backward": 5}


def test_a_proxy_ends_when_its_backend_is_closed(peer: RawPeer) -> None:
    need(peer, "workloads", "proxy")
    need(peer, "socket_types", "PUSH", "PULL")
    frontend, front = peer.bound("PULL")
    backend, back = peer.bound("PUSH")
    pusher, puller = peer.open("PUSH", connect=[front]), peer.open("PULL", connect=[back])
    passing = peer.start("proxy", socket=frontend, backend=backend)
    peer.send(pusher, *([str(number)] for number in range(100)))
    assert peer.recv(puller, 100) == [[str(number)] for number in range(100)]
    peer.close(backend)
    assert peer.result(passing) == {"forward": 100, "backward": 0}


def test_a_proxy_that_runs_out_tells_what_it_passed(peer: RawPeer) -> None:
    need(peer, "workloads", "proxy")
    (frontend, _), (backend, _) = peer.bound("PULL"), peer.bound("PUSH")
    error = peer.refused("proxy", socket=frontend, backend=backend, timeout=200)
    assert error["data"]["name"] == "timeout"
    assert (error["data"]["forward"], error["data"]["backward"]) == (0, 0)


# All of them.

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "echo": ("PAIR", {"count": 1}),
    "flood": ("PUSH", {"count": 1, "size": 16}),
    "pace": ("PUSH", {"count": 1, "size": 16, "rate": 1000}),
    "drain": ("PULL", {"count": 1}),
    "ping": ("PAIR", {"count": 1, "size": 16}),
}


@pytest.mark.parametrize("method", CALLS)
def test_closing_its_socket_ends_a_workload(method: str, peer: RawPeer) -> None:
    need(peer, "workloads", method)
    kind, params = CALLS[method]
    socket, _ = peer.bound(kind)
    running = peer.start(method, socket=socket, **params)
    assert peer.call("stats")["sockets"] == 1
    peer.close(socket)
    assert peer.error(running)["data"]["name"] == "closed"


def test_a_workload_holds_up_no_other_socket(peer: RawPeer) -> None:
    need(peer, "workloads", "drain")
    _, busy = pipeline(peer)
    pusher, puller = pipeline(peer)
    draining = peer.start("drain", socket=busy, count=10)
    peer.send(pusher, ["elsewhere"])
    assert peer.recv(puller) == [["elsewhere"]]
    peer.close(busy)
    assert peer.error(draining)["data"]["name"] == "closed"


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "echo without count": ("echo", {"count": None}),
    "echo of a text": ("echo", {"count": "1"}),
    "echo with timeout -1": ("echo", {"timeout": -1}),
    "flood of 15 bytes": ("flood", {"size": 15}),
    "flood without size": ("flood", {"size": None}),
    "flood of true bytes": ("flood", {"size": True}),
    "flood from -1": ("flood", {"source": -1}),
    "flood behind a text": ("flood", {"prefix": "topic"}),
    "flood behind a bad frame": ("flood", {"prefix": [{"base64": "#"}]}),
    "flood with rate": ("flood", {"rate": 1}),
    "pace without rate": ("pace", {"rate": None}),
    "pace of rate 0": ("pace", {"rate": 0}),
    "pace of rate -1": ("pace", {"rate": -1}),
    "drain with strip -1": ("drain", {"strip": -1}),
    "drain with more": ("drain", {"made_up": 1}),
    "ping of 15 bytes": ("ping", {"size": 15}),
    "ping with warmup -1": ("ping", {"warmup": -1}),
    "ping of rate 0": ("ping", {"rate": 0}),
    "ping with a stamp": ("ping", {"stamp": True}),
    "flood of a stamp in 23 bytes": ("flood", {"size": 23, "stamp": True}),
    "pace of a stamp in 23 bytes": ("pace", {"size": 23, "stamp": True}),
    "flood with stamp 1": ("flood", {"stamp": 1}),
    "drain with stamped 1": ("drain", {"stamped": 1}),
    "echo of a size": ("echo", {"size": 16}),
}


@pytest.mark.parametrize(("method", "more"), BAD.values(), ids=list(BAD))
def test_a_workload_refuses_bad_parameters(method: str, more: dict[str, Any], peer: RawPeer) -> None:
    need(peer, "workloads", method)
    kind, params = CALLS[method]
    given = {key: value for key, value in {**params, **more}.items() if value is not None}
    error = peer.refused(method, socket=peer.bound(kind)[0], **given)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")


@pytest.mark.parametrize("backend", [None, 10**9, "1", True])
def test_a_proxy_needs_a_backend(backend: Any, peer: RawPeer) -> None:
    need(peer, "workloads", "proxy")
    more = {} if backend is None else {"backend": backend}
    error = peer.refused("proxy", socket=peer.bound("PULL")[0], **more)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")
