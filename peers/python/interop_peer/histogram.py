"""Durations as the contract wants them told: an encoded HdrHistogram of nanoseconds (section 5)."""

from __future__ import annotations

LONGEST = 3_600_000_000_000  # ns
DIGITS = 3
_BITS = 11  # that a value keeps with 3 significant digits


class Histogram:
    """Counts durations. Recording is quick; the library, which takes some µs for each value, is asked at the end."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        """Start empty."""
        self._counts: dict[int, int] = {}

    def record(self, ns: int) -> None:
        """Count a duration; one out of range counts as the range's end."""
        ns = 1 if ns < 1 else LONGEST if ns > LONGEST else ns
        if (shift := ns.bit_length() - _BITS) > 0:
            ns = ns >> shift << shift  # what the histogram would forget anyway
        self._counts[ns] = self._counts.get(ns, 0) + 1

    def encode(self) -> str:
        """Give the form that HdrHistogram's libraries exchange: V2, compressed, base64."""
        from hdrh.histogram import HdrHistogram  # only who measures waits for it

        histogram = HdrHistogram(1, LONGEST, DIGITS)
        for value, count in self._counts.items():
            histogram.record_value(value, count)
        text: bytes = histogram.encode()
        return text.decode()
