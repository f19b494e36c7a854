"""Histograms as CONTRACT.md, section 5, spells them, read by the library of another hand than the peers'."""

from __future__ import annotations

from typing import Any, Final

from hdrh.histogram import HdrHistogram

ROUNDING: Final = 1.002
"""What three significant digits may take from a value, and some."""


def decode(text: str) -> Any:
    """Read an encoded histogram, and see that it is one of the contract's."""
    found = HdrHistogram.decode(text)
    made = (found.lowest_trackable_value, found.highest_trackable_value, found.significant_figures)
    assert made == (1, 3_600_000_000_000, 3)
    return found
