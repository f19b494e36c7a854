"""What leaks: from a process's counters, taken while it did the same thing again and again, to findings. Pure.

Things that are opened and closed (`EXACT`) must come back to the value that they had after warming up. Memory never
comes back to the byte: it leaks where the lower end of the interval of its slope is above a limit. This file knows
neither peers nor sockets; the margins are explained in docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Counters = Mapping[str, int]

EXACT: Final = ("handles", "threads", "goroutines", "sockets", "contexts")
"""Counters that must come back, as far as a process counts them."""

MEMORY: Final = ("uss", "rss")
"""Counters of memory in bytes, the better one first: what a process shares with others is not its own doing."""

ROOM: Final = 655_360
"""Bytes by which a clean process may grow while it fills its pools, in however many cycles: so the lower end of the
interval of a leak is above `ROOM` / cycles a cycle."""

POOLED: Final = 4
"""Threads that a process with goroutines may have gained: its runtime makes them when it needs some, and keeps them."""

CYCLES: Final = 20
"""Cycles of a usual watch."""

REQUIRED: Final = "handles"
"""The counter without which nothing can be said: what every leak of a socket moves."""

MOVING: Final = (REQUIRED, "sockets", "contexts", "goroutines")
"""Counters that rise with every socket that listens, as far as a process counts them. Its threads may be pooled."""

CONFIDENCE: Final = 0.99

FEWEST: Final = 6
"""Samples of memory below which an interval says nothing."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a process counted, from after warming up until after settling; `samples` by cycles done since then."""

    warm: Counters
    settled: Counters
    cycles: int
    samples: Sequence[tuple[float, Counters]] = ()


@dataclass(frozen=True, slots=True)
class Slope:
    """Bytes a cycle, with the ends of the interval."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A counter that grew, and by how much in one cycle."""

    counter: str
    per_cycle: float
    text: str

    def __str__(self) -> str:
        return self.text


def stuck(before: Counters, opened: Counters) -> list[str]:
    """Return the counters that did not rise, or are not there, although something was opened."""
    wanted = [name for name in MOVING if name == REQUIRED or name in before]
    return [name for name in wanted if name not in before or opened.get(name, 0) <= before[name]]


def back(warm: Counters, now: Counters) -> bool:
    """Whether every exact counter is back where it was, or below."""
    return not _grown(warm, now)


def _grown(warm: Counters, now: Counters) -> dict[str, int]:
    """Return by how much each exact counter is above what it may be."""
    more = {name: now[name] - warm[name] for name in EXACT if name in warm and name in now}
    spare = {"threads": POOLED} if "goroutines" in now else {}
    return {name: count for name, count in more.items() if count > spare.get(name, 0)}


def memory(counters: Counters) -> str:
    """Return the name of the counter of memory to judge by, or ""."""
    return next((name for name in MEMORY if name in counters), "")


def slope(course: Course) -> Slope | None:
    """Return the Theil–Sen slope of memory over cycles with its interval; None where there are too few samples."""
    name = memory(course.warm)
    points = [(at, counters[name]) for at, counters in course.samples if name in counters] if name else []
    if len(points) < FEWEST:
        return None
    from scipy.stats import theilslopes  # a second to import, which only measuring pays

    found = theilslopes([value for _, value in points], [at for at, _ in points], CONFIDENCE)
    return Slope(float(found.low_slope), float(found.slope), float(found.high_slope))


def findings(course: Course) -> list[Finding]:
    """Return what grew, the exact counters first."""
    found = []
    for name, count in _grown(course.warm, course.settled).items():
        each = count / course.cycles
        text = f"{name} grew from {course.warm[name]} to {course.settled[name]} in {course.cycles} cycles"
        found.append(Finding(name, each, f"{text}, {each:.3g} a cycle"))
    trend = slope(course)
    if trend is not None and trend.low > ROOM / course.cycles:
        name = memory(course.warm)
        text = f"{name} grew by {trend.mid:.0f} bytes a cycle ({trend.low:.0f} to {trend.high:.0f})"
        found.append(Finding(name, trend.mid, text))
    return found


def told(course: Course) -> dict[str, Any]:
    """Return the counters over cycles as they are filed: the first values are the warm ones, the last the settled."""
    seen = [(0.0, course.warm), *course.samples, (float(course.cycles), course.settled)]
    names = [name for name in (*EXACT, *MEMORY) if all(name in counters for _, counters in seen)]
    return {
        "cycles": [int(at) for at, _ in seen],
        "counters": {name: [counters[name] for _, counters in seen] for name in names},
    }


def figures(course: Course) -> dict[str, float]:
    """Return each counter's growth a cycle, and the slope of memory with its interval."""
    shown = {
        f"{name}_per_cycle": round((course.settled[name] - course.warm[name]) / course.cycles, 3)
        for name in EXACT
        if name in course.warm and name in course.settled
    }
    trend = slope(course)
    if trend is not None:
        name = memory(course.warm)
        ends = {"": trend.mid, "_low": trend.low, "_high": trend.high}
        shown |= {f"{name}_per_cycle{end}": round(value, 1) for end, value in ends.items()}
    return shown
