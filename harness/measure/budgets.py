"""Budgets: bounds on latency as data (`tests/budgets.toml`).

A budget names cells (`harness.model.naming`), the floor that it is a ratio to, and the bounds: `p50` and `p99` as
multiples of the floor's own p50 and p99, `p50_us` and `p99_us` as ceilings in µs for whoever has a quiet machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.measure import histogram, paired
from harness.measure.histogram import Latency
from harness.model import naming, tables
from harness.model.figures import Figures
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict

SUBJECT: Final = "subject"
RAW: Final = "raw"
LIBRARY: Final = "library"
"""The names of the rows: what is measured, and its floors: plain sockets between the same two processes, and the
same pattern between two processes of the reference implementation."""

RATIOS: Final = ("p50", "p99")
CEILINGS: Final = ("p50_us", "p99_us")
_KEYS: Final = ("name", "cells", "floor", "reason", *RATIOS, *CEILINGS)


@dataclass(frozen=True, slots=True)
class Budget:
    """One entry of the file. A bound that is not given is None."""

    name: str
    cells: tuple[str, ...]
    floor: str
    reason: str
    p50: float | None
    p99: float | None
    p50_us: float | None
    p99_us: float | None


def parse(text: str, file: str) -> list[Budget]:
    """Read a budgets file; ValueError is one line with file, entry, key and reason."""
    budgets: list[Budget] = []
    for where, entry in tables.read(text, file, "budget"):
        budget = _entry(entry, where)
        tables.check_name(budget.name, [other.name for other in budgets], where, "budget")
        budgets.append(budget)
    return budgets


def _entry(entry: dict[str, Any], where: str) -> Budget:
    tables.check_keys(entry, where, _KEYS, ("name", "reason"))
    cells = entry.get("cells")
    if not isinstance(cells, list) or not cells or not all(isinstance(pattern, str) for pattern in cells):
        raise ValueError(f"{where}: key 'cells' must be a list of at least one pattern of cells")
    tables.check_cells(cells, where)
    if entry.get("floor") not in (RAW, LIBRARY):
        raise ValueError(f"{where}: key 'floor' must be {RAW!r} or {LIBRARY!r}")
    bounds = {key: _bound(entry[key], f"{where}: key {key!r}") for key in (*RATIOS, *CEILINGS) if key in entry}
    if not bounds:
        raise ValueError(f"{where}: a budget needs at least one of {', '.join((*RATIOS, *CEILINGS))}")
    return Budget(
        entry["name"],
        tuple(cells),
        entry["floor"],
        entry["reason"],
        **{key: bounds.get(key) for key in (*RATIOS, *CEILINGS)},
    )


def _bound(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"{where} must be a number above 0")
    return float(value)


def of(budgets: Sequence[Budget], cell: Cell) -> list[Budget]:
    """Return the budgets that a cell must keep."""
    return [budget for budget in budgets if naming.names(budget.cells, cell)]


Rows = Mapping[str, Sequence[Latency]]
"""Blocks of the subject and of each floor, in the order in which they were measured."""


def ratio(rows: Rows, floor: str, percentile: str) -> paired.Interval:
    """Return the subject's multiple of a floor."""
    return paired.median_interval(paired.ratios(_column(rows[SUBJECT], percentile), _column(rows[floor], percentile)))


def hold(budget: Budget, rows: Rows) -> list[tuple[Verdict, str]]:
    """Hold what was measured against each bound of a budget."""
    held = []
    for key in RATIOS:
        limit = getattr(budget, key)
        if limit is None:
            continue
        if budget.floor not in rows:
            held.append((Verdict.INCONCLUSIVE, f"{budget.name}: there is no floor {budget.floor!r} here"))
            continue
        what = f"{budget.name}: {key} against {budget.floor}"
        # Tails are restless by nature, and the interval says so; whether the machine is, its medians tell.
        held.append(paired.hold(what, ratio(rows, budget.floor, key), limit, _column(rows[budget.floor], "p50")))
    for key in CEILINGS:
        limit = getattr(budget, key)
        if limit is not None:
            found = paired.median_interval(_column(rows[SUBJECT], key.removesuffix("_us")))
            verdict = Verdict.FAIL if found.low > limit else Verdict.PASS
            held.append((verdict, f"{budget.name}: {key}: {found} µs, and the ceiling is {limit:g}"))
    return held


def file(rows: Rows, figures: Figures) -> None:
    """File what was measured: ratios with their intervals, each row's times in µs, and its histogram."""
    found: dict[str, float] = {}
    for floor in rows.keys() - {SUBJECT}:
        for percentile in RATIOS:
            interval = ratio(rows, floor, percentile)
            name = f"{percentile} ×{floor}"
            found |= {name: interval.mid, f"{name} low": interval.low, f"{name} high": interval.high}
    for name, blocks in rows.items():
        total = histogram.together(list(blocks))
        found |= {f"{name} {percentile} µs": value for percentile, value in total.percentiles.items()}
        found[f"{name} jitter µs"] = total.jitter
        figures.histograms[name] = total.encoded
    figures |= {name: float(f"{value:.4g}") for name, value in sorted(found.items())}


def _column(blocks: Sequence[Latency], percentile: str) -> list[float]:
    return [block[percentile] for block in blocks]
