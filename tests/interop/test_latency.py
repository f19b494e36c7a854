"""Latency: a round trip takes no more than its budget, as a multiple of floors measured in the same minute.

Lock-step only; both ends are pinned to one core, because nothing else is stable on small machines. The floors are a
plain socket between the same two processes, and the same pattern between two processes of pyzmq.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import pytest

from harness.errors import Inconclusive, Unsupported
from harness.host.affinity import pinned
from harness.judge import Crowd
from harness.measure import budgets as budgeting
from harness.measure import latency
from harness.measure.budgets import LIBRARY, RAW, SUBJECT, Budget
from harness.model.figures import Figures
from harness.model.matrix import Cell
from harness.model.patterns import Pattern
from harness.model.verdicts import Verdict
from harness.peers.sockets import Link

BLOCKS = 15
SIZES = {"64": 64, "1k": 1024, "64k": 65536, "1m": 1 << 20}
COUNTS = {"64": 200, "1k": 200, "64k": 100, "1m": 20}
REFERENCE = "pyzmq"
ROUNDS = 3
"""Times that a cell is measured anew before it is called inconclusive: a neighbour on the machine wakes up and goes."""


def within_budget(
    cell: Cell,
    pattern: Pattern,
    link: Link,
    peers: Crowd,
    budgets: Sequence[Budget],
    figures: Figures,
    *,
    pin: bool = True,
) -> None:
    """Measure a cell and its floors, file the figures, and hold them against the budgets that name the cell."""
    size, count = (table[cell.what.rpartition("-")[2]] for table in (SIZES, COUNTS))
    left = peers.fresh("left")
    right = left if link.transport.one_peer else peers.fresh("right")
    rigs = {SUBJECT: latency.subject(left, right, link, pattern)}
    if not link.transport.one_peer and left.can("socket_types", "RAW") and right.can("socket_types", "RAW"):
        rigs[RAW] = latency.raw(left, right, link, size)
    one = peers.other(REFERENCE)
    other = one if one is None or link.transport.one_peer else peers.other(REFERENCE)
    if one is not None and other is not None:
        rigs[LIBRARY] = latency.subject(one, other, link, pattern)
    if len(rigs) == 1:
        raise Unsupported("no floor: neither RAW on both sides, nor pyzmq in this run")
    everybody = {rig.pings.peer.client.pid for rig in rigs.values()} | {
        rig.echoes.peer.client.pid for rig in rigs.values()
    }
    with pinned(sorted(everybody)) if pin else nullcontext():
        for _ in range(ROUNDS):
            rows = latency.interleaved(rigs, BLOCKS, count, size)
            held = [found for budget in budgeting.of(budgets, cell) for found in budgeting.hold(budget, rows)]
            told = {verdict for verdict, _ in held}
            if Verdict.FAIL in told or Verdict.INCONCLUSIVE not in told:
                break
    budgeting.file(rows, figures)
    assert not (broken := [why for verdict, why in held if verdict is Verdict.FAIL]), "; ".join(broken)
    if unsure := [why for verdict, why in held if verdict is Verdict.INCONCLUSIVE]:
        raise Inconclusive("; ".join(unsure))


@pytest.mark.measured
@pytest.mark.scenario("round-trip-64", "req-rep", transports=("tcp4", "ipc"), binds=("right-binds",))
def test_a_small_request_is_answered_within_its_budget(
    cell: Cell, pattern: Pattern, link: Link, peers: Crowd, budgets: Sequence[Budget], figures: Figures
) -> None:
    # A release must not get slower: the user's own promise, kept in tests/budgets.toml.
    within_budget(cell, pattern, link, peers, budgets, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("round-trip-1k", "req-rep", transports=("tcp4", "ipc"), binds=("right-binds",))
def test_a_request_of_1_kib_is_answered_within_its_budget(
    cell: Cell, pattern: Pattern, link: Link, peers: Crowd, budgets: Sequence[Budget], figures: Figures
) -> None:
    within_budget(cell, pattern, link, peers, budgets, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("round-trip-64k", "req-rep", transports=("tcp4", "ipc"), binds=("right-binds",))
def test_a_request_of_64_kib_is_answered_within_its_budget(
    cell: Cell, pattern: Pattern, link: Link, peers: Crowd, budgets: Sequence[Budget], figures: Figures
) -> None:
    within_budget(cell, pattern, link, peers, budgets, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("round-trip-1m", "req-rep", transports=("tcp4", "ipc"), binds=("right-binds",))
def test_a_request_of_1_mib_is_answered_within_its_budget(
    cell: Cell, pattern: Pattern, link: Link, peers: Crowd, budgets: Sequence[Budget], figures: Figures
) -> None:
    within_budget(cell, pattern, link, peers, budgets, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("round-trip-64", "dealer-router", "pair-pair", binds=("right-binds",))
def test_a_small_message_comes_back_within_its_budget(
    cell: Cell, pattern: Pattern, link: Link, peers: Crowd, budgets: Sequence[Budget], figures: Figures
) -> None:
    within_budget(cell, pattern, link, peers, budgets, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("within-64", "req-rep", "pair-pair", transports=("inproc",), binds=("right-binds",))
def test_a_small_message_within_one_process_comes_back_within_its_budget(
    cell: Cell, pattern: Pattern, link: Link, peers: Crowd, budgets: Sequence[Budget], figures: Figures
) -> None:
    within_budget(cell, pattern, link, peers, budgets, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("unpinned-64", "req-rep", binds=("right-binds",))
def test_a_small_request_is_answered_rightly_on_cores_of_the_systems_choice(
    cell: Cell, pattern: Pattern, link: Link, peers: Crowd, figures: Figures
) -> None:
    # Shown, not judged: without pinning the same machine gives other figures from run to run.
    within_budget(cell, pattern, link, peers, (), figures, pin=False)
