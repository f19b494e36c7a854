"""Latencies as peers report them: an encoded HdrHistogram of nanoseconds (CONTRACT.md, section 5).

http://hdrhistogram.org; the encoded form is "V2, compressed, base64", which its libraries exchange.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from hdrh.histogram import HdrHistogram

from harness.errors import ContractBreach

LOWEST: Final = 1
HIGHEST: Final = 3_600_000_000_000
DIGITS: Final = 3
"""The range in ns and the significant digits that peers record with."""

PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9}


_STEPS: Final = 12
"""Points of a curve for each nine: more cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Latency:
    """What one block of messages took; times in µs. `percentiles` has the keys of `PERCENTILES` and `max`.

    `mean` is that of a closed loop: the time of the block over its messages.
    """

    count: int
    mean: float
    percentiles: Mapping[str, float]
    jitter: float
    encoded: str

    def __getitem__(self, percentile: str) -> float:
        return self.percentiles[percentile]


def decode(text: str) -> Any:
    """Read an encoded histogram; ContractBreach if it is none."""
    try:
        found = HdrHistogram.decode(text)
    except Exception as error:
        raise ContractBreach(f"a histogram that can't be decoded: {error}: {text!r:.40}") from None
    if found is None:
        raise ContractBreach(f"a histogram that can't be decoded: {text!r:.40}")
    return found


def check(text: Any) -> None:
    """Raise ValueError, in one line, for what is no encoded histogram."""
    try:
        decode(text)
    except ContractBreach as error:
        raise ValueError(str(error)) from None


def latency(result: Mapping[str, Any]) -> Latency:
    """Read the answer to `ping`."""
    if result["wrong"]:
        raise AssertionError(f"{result['wrong']} of {result['count']} answers were not what had been sent")
    mean = float(result["ns"]) / result["count"]
    return _summed(decode(result["hdr"]), mean, float(result["jitter_ns"]), str(result["hdr"]))


def together(blocks: list[Latency]) -> Latency:
    """Add the histograms of several blocks."""
    total = HdrHistogram(LOWEST, HIGHEST, DIGITS)
    for block in blocks:
        total.add(decode(block.encoded))
    mean = 1000 * fmean(block.mean for block in blocks)
    jitter = 1000 * fmean(block.jitter for block in blocks)
    return _summed(total, mean, jitter, total.encode().decode("ascii"))


def nines(percentile: float) -> float:
    """Return where a percentile from 0 up to below 100 stands on an axis with a unit for each nine (99 at 2)."""
    return -math.log10(1 - percentile / 100)


def curve(text: str) -> list[tuple[float, float]]:
    """Return an encoded histogram as points of (nines, µs), the fastest first; ContractBreach if it is none.

    A value stands where the messages that took less end, so the slowest of 1,000 stands at three nines.
    """
    import numpy

    found = decode(text)
    counts = numpy.asarray(found.counts)
    total = int(counts.sum())
    points: dict[int, tuple[float, float]] = {}
    less = 0
    for index in numpy.flatnonzero(counts):
        at = -math.log10(1 - less / total)
        last = at, found.get_value_from_index(int(index)) / 1000
        points.setdefault(int(at * _STEPS), last)
        less += int(counts[index])
    return [*points.values(), last] if points else []


def _summed(found: Any, mean_ns: float, jitter_ns: float, encoded: str) -> Latency:
    if not found.get_total_count():
        raise ContractBreach("a histogram without a single value")
    values = {name: found.get_value_at_percentile(rank) / 1000 for name, rank in PERCENTILES.items()}
    values["max"] = found.get_max_value() / 1000
    return Latency(int(found.get_total_count()), mean_ns / 1000, values, jitter_ns / 1000, encoded)
