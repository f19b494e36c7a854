"""Load curves: where they bend, how a cost grows, and what rounds add up to."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harness.measure import curve
from harness.measure.curve import Growth, Step
from harness.measure.paired import Interval
from harness.model.verdicts import Verdict
from tests.unit import helpers


def encoded(*times_ms: float) -> str:
    return helpers.encoded(*(1000 * time for time in times_ms))


def step(clients: int = 10, cpu: float = 1.0, **keys: object) -> Step:
    plain = Step(clients, 2.0, 1000, {}, encoded(1.0, 2.0, 3.0), server_cpu=cpu, client_cpu=2.0)
    return replace(plain, **keys)  # type: ignore[arg-type]


def test_a_step_knows_its_rate_and_its_waits() -> None:
    assert step().rate == 500
    assert step().percentile(50) == pytest.approx(2.0, rel=0.01)


def test_rounds_add_up_to_a_row() -> None:
    seconds = (1.0, 2.0, 4.0, 2.0, 2.0)
    steps = [step(seconds=each, encoded=encoded(index + 1)) for index, each in enumerate(seconds)]
    row = curve.row(steps)
    assert row.rate.low <= row.rate.mid == 500 <= row.rate.high
    assert row.p50 == pytest.approx(3.0, rel=0.01)
    assert row.p99 == pytest.approx(5.0, rel=0.01)
    assert row.answered == 5000
    assert row.server_cpu == pytest.approx(1000)  # µs a request
    assert row.error_percent == 0


def test_errors_are_a_share_of_all_requests() -> None:
    rounds = [step(), step(errors={"timeout": 3}), step(errors={"timeout": 1, "library": 1}), step(), step()]
    row = curve.row(rounds)
    assert row.errors == {"timeout": 4, "library": 1}
    assert row.error_percent == pytest.approx(100 * 5 / 5005)


def test_memory_is_the_least_that_any_round_took() -> None:
    rounds = [step(server_memory=10 * 1024 * kib, client_memory=None) for kib in (30, 20, 90, 40, 50)]
    row = curve.row(rounds)
    assert row.server_memory == 20
    assert row.client_memory is None


@pytest.mark.parametrize(
    ("rates", "bend"),
    [
        ({1: 100, 10: 1000, 100: 10_000}, None),  # every client is served as if it were alone
        ({1: 100, 10: 1000, 100: 1100}, 10),
        ({1: 100, 10: 310, 100: 300}, 1),  # √10 is 3.16
        ({1: 100, 10: 320, 100: 300}, 10),
        ({10: 5000, 100: 5000, 1000: 4000}, 10),
        ({10: 5000}, None),
    ],
)
def test_a_curve_bends_where_more_clients_wait_than_are_served(rates: dict[int, float], bend: int | None) -> None:
    assert curve.bend(list(rates.items())[::-1]) == bend


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    assert curve.exponent(step(10, cpu=3 * 10**power), step(1000, cpu=3 * 1000**power)) == pytest.approx(power)


def test_growth_needs_two_numbers_of_clients() -> None:
    with pytest.raises(ValueError, match="two different numbers"):
        curve.growth([[step(10)]] * 5)


def rounds(power: float, noise: float, count: int = 5) -> list[list[Step]]:
    dice = random.Random(3)
    return [[step(n, cpu=1e-4 * n**power * dice.uniform(1, 1 + noise)) for n in (10, 100, 1000)] for _ in range(count)]


@pytest.mark.parametrize(
    ("power", "noise", "verdict"),
    [
        (1.0, 0.5, Verdict.PASS),
        (0.8, 0.5, Verdict.PASS),
        (2.0, 0.5, Verdict.FAIL),
        (1.3, 2.0, Verdict.INCONCLUSIVE),
    ],
)
def test_a_cost_that_grows_faster_than_the_clients_is_told(power: float, noise: float, verdict: Verdict) -> None:
    found, why = curve.linear(curve.growth(rounds(power, noise)))
    assert found is verdict, why


def test_a_verdict_says_its_figures() -> None:
    found, why = curve.linear(Growth(1000, 10_000, Interval(1.5, 1.8, 2.0)))
    said = "from 1,000 to 10,000 clients the cost grows as N^1.8 (1.5 to 2); up to N^1.3 is linear"
    assert (found, why) == (Verdict.FAIL, said)


def test_a_cost_that_grows_faster_only_from_some_number_of_clients_on_is_told() -> None:
    each = {10: 1.0, 100: 1.0, 1000: 1.2, 10_000: 9.0}
    grown = curve.growth([[step(n, cpu=n * cost) for n, cost in each.items()]] * 5)
    assert (grown.few, grown.many) == (1000, 10_000)
    assert curve.linear(grown)[0] is Verdict.FAIL


def test_a_clock_that_is_too_coarse_says_nothing() -> None:
    coarse = rounds(1.0, 0.1)
    coarse[2][0] = step(10, cpu=0.0)
    with pytest.raises(ValueError, match="too short for this system's clock"):
        curve.growth(coarse)
