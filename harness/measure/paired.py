"""Paired comparison: a subject against a floor, block by block, and what may be said of the ratio. Pure.

On a shared machine a time alone says little: it doubles when a neighbour wakes up. A ratio of two times that were
taken one after the other says more, and an interval on the median of many such ratios says how sure it is.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.model.verdicts import Verdict

CONFIDENCE: Final = 0.99
RESAMPLES: Final = 2000
_SEED: Final = 20160101  # the same blocks always give the same interval

NOISY: Final = 0.5
"""A floor whose quartiles lie further apart than this share of its median measures the machine's other work."""

FEWEST: Final = 5
"""Blocks below which no interval is worth its name."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A median with the ends of its bootstrap interval."""

    low: float
    mid: float
    high: float

    def __str__(self) -> str:
        return f"{self.mid:.3g} ({self.low:.3g} to {self.high:.3g})"


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the median and its percentile bootstrap interval. ValueError below `FEWEST` values."""
    if len(values) < FEWEST:
        raise ValueError(f"{len(values)} blocks are too few for an interval; at least {FEWEST}")
    import numpy
    from scipy.stats import bootstrap  # a second to import, which only measuring pays

    found = bootstrap(
        (numpy.asarray(values),),
        numpy.median,
        confidence_level=confidence,
        n_resamples=RESAMPLES,
        method="percentile",
        random_state=_SEED,
    ).confidence_interval
    return Interval(float(found.low), statistics.median(values), float(found.high))


def ratios(subject: Sequence[float], floor: Sequence[float]) -> list[float]:
    """Return subject over floor for each block."""
    return [one / other for one, other in zip(subject, floor, strict=True)]


def spread(values: Sequence[float]) -> float:
    """Return the distance of the quartiles as a share of the median: how restless the values are."""
    low, mid, high = statistics.quantiles(values, n=4)
    return (high - low) / mid


def hold(name: str, ratio: Interval, limit: float, floor: Sequence[float]) -> tuple[Verdict, str]:
    """Hold a ratio against its limit; returns pass, fail or inconclusive, and why."""
    if (restless := spread(floor)) > NOISY:
        return Verdict.INCONCLUSIVE, f"{name}: the floor's quartiles lie {restless:.0%} of its median apart"
    if ratio.low > limit:
        return Verdict.FAIL, f"{name}: {ratio} times the floor, and the budget is {limit:g}"
    if ratio.high > limit:
        return Verdict.INCONCLUSIVE, f"{name}: {ratio} times the floor can't be told from the budget of {limit:g}"
    return Verdict.PASS, ""
