"""What an article on tuning claims, laid beside what was measured: a table and a rule. Pure.

The article (a tutorial on Go and ZeroMQ on Windows) gives figures without their conditions, so its claims are held as
ratios. A claim is `confirmed` if the whole interval shows at least half of the claimed change (half on the scale of
ratios, the square root), `refuted` if the whole interval shows less and the placebo shows that this machine could have
told; else, and where its subject is not here, it is `not testable here`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.measure.paired import FEWEST, NOISY, Interval, median_interval, spread
from harness.measure.tune import effects as on
from harness.measure.tune import factors as by
from harness.measure.tune.effects import Effect

CONFIRMED: Final = "confirmed"
REFUTED: Final = "refuted"
UNTESTABLE: Final = "not testable here"

NOTHING: Final = 0.1
"""A change that is certainly smaller than this share is none, where a claim gives no figure."""


class Subject(StrEnum):
    """What a claim is about, which decides where it can be tested."""

    LIBRARY = "the library"
    RUNTIME = "Go's runtime"
    WINDOWS = "Windows"
    OTHER = "another system"


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure of the article: `metric` goes from `before` to `after` by what `factor` changes.

    Without figures `rises` says which way; with `between` the metric itself, unchanged, is claimed to lie in a range.
    `note` is said of what is `OTHER`.
    """

    text: str
    subject: Subject
    factor: str
    metric: str
    before: float = 0.0
    after: float = 0.0
    rises: bool = False
    between: tuple[float, float] | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """What the article's figures make of the metric: after over before."""
        return self.after / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What can be said of a claim with one peer."""

    claim: Claim
    peer: str
    verdict: str
    sentence: str


_QUEUES: Final = "marks 1,000 and linger 0 instead of 10,000 and without end"
_HOST: Final = "registry settings and affinity"
_LOAD: Final = (
    "the figures are of a gateway, services and a database on Kubernetes, and the change shown is a pool of threads "
    "in Java; ZeroMQ is not part of it"
)

CLAIMS: Final = (
    Claim(f"{_QUEUES}: mean latency 210 to 85 µs", Subject.LIBRARY, by.ADVISED_QUEUES, on.DELAY_P50, 210, 85),
    Claim(f"{_QUEUES}: jitter 89 to 12 µs", Subject.LIBRARY, by.ADVISED_QUEUES, on.DELAY_SPREAD, 89, 12),
    Claim("larger queues cost delay", Subject.LIBRARY, by.HWM, on.DELAY_P50, rises=True),
    Claim("larger queues gain throughput", Subject.LIBRARY, by.HWM, on.THROUGHPUT, rises=True),
    Claim("one context for many sockets lowers delays", Subject.LIBRARY, by.CONTEXT, on.OPEN_P99),
    Claim("IPv6 off lowers the cost of a message", Subject.LIBRARY, by.IPV6, on.LOCK_P50),
    Claim(
        "the collector stops the world for 10 to 50 µs", Subject.RUNTIME, by.REUSE, on.PAUSE_P50, between=(10.0, 50.0)
    ),
    Claim("pooled buffers mean fewer collections", Subject.RUNTIME, by.REUSE, on.CYCLES),
    Claim("a busy loop without calls holds messages up", Subject.RUNTIME, by.SPIN, on.OPEN_P99, rises=True),
    Claim(f"{_HOST}: mean latency 185 to 97 µs", Subject.WINDOWS, by.ALL_HOST, on.LOCK_P50, 185, 97),
    Claim(
        f"{_HOST}: context switches 12,400 to 6,100 a second", Subject.WINDOWS, by.ALL_HOST, on.SWITCHES, 12_400, 6100
    ),
    Claim("everything: P95 890 to 320 ms", Subject.OTHER, by.EVERYTHING, on.OPEN_P99, 890, 320, note=_LOAD),
    Claim(
        "everything: 1,200 to 3,800 requests a second",
        Subject.OTHER,
        by.EVERYTHING,
        on.THROUGHPUT,
        1200,
        3800,
        note=_LOAD,
    ),
)


def hold(
    claim: Claim,
    peer: str,
    system: str,
    effect: Effect | None,
    placebo: Interval | None,
    default: list[float],
    why: str,
) -> Finding:
    """Hold a claim against what was measured on `system` (as `platform.system()` says it).

    `default` are the blocks of the unchanged side, `why` says why nothing was measured, where it was not.
    """
    if claim.subject is Subject.OTHER:
        verdict, sentence = UNTESTABLE, claim.note
    elif claim.subject is Subject.WINDOWS and system != "Windows":
        verdict, sentence = UNTESTABLE, f"the claim is about Windows' settings, and this is {system}"
    elif effect is None:
        return Finding(claim, peer, UNTESTABLE, f"not measured: {why}" if why else "not measured")
    elif claim.between is not None:
        return Finding(claim, peer, *_range(claim.between, on.METRICS[claim.metric].unit, default))
    else:
        verdict, sentence = _change(claim, effect, placebo)
        if claim.subject is Subject.WINDOWS:
            sentence += "; by affinity and priority alone, the registry was left as it is"
    if effect is not None:
        sentence += f". Beside it: {described(effect)}" if verdict == UNTESTABLE else f": {described(effect)}"
    return Finding(claim, peer, verdict, sentence)


def described(effect: Effect) -> str:
    """Say an effect in one line."""
    unit = on.METRICS[effect.metric].unit
    times = "too few blocks for an interval" if effect.ratio is None else f"× {effect.ratio}"
    return f"{effect.metric} {effect.default:.4g} to {effect.changed:.4g} {unit}, {times}, {effect.says}"


def _change(claim: Claim, effect: Effect, placebo: Interval | None) -> tuple[str, str]:
    found = effect.ratio
    if found is None:
        return UNTESTABLE, "too little was measured to say"
    metric = on.METRICS[claim.metric]
    claimed = claim.ratio
    rises = claim.rises if claimed is None else claimed > 1
    right, wrong = (metric.rises, metric.falls) if rises else (metric.falls, metric.rises)
    if effect.says == wrong:
        return REFUTED, "it goes the other way"
    if claimed is None:
        if effect.says == right:
            return CONFIRMED, "it goes that way"
        if found.low > 1 - NOTHING and found.high < 1 + NOTHING:
            return REFUTED, "there is no such effect as large as a tenth"
        return UNTESTABLE, "the machine was too restless to say"
    half = math.sqrt(claimed)
    low, high, least = found.low, found.high, 1.0 if placebo is None else placebo.low
    if rises:  # seen upside down, so that what is claimed is always a fall
        low, high, half = 1 / high, 1 / low if low else math.inf, 1 / half
        least = 1.0 if placebo is None else 1 / placebo.high
    if effect.says == right and high <= half:
        return CONFIRMED, f"at least half of the claimed × {claimed:.2g} is there"
    if low > half and least > half:
        smaller = "it goes that way, but by less than half of" if effect.says == right else "there is no effect like"
        return REFUTED, f"{smaller} the claimed × {claimed:.2g}"
    return UNTESTABLE, f"the machine was too restless to tell it from the claimed × {claimed:.2g}"


def _range(between: tuple[float, float], unit: str, values: list[float]) -> tuple[str, str]:
    if len(values) < FEWEST:
        return UNTESTABLE, "too little was measured to say"
    if (restless := spread(values)) > NOISY:
        return UNTESTABLE, f"the machine was too restless to say: the quartiles lie {restless:.0%} of the median apart"
    found, (low, high) = median_interval(values), between
    if low <= found.low and found.high <= high:
        return CONFIRMED, f"measured {found} {unit}"
    if found.high < low or found.low > high:
        return (
            REFUTED,
            f"measured {found} {unit}, {'below' if found.high < low else 'above'} {low:g} to {high:g} {unit}",
        )
    return UNTESTABLE, f"measured {found} {unit}, which reaches beyond {low:g} to {high:g} {unit} only in part"


Measured = Mapping[str, Effect]
"""The effects of one factor with one peer, by metric."""


def findings(
    peer: str,
    system: str,
    measured: Mapping[str, Measured],
    defaults: Mapping[str, Mapping[str, list[float]]],
    skipped: Mapping[str, str],
    placebos: Mapping[str, Measured],
) -> list[Finding]:
    """Hold the claims about factors that were tried against one peer's results.

    All are by the name of the factor, and the placebos by that of the place.
    """
    places = {factor.name: by.placebo(factor) for factor in by.FACTORS}
    found = []
    for claim in CLAIMS:
        if claim.factor not in measured:
            continue
        effect = measured[claim.factor].get(claim.metric)
        nothing = placebos.get(places[claim.factor], {}).get(claim.metric)
        found.append(
            hold(
                claim,
                peer,
                system,
                effect,
                nothing.ratio if nothing else None,
                list(defaults.get(claim.factor, {}).get(claim.metric, ())),
                skipped.get(claim.factor, ""),
            )
        )
    return found
