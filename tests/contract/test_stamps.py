"""Section 5: messages that say when they left, and the histogram of how long they took."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.frames import b64
from tests.contract.histogram import ROUNDING, decode
from tests.contract.needs import need, pipeline
from tests.contract.test_workloads import bytes_of, numbered, tally
from tests.contract.wire import RawPeer

SECOND = 1_000_000_000


def stamped(sequence: int, moment: int) -> dict[str, str]:
    """Make a stamped message."""
    return b64(bytes_of(numbered(sequence)) + moment.to_bytes(8, "big"))


def stamps(peer: RawPeer, method: str, count: int, **params: Any) -> list[int]:
    """Send stamped messages, and return what was stamped on them."""
    need(peer, "workloads", method)
    pusher, puller = pipeline(peer)
    assert peer.call(method, socket=pusher, count=count, size=40, stamp=True, source=3, **params)["sent"] == count
    received = [bytes_of(message[0]) for message in peer.recv(puller, count)]
    assert [data[:16] + data[24:] for data in received] == [bytes_of(numbered(n, 3, 32)) for n in range(count)]
    return [int.from_bytes(data[16:24], "big") for data in received]


def test_a_flood_stamps_when_it_sends(peer: RawPeer) -> None:
    before = time.time_ns()
    found = stamps(peer, "flood", 5)
    assert found == sorted(found)
    assert before <= found[0]
    assert found[-1] <= time.time_ns()


def test_a_pace_stamps_when_its_plan_wanted_to_send(peer: RawPeer) -> None:
    before = time.time_ns()
    found = stamps(peer, "pace", 5, rate=50)
    assert before <= found[0] <= time.time_ns() - SECOND // 50 * 4
    planned = [found[0] + SECOND // 50 * number for number in range(5)]
    assert [abs(moment - plan) <= 1000 for moment, plan in zip(found, planned, strict=True)] == [True] * 5


def test_a_drain_tells_how_long_stamped_messages_took(peer: RawPeer) -> None:
    need(peer, "workloads", "flood", "drain")
    pusher, puller = pipeline(peer)
    draining = peer.start("drain", socket=puller, count=100, stamped=True, strip=1)
    peer.call("flood", socket=pusher, count=100, size=24, stamp=True, prefix=["topic"])
    drained = peer.result(draining)
    assert drained["sources"] == {"0": tally(100)}
    delays = decode(drained["delay"])
    assert delays.get_total_count() == 100
    assert delays.get_max_value() < 10 * SECOND


@pytest.mark.parametrize(
    ("ago", "low", "high"),
    [(5 * SECOND, 5 * SECOND, 20 * SECOND), (-60 * SECOND, 1, 1), (7200 * SECOND, 3600 * SECOND, 3605 * SECOND)],
    ids=["late", "before its time", "beyond the range"],
)
def test_a_delay_is_the_time_from_stamp_to_receipt(ago: int, low: int, high: int, peer: RawPeer) -> None:
    need(peer, "workloads", "drain")
    pusher, puller = pipeline(peer)
    peer.send(pusher, [stamped(0, time.time_ns() - ago)])
    delays = decode(peer.call("drain", socket=puller, count=1, stamped=True)["delay"])
    assert delays.get_total_count() == 1
    assert low <= delays.get_max_value() * ROUNDING
    assert delays.get_min_value() <= high


def test_a_drain_tells_no_delay_unless_asked(peer: RawPeer) -> None:
    need(peer, "workloads", "drain")
    pusher, puller = pipeline(peer)
    peer.send(pusher, [stamped(0, time.time_ns())])
    assert "delay" not in peer.call("drain", socket=puller, count=1)


def test_a_drain_that_runs_out_tells_the_delays_of_what_came(peer: RawPeer) -> None:
    need(peer, "workloads", "drain")
    pusher, puller = pipeline(peer)
    peer.send(pusher, [stamped(0, time.time_ns())])
    data = peer.refused("drain", socket=puller, count=2, stamped=True, timeout=300)["data"]
    assert (data["name"], decode(data["delay"]).get_total_count()) == ("timeout", 1)
