"""Proofs of the latency checks: a delay in one direction breaks the budget, and a wrong answer is no latency."""

from __future__ import annotations

from typing import Final

from harness.model.verdicts import Verdict
from tests.interop import test_latency, test_open_loop, test_own_cost
from tests.proofs.tables.proof import FAULTY, Proof

_TCP: Final = f"{FAULTY}>pyzmq/right-binds"
_BROKEN: Final = "times the floor, and the budget is"
_WRONG: Final = "answers were not what had been sent"

PROOFS: Final = (
    Proof(
        "slow=200",
        test_latency.test_a_small_request_is_answered_within_its_budget,
        f"req-rep/tcp4/{_TCP}/round-trip-64",
        Verdict.FAIL,
        _BROKEN,
    ),
    Proof(
        "slow=300",
        test_latency.test_a_request_of_1_kib_is_answered_within_its_budget,
        f"req-rep/tcp4/{_TCP}/round-trip-1k",
        Verdict.FAIL,
        _BROKEN,
    ),
    Proof(
        "slow=1000",
        test_latency.test_a_request_of_64_kib_is_answered_within_its_budget,
        f"req-rep/tcp4/{_TCP}/round-trip-64k",
        Verdict.FAIL,
        _BROKEN,
    ),
    Proof(
        "slow=10000",
        test_latency.test_a_request_of_1_mib_is_answered_within_its_budget,
        f"req-rep/tcp4/{_TCP}/round-trip-1m",
        Verdict.FAIL,
        _BROKEN,
    ),
    Proof(
        "slow=200",
        test_latency.test_a_small_message_comes_back_within_its_budget,
        f"dealer-router/tcp4/{_TCP}/round-trip-64",
        Verdict.FAIL,
        _BROKEN,
    ),
    Proof(
        "slow=200",
        test_latency.test_a_small_message_within_one_process_comes_back_within_its_budget,
        f"pair-pair/inproc/{FAULTY}>{FAULTY}/right-binds/within-64",
        Verdict.FAIL,
        _BROKEN,
    ),
    Proof(
        "flip",
        test_latency.test_a_small_request_is_answered_rightly_on_cores_of_the_systems_choice,
        f"req-rep/tcp4/{_TCP}/unpinned-64",
        Verdict.FAIL,
        _WRONG,
    ),
    Proof(
        "lazy-clock",
        test_open_loop.test_an_open_loop_counts_from_the_planned_moment,
        f"req-rep/tcp4/{_TCP}/planned-time",
        Verdict.FAIL,
        "waited for",
    ),
    Proof(
        "flip",
        test_open_loop.test_messages_sent_by_plan_all_come_back,
        f"pair-pair/tcp4/{_TCP}/open-loop-64",
        Verdict.FAIL,
        _WRONG,
    ),
    Proof(
        "slow=1000",
        test_own_cost.test_a_peer_adds_little_to_a_round_trip,
        f"req-rep/tcp4/{_TCP}/own-cost",
        Verdict.FAIL,
        "times the closed loop in C",
    ),
)
