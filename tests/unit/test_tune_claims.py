"""An article's claims: confirmed, refuted or not testable here, with a plain sentence."""

from __future__ import annotations

import pytest

from harness.measure.paired import Interval
from harness.measure.tune import effects as on
from harness.measure.tune import factors as by
from harness.measure.tune.claims import CLAIMS, CONFIRMED, REFUTED, UNTESTABLE, Claim, Subject, findings, hold
from harness.measure.tune.effects import METRICS, Effect, judge

QUIET = Interval(0.95, 1.0, 1.05)
RESTLESS = Interval(0.3, 1.0, 3.0)

HALVED = Claim("x", Subject.LIBRARY, by.HWM, on.DELAY_P50, 100, 25)
DOUBLED = Claim("x", Subject.LIBRARY, by.HWM, on.THROUGHPUT, 100, 400)
FALLS = Claim("x", Subject.LIBRARY, by.HWM, on.DELAY_P50)
RISES = Claim("x", Subject.LIBRARY, by.HWM, on.THROUGHPUT, rises=True)
RANGE = Claim("x", Subject.RUNTIME, by.HWM, on.PAUSE_P50, between=(10, 50))


def measured(claim: Claim, low: float, high: float, placebo: Interval) -> Effect:
    found = Interval(low, (low + high) / 2, high)
    return Effect(claim.metric, 100, 100 * found.mid, found, judge(METRICS[claim.metric], found, placebo))


@pytest.mark.parametrize(
    ("claim", "low", "high", "placebo", "verdict", "says"),
    [
        (HALVED, 0.2, 0.4, QUIET, CONFIRMED, "at least half of the claimed × 0.25 is there"),
        (HALVED, 0.6, 0.8, QUIET, REFUTED, "it goes that way, but by less than half of the claimed × 0.25"),
        (HALVED, 0.9, 1.1, QUIET, REFUTED, "there is no effect like the claimed × 0.25"),
        (HALVED, 1.2, 1.4, QUIET, REFUTED, "it goes the other way"),
        (HALVED, 0.4, 0.7, QUIET, UNTESTABLE, "too restless to tell it from the claimed × 0.25"),
        (HALVED, 0.2, 0.4, RESTLESS, UNTESTABLE, "too restless"),
        (HALVED, 0.6, 0.8, RESTLESS, UNTESTABLE, "too restless"),
        (DOUBLED, 2.5, 5.0, QUIET, CONFIRMED, "at least half of the claimed × 4 is there"),
        (DOUBLED, 1.2, 1.5, QUIET, REFUTED, "by less than half of the claimed × 4"),
        (DOUBLED, 0.0, 0.5, QUIET, REFUTED, "it goes the other way"),
        (DOUBLED, 0.0, 1.5, QUIET, REFUTED, "there is no effect like the claimed × 4"),
        (DOUBLED, 1.2, 1.5, RESTLESS, UNTESTABLE, "too restless"),
        (FALLS, 0.8, 0.9, QUIET, CONFIRMED, "it goes that way"),
        (FALLS, 1.1, 1.3, QUIET, REFUTED, "it goes the other way"),
        (FALLS, 0.95, 1.05, QUIET, REFUTED, "there is no such effect as large as a tenth"),
        (FALLS, 0.5, 1.5, QUIET, UNTESTABLE, "too restless to say"),
        (RISES, 1.1, 1.3, QUIET, CONFIRMED, "it goes that way"),
        (RISES, 0.7, 0.9, QUIET, REFUTED, "it goes the other way"),
    ],
)
def test_a_claim_about_the_library_is_decided_by_the_whole_interval(
    claim: Claim, low: float, high: float, placebo: Interval, verdict: str, says: str
) -> None:
    found = hold(claim, "pebbe", "Linux", measured(claim, low, high, placebo), placebo, [], "")
    assert found.verdict == verdict
    assert says in found.sentence


@pytest.mark.parametrize(
    ("values", "verdict", "says"),
    [
        ([20, 22, 21, 19, 20], CONFIRMED, "measured 20"),
        ([80, 82, 81, 79, 80], REFUTED, "above 10 to 50 µs"),
        ([2, 2.1, 2, 2, 2.2], REFUTED, "below 10 to 50 µs"),
        ([45, 55, 48, 52, 50], UNTESTABLE, "only in part"),
        ([20, 200, 20, 900, 50], UNTESTABLE, "too restless"),
        ([20, 22], UNTESTABLE, "too little"),
    ],
)
def test_a_claimed_range_must_hold_the_interval(values: list[float], verdict: str, says: str) -> None:
    found = hold(RANGE, "pebbe", "Linux", measured(RANGE, 1, 1, QUIET), QUIET, values, "")
    assert found.verdict == verdict
    assert says in found.sentence


WINDOWS = Claim("x", Subject.WINDOWS, by.ALL_HOST, on.LOCK_P50, 185, 97)
OTHER = Claim("x", Subject.OTHER, by.EVERYTHING, on.OPEN_P99, 890, 320, note="it is about something else")


def test_a_claim_about_windows_is_not_testable_elsewhere_however_clear_the_figures() -> None:
    effect = measured(WINDOWS, 0.2, 0.3, QUIET)
    found = hold(WINDOWS, "pebbe", "Linux", effect, QUIET, [], "")
    assert found.verdict == UNTESTABLE
    assert found.sentence.startswith(
        "the claim is about Windows' settings, and this is Linux. Beside it: lock-step p50"
    )
    there = hold(WINDOWS, "pebbe", "Windows", effect, QUIET, [], "")
    assert there.verdict == CONFIRMED
    assert "by affinity and priority alone, the registry was left as it is" in there.sentence


@pytest.mark.parametrize("system", ["Linux", "Windows"])
def test_a_claim_about_another_system_is_never_testable_here(system: str) -> None:
    found = hold(OTHER, "pebbe", system, measured(OTHER, 0.2, 0.3, QUIET), QUIET, [], "")
    assert found.verdict == UNTESTABLE
    assert "it is about something else. Beside it:" in found.sentence


def test_what_was_not_measured_says_why() -> None:
    found = hold(HALVED, "go-zeromq", "Linux", None, None, [], "the library has no option SNDHWM")
    assert (found.verdict, found.sentence) == (UNTESTABLE, "not measured: the library has no option SNDHWM")
    few = Effect(HALVED.metric, 1, 1, None, "cannot tell")
    assert "too little was measured" in hold(HALVED, "go-zeromq", "Linux", few, None, [], "").sentence


def test_every_claim_names_a_factor_and_a_metric_and_has_one_kind_of_figure() -> None:
    names = {factor.name for factor in by.FACTORS}
    for claim in CLAIMS:
        assert claim.factor in names
        assert claim.metric in METRICS
        assert not (claim.before and claim.between)
        assert (claim.subject is Subject.OTHER) == bool(claim.note)


def test_claims_are_held_against_the_factors_that_were_tried() -> None:
    effect = measured(HALVED, 0.2, 0.3, QUIET)
    placebos = {by.SAME: {on.DELAY_P50: Effect(on.DELAY_P50, 1, 1, QUIET, "cannot tell")}}
    tried = {by.ADVISED_QUEUES: {on.DELAY_P50: effect}, by.IPV6: {}}
    found = findings("pebbe", "Linux", tried, {}, {by.IPV6: "the library has no option IPV6"}, placebos)
    assert {row.claim.factor for row in found} == set(tried)
    assert [row.verdict for row in found if row.claim.metric == on.DELAY_P50] == [CONFIRMED]
    assert [row.sentence for row in found if row.claim.factor == by.IPV6] == [
        "not measured: the library has no option IPV6"
    ]
