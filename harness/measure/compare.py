"""Comparing two runs: faster, slower or cannot tell, for each figure that carries an interval. Pure.

A figure `x` has an interval if the same cell also files `x low` and `x high` (times, rates), or `x_low` and `x_high`
(leaks). Two figures differ if their intervals do not meet; leaks, if they are farther apart than the room that a clean
process has for filling its pools. Less is better in every figure that this harness files with an interval, unless its
name ends with `/s`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.measure import leaks
from harness.measure.paired import Interval
from harness.report.store import Record, Run


class Change(StrEnum):
    """What two intervals say."""

    FASTER = "faster"
    SLOWER = "slower"
    UNSURE = "cannot tell"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one cell in two runs."""

    cell: str
    figure: str
    before: Interval
    after: Interval

    @property
    def change(self) -> Change:
        """Which way the figure went."""
        less_is_better = not self.figure.endswith("/s")
        room = leaks.ROOM / leaks.CYCLES if self._leaks else 0.0
        if self.before.low - self.after.high > room:
            return Change.FASTER if less_is_better else Change.SLOWER
        if self.after.low - self.before.high > room:
            return Change.SLOWER if less_is_better else Change.FASTER
        return Change.UNSURE

    @property
    def word(self) -> str:
        """The change in the words of what is measured: faster and slower, or less and more where something leaks."""
        words = {Change.FASTER: "less", Change.SLOWER: "more"} if self._leaks else {}
        return words.get(self.change, str(self.change))

    @property
    def _leaks(self) -> bool:
        return self.figure.endswith("_per_cycle")


def intervals(figures: Mapping[str, float]) -> dict[str, Interval]:
    """Return the figures that carry an interval."""
    return {
        name: Interval(figures[f"{name}{mark}low"], value, figures[f"{name}{mark}high"])
        for name, value in figures.items()
        for mark in (" ", "_")
        if f"{name}{mark}low" in figures and f"{name}{mark}high" in figures
    }


def rows(before: Run, after: Run) -> Iterator[Row]:
    """Yield every figure that both runs have, in the order of the later one."""
    earlier: dict[str, Record] = {record.cell.id: record for record in before.records}
    for record in after.records:
        if record.cell.id not in earlier:
            continue
        old = intervals(earlier[record.cell.id].figures)
        for name, interval in intervals(record.figures).items():
            if name in old:
                yield Row(record.cell.id, name, old[name], interval)
