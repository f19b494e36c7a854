"""Floods: which of their messages came, and what a gap, a double or a stranger is called."""

from __future__ import annotations

from typing import Any

import pytest

from harness.measure.throughput import Block, account, figures


def drained(seconds: float = 1.0, **sources: tuple[int, int, int, int]) -> dict[str, Any]:
    """Return an answer to `drain`; a source is `s` and its number, with received, missing, doubled and reordered."""
    keys = ("received", "missing", "doubled", "reordered")
    return {
        "ns": int(seconds * 1e9),
        "sources": {name[1:]: dict(zip(keys, counts, strict=True)) for name, counts in sources.items()},
    }


@pytest.mark.parametrize(
    ("result", "lossy", "lost", "wrong"),
    [
        (drained(s3=(100, 0, 0, 0)), False, 0, {}),
        (drained(s3=(100, 10, 0, 0)), False, 0, {"missing": 10}),  # the last ones are still to come
        (drained(s3=(100, 0, 50, 50)), False, 50, {"doubled": 50, "reordered": 50}),
        (drained(s2=(40, 0, 0, 0), s3=(60, 0, 0, 0)), False, 40, {"foreign": 40}),
        (drained(s0=(40, 0, 0, 0), s3=(60, 30, 0, 0)), True, 40, {}),
        (drained(s0=(40, 0, 0, 0), s3=(60, 30, 0, 2)), True, 40, {"reordered": 2}),
        (drained(s0=(100, 0, 0, 0)), True, 100, {}),
        (drained(s0=(100, 0, 0, 0)), False, 100, {"foreign": 100}),
    ],
)
def test_every_message_of_a_flood_is_accounted_for(
    result: dict[str, Any], lossy: bool, lost: int, wrong: dict[str, int]
) -> None:
    found = account(result, 100, 3, lossy=lossy)
    assert (found.lost, found.wrong) == (lost, wrong)


def test_a_rate_counts_what_came() -> None:
    assert account(drained(0.5, s0=(20, 0, 0, 0), s1=(80, 20, 0, 0)), 100, 1, lossy=True).rate == 160


def test_figures_carry_their_interval_and_the_multiple_of_the_reference() -> None:
    subject = [Block(rate, 0, {}) for rate in (100.0, 200.0, 400.0, 200.0, 200.0)]
    reference = [Block(rate, 0, {}) for rate in (50.0, 100.0, 200.0, 100.0, 100.0)]
    found = figures(subject, reference, 1_000_000)
    assert (found["messages/s"], found["MB/s"]) == (200, 200)
    assert found["messages/s low"] < 200 < found["messages/s high"]
    assert [found[f"×pyzmq>pyzmq messages/s{end}"] for end in ("", " low", " high")] == [2, 2, 2]


def test_without_a_reference_there_is_no_multiple() -> None:
    assert not any("×" in name for name in figures([Block(1.0, 0, {})] * 5, [], 64))
