"""A peer whose wall clock jumps keeps its timeouts and its heartbeats, and talks on: they live by the other clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

import pytest

from harness import judge
from harness.errors import CallFailed, Inconclusive, Unsupported
from harness.judge import Crowd
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.peers.sockets import Link, Peer, RemoteSocket
from harness.places import clock
from harness.places.clock import ClockPlace
from harness.places.local import thread_states
from harness.places.switching import switches
from harness.plugin import ROOT
from tests.interop.recovery import wait_for
from tests.places.test_fault_scenarios import BEATS
from tests.proofs.test_faults import faulty_pool
from tests.unit.tiny import running
from tests.waiting import within

JUMPS = (3_600, -7_200)
"""Seconds that the wall clock is off, one after the other: an hour ahead, and then three hours back."""

TIMEOUT_MS = 600
LATE_MS = 3_000.0
"""By how much a timeout may be late on a busy machine; a clock that jumps by hours would move it further."""

EARLY_MS = 20.0
"""By how much a timeout may be early: it is rounded, and our own clock starts before it does."""

WATCHED_MS = 2_000.0
"""How long no heart may stop after a jump: longer than the heartbeats' timeout."""

SOON = 30.0
"""Seconds that a program of a few lines may take."""

PAIRS = "pyzmq>pebbe|pyzmq-asyncio>pyzmq|pebbe>pyzmq|go-zeromq>pyzmq"


@contextmanager
def own_clock() -> Iterator[ClockPlace]:
    """Yield a place with a clock of its own, for one cell."""
    place = ClockPlace()
    try:
        yield place
    finally:
        place.close()


def jump(place: ClockPlace, seconds: int) -> None:
    """Set the clock, and see that a program there reads it."""
    place.shift(seconds)
    wall, _ = place.reads()
    assert abs(wall - seconds) <= 5, f"the clock was to be off by {seconds} s, and is by {wall} s: nothing is shown"


def asleep(pid: int) -> bool:
    """Whether every thread of a process waits for something, and has done so for as long as it takes to see that."""
    before = switches([pid])
    return thread_states(pid) == {"S"} and switches([pid]) == before


def timed_out(receiver: RemoteSocket, place: ClockPlace, seconds: int) -> float:
    """Let the clock jump while a receive waits for nothing; return how many ms that took to time out."""
    peer = receiver.peer.client
    began = perf_counter()
    waiting = receiver.recv_later(timeout=TIMEOUT_MS)
    peer.call("stats")  # it has read what it was asked before, and once it sleeps, it waits for what will not come
    if not within(TIMEOUT_MS / 1200, lambda: asleep(peer.pid)):
        raise Inconclusive(f"in {TIMEOUT_MS} ms the peer hardly came to wait: this machine is too busy")
    place.shift(seconds)
    with pytest.raises(CallFailed, match="timeout"):
        waiting.messages()
    return 1000 * (perf_counter() - began)


@pytest.mark.scenario("clock-jumps", "dealer-dealer", pairs=PAIRS, binds=("right-binds",))
def test_a_wall_clock_that_jumps_moves_no_timeout_and_stops_no_heart(
    peers: Crowd, right: Peer, link: Link, cell: Cell, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3) gives timeouts as so many milliseconds from now; no clock on a wall has a say in them.
    if cell.places:
        raise Unsupported("a clock of its own is for a peer on this machine: name no places")
    with own_clock() as place:
        left = peers.fresh("left", place)
        assert "libfaketime" in Path(f"/proc/{left.client.pid}/maps").read_text("utf-8", "replace")
        left.need("options", *BEATS)
        left.need("features", "monitor")
        listener = right.socket("DEALER", bind=link.transport.wildcard)
        client = left.socket("DEALER", options=BEATS)
        client.monitor()
        client.connect(listener.endpoint)
        for seconds in JUMPS:
            client.send(f"before {seconds}")
            assert listener.recv() == [f"before {seconds}"]
            took = timed_out(client, place, seconds)
            figures[f"timeout_ms_at_{seconds}_s"] = round(took, 1)
            assert TIMEOUT_MS - EARLY_MS < took < TIMEOUT_MS + LATE_MS, f"600 ms became {took:.0f}: at {seconds} s"
            jump(place, seconds)
            with pytest.raises(AssertionError, match="no event DISCONNECTED"):
                wait_for(client, "DISCONNECTED", WATCHED_MS)
            listener.send(f"after {seconds}")
            assert client.recv() == [f"after {seconds}"]


CELL = Cell.parse("dealer-dealer/tcp4/pyzmq-asyncio>pyzmq/right-binds/clock-jumps")
"""asyncio asks its clock again after each wait; who leaves that to the kernel alone does not notice either clock."""


def judged() -> judge.Outcome:
    with faulty_pool("drop") as pool:
        return judge.attempt(CELL, pool, test_a_wall_clock_that_jumps_moves_no_timeout_and_stops_no_heart, {})


@pytest.fixture
def _with_a_library() -> None:
    try:
        clock.library()
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")


@pytest.mark.usefixtures("_with_a_library")
def test_timeouts_that_follow_the_wall_clock_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ClockPlace.__init__
    monkeypatch.setattr(ClockPlace, "__init__", lambda self: real(self, monotonic=True))
    outcome = judged()
    assert outcome.verdict in (Verdict.FAIL, Verdict.HANG), outcome.reason
    late = ("600 ms became", "did not", "DISCONNECTED", "no answer to recv")
    assert any(words in outcome.reason for words in late), outcome.reason


@pytest.mark.usefixtures("_with_a_library")
def test_a_clock_that_does_not_jump_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with suppress(OSError), monkeypatch.context() as patch:
        real = ClockPlace.shift
        patch.setattr(ClockPlace, "shift", lambda self, seconds: real(self, 0))
        outcome = judged()
    assert outcome.verdict is Verdict.FAIL
    assert "nothing is shown" in outcome.reason


STAYS = f"""
import sys, threading
sys.path.append({str(ROOT / "peers" / "python")!r})
from interop_peer.machine import join
stays = threading.Thread(target=threading.Event().wait, daemon=True)
stays.start()
join(stays, 0.05)
"""
"""libfaketime refuses time.sleep, so that a peer which sleeps until its thread has gone would fail now and then."""


@pytest.mark.usefixtures("_with_a_library")
def test_a_python_peer_may_wait_for_a_thread_under_such_a_clock(tmp_path: Path) -> None:
    with own_clock() as place, running(tmp_path, STAYS, place) as process:
        assert process.wait(SOON) == 0, process.stderr.read().decode()
