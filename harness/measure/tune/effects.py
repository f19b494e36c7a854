"""What is measured of a factor, and when an effect may be called one: a table and a rule. Pure.

Each block gives one value of each metric on either side; the effect is the median of the blocks' ratios, changed over
default, with its interval. A neighbour on the machine hits both sides alike; what it does not hit alike shows in the
placebo, where nothing was changed: an effect counts only if its interval lies beyond the placebo's and beyond 1.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.measure.compare import Change
from harness.measure.paired import FEWEST, Interval, median_interval, ratios

UNSURE: Final = str(Change.UNSURE)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of a block: its unit, and what it means when it falls or rises."""

    name: str
    unit: str
    falls: str = str(Change.FASTER)
    rises: str = str(Change.SLOWER)


LOCK_P50: Final = "lock-step p50"
LOCK_P99: Final = "lock-step p99"
JITTER: Final = "lock-step jitter"
OPEN_P99: Final = "open loop p99"
DELAY_P50: Final = "queue delay p50"
DELAY_P99: Final = "queue delay p99"
DELAY_SPREAD: Final = "queue delay spread"
THROUGHPUT: Final = "throughput"
VOLUNTARY: Final = "voluntary switches"
INVOLUNTARY: Final = "involuntary switches"
SWITCHES: Final = "switches"
CYCLES: Final = "GC cycles"
PAUSE_P50: Final = "GC pause p50"
PAUSE: Final = "GC pause p99"
WAIT: Final = "scheduler wait p99"

METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric(LOCK_P50, "µs"),
        Metric(LOCK_P99, "µs"),
        Metric(JITTER, "µs"),
        Metric(OPEN_P99, "µs"),
        Metric(DELAY_P50, "µs"),
        Metric(DELAY_P99, "µs"),
        Metric(DELAY_SPREAD, "µs"),
        Metric(THROUGHPUT, "messages/s", str(Change.SLOWER), str(Change.FASTER)),
        Metric(SWITCHES, "/s", "fewer", "more"),
        Metric(VOLUNTARY, "/s", "fewer", "more"),
        Metric(INVOLUNTARY, "/s", "fewer", "more"),
        Metric(CYCLES, "a block", "fewer", "more"),
        Metric(PAUSE_P50, "µs", "shorter", "longer"),
        Metric(PAUSE, "µs", "shorter", "longer"),
        Metric(WAIT, "µs", "shorter", "longer"),
    )
}
"""Round trips in lock-step; an open loop at a fixed rate, counted from the planned moment; the delay inside a message
under flood, from stamp to receipt (its spread is from p10 to p90). Switches are those of both processes during
the open loop, which is the same work at the same pace on both sides."""

Values = Mapping[str, Sequence[float]]
"""One value a block, by the name of the metric."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A metric on both sides (medians of the blocks), and their ratio. None: too few blocks, or zeros to divide by."""

    metric: str
    default: float
    changed: float
    ratio: Interval | None
    says: str


def ratio(default: Sequence[float], changed: Sequence[float]) -> Interval | None:
    """Return changed over default with its interval; None below `FEWEST` blocks or where the default has zeros."""
    if len(default) < FEWEST or not all(default):
        return None
    return median_interval(ratios(changed, default))


def judge(metric: Metric, found: Interval | None, placebo: Interval | None) -> str:
    """Say which way a metric went, or that nobody can tell. Without a placebo's interval, beyond 1 is enough."""
    if found is None:
        return UNSURE
    low, high = (1.0, 1.0) if placebo is None else (min(1.0, placebo.low), max(1.0, placebo.high))
    if found.high < low:
        return metric.falls
    return metric.rises if found.low > high else UNSURE


def effects(default: Values, changed: Values, placebo: Mapping[str, Effect] | None = None) -> dict[str, Effect]:
    """Return the effect on each metric that both sides have, by its name."""
    found = {}
    for name, metric in METRICS.items():
        if not default.get(name) or not changed.get(name):
            continue
        both = ratio(default[name], changed[name])
        limit = placebo[name].ratio if placebo and name in placebo else None
        middles = (statistics.median(default[name]), statistics.median(changed[name]))
        found[name] = Effect(name, *middles, both, judge(metric, both, limit))
    return found
