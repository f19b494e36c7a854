"""Counters of processes as curves: over the seconds of a soak, and over the cycles of one cell."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from harness.measure import compare, leaks
from harness.measure.paired import Interval
from harness.report import page_svg
from harness.report.store import Record

_MIB: Final = 2**20

_THICK: Final = 0.8
"""Points by which a line is thicker than the next one: where all lie at 0, each can still be seen."""


def titled(panel: Any, counter: str, more: str = "") -> None:
    """Name a counter's panel, with the unit of its values."""
    panel.set_title((f"{counter}, MiB" if counter in leaks.MEMORY else counter) + more)


def line(panel: Any, counter: str, points: Sequence[tuple[float, float]], **looks: Any) -> Any:
    """Draw a counter: bytes in MiB, and what is counted in steps. Returns what a legend shows."""
    memory = counter in leaks.MEMORY
    scaled = [(at, value / _MIB if memory else value) for at, value in points]
    (drawn,) = panel.plot(*zip(*scaled, strict=True), drawstyle="default" if memory else "steps-post", **looks)
    return drawn


class Sheet:
    """Draws the curves of one cell after the other on the same panels: new ones would take three times as long."""

    def __init__(self) -> None:
        self._figure: Any = None
        self._panels: Sequence[Any] = ()

    def of_cell(self, record: Record) -> Iterator[str]:
        """Yield a drawing for each process that a cell watched: what it counted more than when it was warm."""
        slopes = compare.intervals(record.figures)
        for role, course in record.courses.items():
            with page_svg.settings(f"{record.cell.id} {role}"):
                self._clear()
                growth, memory = self._panels
                cycles, counters = course["cycles"], course["counters"]
                counted = {name: counters[name] for name in leaks.EXACT if name in counters}
                page_svg.legend(self._figure, _growth(growth, cycles, counted))
                name = leaks.memory(counters)
                memory.set_visible(bool(name))
                if name:
                    points = [*zip(cycles, counters[name], strict=True)]
                    _memory(memory, name, points, slopes.get(f"{role}_{name}_per_cycle"))
                yield page_svg.svg(self._figure, f"counters of {role} over cycles")

    def _clear(self) -> None:
        if self._figure is None:
            self._figure, (self._panels,) = page_svg.panels(1, 2, (3.6, 1.3), gaps=(0.7, 0.0))
            for panel in self._panels:
                panel.set_xlabel("cycles")
                panel.locator_params(nbins=5)
            self._panels[0].locator_params(integer=True)
        self._figure.legends.clear()
        for panel in self._panels:
            for drawn in (*panel.lines, *panel.collections):
                drawn.remove()
            panel.relim()
            panel.autoscale(enable=True)


def _growth(panel: Any, cycles: Sequence[int], counters: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Draw by how much each counter is above its warm value; returns what the legend shows."""
    handles = {}
    for index, (name, values) in enumerate(counters.items()):
        more = [value - values[0] for value in values]
        looks = {"color": page_svg.SERIES[index], "linewidth": 1.2 + _THICK * (len(counters) - 1 - index)}
        handles[f"{name} {more[-1]:+d}"] = line(panel, name, [*zip(cycles, more, strict=True)], **looks)
    low, high = panel.get_ylim()
    panel.set_ylim(min(low, -1), max(high, 1))
    return handles


def _memory(panel: Any, name: str, points: Sequence[tuple[int, int]], slope: Interval | None) -> None:
    """Draw memory, and the slope that it is judged by with its interval, through the middle of the points."""
    more = "" if slope is None else f": {slope.mid:+,.0f} bytes a cycle ({slope.low:+,.0f} to {slope.high:+,.0f})"
    titled(panel, name, more)
    panel.title.set_fontsize(8)
    line(panel, name, points, color=page_svg.SERIES[0], marker="o", markersize=2.5)
    if slope is not None:
        at, value = (statistics.median(column) for column in zip(*points, strict=True))
        ends = points[0][0], points[-1][0]
        low, mid, high = (
            [(value + each * (end - at)) / _MIB for end in ends] for each in (slope.low, slope.mid, slope.high)
        )
        panel.plot(ends, mid, "--", color=page_svg.SERIES[1], linewidth=1.0)
        panel.fill_between(ends, low, high, color=page_svg.SERIES[1], alpha=0.2, lw=0)
    bottom, top = panel.get_ylim()
    spare = max(0.0, leaks.ROOM / _MIB - (top - bottom)) / 2  # what a clean process may wander must look small
    panel.set_ylim(bottom - spare, top + spare)
