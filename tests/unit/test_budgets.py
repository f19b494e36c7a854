"""Budgets as data: what the file may say, and how a measurement is held against it."""

from __future__ import annotations

import pytest

from harness.errors import ContractBreach
from harness.measure import budgets, histogram
from harness.measure.budgets import LIBRARY, RAW, SUBJECT
from harness.measure.histogram import Latency
from harness.model.figures import Figures
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from tests.unit.helpers import encoded

CELL = Cell.parse("req-rep/tcp4/go-zeromq>pyzmq/right-binds/round-trip-64")
ENTRY = {
    "name": '"small"',
    "cells": '["req-rep/tcp4/go-zeromq>*/*/round-trip-64"]',
    "floor": '"raw"',
    "reason": '"measured"',
    "p50": "4",
}


def text(**changed: str) -> str:
    entry = {key: value for key, value in {**ENTRY, **changed}.items() if value}
    return "[[budget]]\n" + "".join(f"{key} = {value}\n" for key, value in entry.items())


def block(*times_us: float) -> Latency:
    return histogram.latency(
        {"count": len(times_us), "wrong": 0, "jitter_ns": 500, "ns": 1000 * sum(times_us), "hdr": encoded(*times_us)}
    )


def rows(subject: float, raw: float = 10.0, blocks: int = 7) -> dict[str, list[Latency]]:
    return {SUBJECT: [block(subject)] * blocks, RAW: [block(raw)] * blocks}


def test_a_budget_names_cells_a_floor_and_bounds() -> None:
    (found,) = budgets.parse(text(p99_us="500"), "b.toml")
    assert (found.name, found.floor, found.p50, found.p99, found.p99_us) == ("small", "raw", 4.0, None, 500.0)
    assert budgets.of([found], CELL) == [found]
    assert budgets.of([found], CELL.control("pyzmq")) == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[[budget", "b.toml: not TOML: "),
        ("x = 1", "b.toml: unknown key 'x'; the file holds [[budget]] tables only"),
        ("budget = 3", "b.toml: 'budget' must be an array of tables"),
        (text(name=""), "b.toml: budget 1 (without a name): key 'name' must be a text"),
        (text(reason='" "'), "b.toml: budget 1 (small): key 'reason' must be a text"),
        (text(p75="3"), "b.toml: budget 1 (small): unknown key 'p75'; known are name, cells, floor"),
        (text(cells='["req-rep"]'), "key 'cells': 'req-rep' must have five parts"),
        (text(cells="[]"), "key 'cells' must be a list of at least one pattern"),
        (text(floor='"wire"'), "key 'floor' must be 'raw' or 'library'"),
        (text(p50='"4"'), "key 'p50' must be a number above 0"),
        (text(p50="-1"), "key 'p50' must be a number above 0"),
        (text(p50="inf"), "key 'p50' must be a number above 0"),
        (text(p50="true"), "key 'p50' must be a number above 0"),
        (text(p50=""), "a budget needs at least one of p50, p99, p50_us, p99_us"),
        (text() + text(), "b.toml: budget 2 (small): key 'name': there is another budget of this name"),
    ],
)
def test_a_bad_entry_is_refused_with_file_entry_key_and_reason(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^b\.toml: ") as refused:
        budgets.parse(written, "b.toml")
    assert said in str(refused.value)


def test_a_subject_below_its_multiple_of_the_floor_keeps_the_budget() -> None:
    (budget,) = budgets.parse(text(), "b.toml")
    assert [verdict for verdict, _ in budgets.hold(budget, rows(39))] == [Verdict.PASS]
    ((verdict, why),) = budgets.hold(budget, rows(41))
    assert verdict is Verdict.FAIL
    assert "small: p50 against raw: 4.1" in why


def test_a_ceiling_is_in_microseconds_and_needs_no_floor() -> None:
    (budget,) = budgets.parse(text(p50="", p50_us="40"), "b.toml")
    assert [verdict for verdict, _ in budgets.hold(budget, rows(39))] == [Verdict.PASS]
    assert [verdict for verdict, _ in budgets.hold(budget, rows(41))] == [Verdict.FAIL]


def test_a_floor_that_was_not_measured_is_no_pass() -> None:
    (budget,) = budgets.parse(text(floor='"library"'), "b.toml")
    ((verdict, why),) = budgets.hold(budget, rows(1))
    assert verdict is Verdict.INCONCLUSIVE
    assert LIBRARY in why


def test_the_figures_are_ratios_with_their_intervals_and_times() -> None:
    figures = Figures()
    budgets.file(rows(40), figures)
    assert figures["p50 ×raw"] == figures["p50 ×raw low"] == pytest.approx(4.0, rel=0.01)
    assert figures["subject p99.9 µs"] == pytest.approx(40, rel=0.01)
    assert figures["raw max µs"] == pytest.approx(10, rel=0.01)
    assert figures["subject jitter µs"] == 0.5


def test_each_rows_histogram_is_filed_whole() -> None:
    figures = Figures()
    budgets.file({SUBJECT: [block(40, 50)] * 7, RAW: [block(10)] * 7}, figures)
    assert histogram.decode(figures.histograms[SUBJECT]).get_total_count() == 14
    assert histogram.decode(figures.histograms[RAW]).get_max_value() == pytest.approx(10_000, rel=0.001)


def test_the_slowest_of_a_thousand_stands_at_three_nines() -> None:
    points = histogram.curve(encoded(*[10.0] * 500, *[20.0] * 400, *[50.0] * 99, 900.0))
    assert [round(at, 2) for at, _ in points[:4]] == [0.0, 0.3, 1.0, 3.0]
    assert [value for _, value in points[:4]] == pytest.approx([10, 20, 50, 900], rel=0.001)


def test_a_curve_of_many_values_has_few_points_and_ends_with_the_slowest() -> None:
    points = histogram.curve(encoded(*(1.005**each for each in range(1000))))
    assert len(points) <= 50
    assert list(points[0]) == pytest.approx([0.0, 1.0], rel=0.01)
    assert list(points[-1]) == pytest.approx([3.0, 1.005**999], rel=0.001)
    assert points == sorted(points)


def test_blocks_are_added_as_histograms_not_as_averages() -> None:
    total = histogram.together([block(10, 10, 10), block(10, 10, 500)])
    assert total.count == 6
    assert total["p50"] == pytest.approx(10, rel=0.01)
    assert total["max"] == pytest.approx(500, rel=0.01)


def test_a_wrong_answer_is_no_latency() -> None:
    with pytest.raises(AssertionError, match="1 of 2 answers were not what had been sent"):
        histogram.latency({"count": 2, "wrong": 1, "jitter_ns": 0, "ns": 1, "hdr": encoded(1, 2)})


@pytest.mark.parametrize("wrong", ["", "HISTFAAAA", "no histogram", encoded()])
def test_what_is_no_histogram_breaks_the_contract(wrong: str) -> None:
    with pytest.raises(ContractBreach):
        histogram.latency({"count": 1, "wrong": 0, "jitter_ns": 0, "ns": 1, "hdr": wrong})
