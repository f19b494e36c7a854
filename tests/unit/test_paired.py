"""Paired comparison: what may be said of a ratio, and when nothing may be said."""

from __future__ import annotations

import random

import pytest

from harness.measure.paired import Interval, hold, median_interval, ratios, spread
from harness.model.verdicts import Verdict

QUIET = [10.0, 10.2, 9.9, 10.1, 10.0, 9.8, 10.1]
RESTLESS = [10.0, 30.0, 9.0, 25.0, 10.0, 40.0, 11.0]


def test_a_ratio_is_taken_block_by_block() -> None:
    assert ratios([20.0, 90.0], [10.0, 30.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="longer than"):
        ratios([1.0], [1.0, 2.0])


def test_the_interval_holds_the_median_and_narrows_with_more_blocks() -> None:
    dice = random.Random(7)
    few = median_interval([dice.gauss(5, 1) for _ in range(8)])
    many = median_interval([dice.gauss(5, 1) for _ in range(400)])
    assert few.low <= few.mid <= few.high
    assert many.low <= many.mid <= many.high
    assert many.high - many.low < few.high - few.low
    assert many.low < 5 < many.high


def test_the_same_blocks_give_the_same_interval() -> None:
    assert median_interval(RESTLESS) == median_interval(RESTLESS)


def test_too_few_blocks_have_no_interval() -> None:
    with pytest.raises(ValueError, match="4 blocks are too few"):
        median_interval([1.0] * 4)


def test_a_disturbance_that_hits_both_leaves_the_ratio_alone() -> None:
    floor = [10.0, 50.0, 10.0, 20.0, 10.0]
    assert median_interval(ratios([3 * value for value in floor], floor)) == Interval(3.0, 3.0, 3.0)


def test_restlessness_is_the_distance_of_the_quartiles() -> None:
    assert spread(QUIET) < 0.05
    assert spread(RESTLESS) > 1


@pytest.mark.parametrize(
    ("ratio", "floor", "verdict", "says"),
    [
        (Interval(1.0, 1.2, 1.4), QUIET, Verdict.PASS, ""),
        (Interval(1.6, 1.7, 1.8), QUIET, Verdict.FAIL, "p50: 1.7 (1.6 to 1.8) times the floor, and the budget is 1.5"),
        (Interval(1.4, 1.5, 1.6), QUIET, Verdict.INCONCLUSIVE, "can't be told from the budget"),
        (Interval(1.0, 1.2, 1.4), RESTLESS, Verdict.INCONCLUSIVE, "of its median apart"),
        (Interval(9.0, 9.0, 9.0), RESTLESS, Verdict.INCONCLUSIVE, "of its median apart"),
    ],
)
def test_a_budget_is_broken_only_by_the_whole_interval_and_a_quiet_floor(
    ratio: Interval, floor: list[float], verdict: Verdict, says: str
) -> None:
    found, why = hold("p50", ratio, 1.5, floor)
    assert found is verdict
    assert says in why
