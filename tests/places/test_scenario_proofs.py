"""Every scenario of failing networks can fail: with a peer, and with a place, that has a fault planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from harness import judge
from harness.errors import Unsupported
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.places import lan
from harness.places.netns import NetnsPlace
from tests.places import test_fault_scenarios as scenarios
from tests.proofs.test_faults import faulty_pool

Check = Callable[..., None]

BY_PEERS: tuple[tuple[str, Check, str, str], ...] = (
    (
        "double",
        scenarios.test_what_was_queued_while_the_network_was_cut_comes_when_it_heals,
        "push-pull/tcp4/faulty>pyzmq/right-binds/parted-3s",
        "came twice",
    ),
    (
        "double",
        scenarios.test_a_network_that_is_cut_one_way_holds_that_way_back_and_doubles_nothing_on_the_other,
        "dealer-router/tcp4/faulty>pyzmq/right-binds/cut-one-way",
        "came twice",
    ),
    (
        "drop",
        scenarios.test_a_network_that_loses_a_packet_in_a_hundred_loses_no_message,
        "push-pull/tcp4/faulty>pyzmq/right-binds/loss-1",
        "",
    ),
    (
        "double",
        scenarios.test_a_network_that_loses_a_packet_in_ten_loses_no_message,
        "push-pull/tcp4/faulty>pyzmq/right-binds/loss-10",
        "came twice",
    ),
    (
        "alarm",
        scenarios.test_a_slow_network_does_not_stop_a_heart,
        "push-pull/tcp4/faulty>pyzmq/left-binds/delay-200ms",
        "",
    ),
    (
        "ignore-option=HEARTBEAT_IVL",
        scenarios.test_a_heart_that_stops_with_its_host_is_noticed_in_time,
        "push-pull/tcp4/faulty>pyzmq/left-binds/vanished",
        "no event DISCONNECTED",
    ),
    (
        "lose-on-restart",
        scenarios.test_a_flow_runs_again_when_a_host_that_vanished_without_a_word_is_back,
        "push-pull/tcp4/faulty>pyzmq/right-binds/vanished-and-back",
        "messages came within",
    ),
    (
        "cling",
        scenarios.test_a_flow_runs_again_when_its_listener_is_back_under_another_address,
        "push-pull/tcp4/faulty>pyzmq/right-binds/moved",
        "",
    ),
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait seconds for what will never come, not minutes; only where there are namespaces."""
    try:
        lan.need()
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    monkeypatch.setattr(scenarios, "PATIENCE", 12.0)


def judged(check: Check, cell: str, fault: str = "drop") -> judge.Outcome:
    with faulty_pool(fault) as pool:
        pool.patience = 1.5
        return judge.attempt(Cell.parse(f"{cell}@netns>netns"), pool, check, {})


@pytest.mark.parametrize(
    ("fault", "check", "cell", "says"),
    BY_PEERS,
    ids=lambda value: value if isinstance(value, str) and "/" not in value else "",
)
def test_a_scenario_catches_a_faulty_peer(fault: str, check: Check, cell: str, says: str) -> None:
    outcome = judged(check, cell, fault)
    assert outcome.verdict is Verdict.FAIL, outcome.reason
    assert says in outcome.reason


PARTED = "push-pull/tcp4/pyzmq>pyzmq/right-binds/parted-3s"


def test_a_cut_that_does_not_cut_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: NetnsPlace, direction: Literal["both", "in", "out"] = "both") -> None:
        return None

    monkeypatch.setattr(NetnsPlace, "cut", nothing)
    outcome = judged(scenarios.test_what_was_queued_while_the_network_was_cut_comes_when_it_heals, PARTED)
    assert outcome.verdict is Verdict.FAIL
    assert "came through a network that was cut" in outcome.reason


def test_a_loss_that_loses_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: NetnsPlace, percent: int) -> None:
        return None

    monkeypatch.setattr(NetnsPlace, "lose", nothing)
    outcome = judged(
        scenarios.test_a_network_that_loses_a_packet_in_ten_loses_no_message,
        "push-pull/tcp4/pyzmq>pyzmq/right-binds/loss-10",
    )
    assert outcome.verdict is Verdict.FAIL
    assert "no packet was lost" in outcome.reason


def test_a_network_that_does_not_heal_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(NetnsPlace, "heal", lambda self: None)
        outcome = judged(scenarios.test_what_was_queued_while_the_network_was_cut_comes_when_it_heals, PARTED)
    assert outcome.verdict is Verdict.FAIL
    assert "lost although no connection ended" in outcome.reason
