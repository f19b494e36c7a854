"""What a run's own records let be drawn: latency percentiles beside their floors, and what each worker did when.

Matplotlib is imported only when there is something to draw: most runs have nothing, and importing it takes a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.measure import compare, histogram
from harness.measure.budgets import LIBRARY, RAW, SUBJECT
from harness.model.verdicts import Verdict, worst
from harness.report import page_svg
from harness.report.page_data import SEVERITY
from harness.report.store import Record, Run


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing: the key of its caption in the page's texts, what fills the caption, and the SVG."""

    caption: str
    svg: str
    values: Mapping[str, object] = field(default_factory=dict)


ROWS: Final = (SUBJECT, LIBRARY, RAW)
STYLES: Final = {SUBJECT: ("-", "o"), LIBRARY: ("--", "s"), RAW: (":", "^")}

_RANKS: Final = {f"{rank:g}": histogram.nines(rank) for rank in (50.0, 90.0, 99.0, 99.9)}
"""Where a percentile stands: one step for each nine, so that the tail is as wide as the body."""

MOST: Final = 24
"""Groups of measured cells that are drawn; each is some 60 KB."""

_SHORTEST: Final = 2.0
"""Seconds: a timeline of a shorter run shows nothing that is worth drawing."""

_BINS: Final = 400


def groups(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the measured cells by what they share: everything but the pair."""
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if SUBJECT in record.histograms:
            cell = record.cell
            found[f"{cell.what}, {cell.pattern}, {cell.transport}"].append(record)
    return dict(sorted(found.items()))


def latency(run: Run) -> Iterator[Plot]:
    """Yield for each group its percentiles, and its ratios to the floors."""
    for name, records in list(groups(run.records).items())[:MOST]:
        with page_svg.settings(name):
            yield Plot("caption_percentiles", _percentiles(name, records), {"group": name})
        if any(compare.intervals(record.figures) for record in records):
            with page_svg.settings(f"{name} ratios"):
                yield Plot("caption_ratios", _ratios(name, records), {"group": name})


def _percentiles(name: str, records: Sequence[Record]) -> str:
    """Draw a panel for each pair, all on the same axes."""
    columns = min(4, len(records))
    lines = -(-len(records) // columns)
    figure, panels = page_svg.panels(lines, columns, (2.2, 1.3), sharex=True, sharey=True)
    for panel in panels.flat:
        panel.set_visible(False)
    for record, panel in zip(records, panels.flat, strict=False):
        panel.set_visible(True)
        panel.set_title(f"{record.cell.left} > {record.cell.right}", fontsize=8)
        panel.set_yscale("log")
        page_svg.plain_numbers(panel.yaxis, steps=(1.0,))
        panel.set_xticks(list(_RANKS.values()), list(_RANKS))
        for row, colour in zip(ROWS, page_svg.SERIES, strict=False):
            if row in record.histograms:
                line, mark = STYLES[row]
                points = histogram.curve(record.histograms[row])
                looks = {"marker": mark, "markersize": 3, "markevery": [-1], "color": colour, "label": row}
                panel.plot(*zip(*points, strict=True), line, **looks)
    for panel in panels[:, 0]:
        panel.set_ylabel("µs")
    for index, panel in enumerate(panels.flat):
        if index + columns >= len(records):
            panel.tick_params(labelbottom=True)
            panel.set_xlabel("percentile")
    page_svg.legend(figure, _handles(panels.flat))
    return page_svg.svg(figure, f"latency percentiles: {name}")


def _handles(panels: Iterable[Any]) -> dict[str, Any]:
    """Return what the legend shows, each label once."""
    return {label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}


def _ratios(name: str, records: Sequence[Record]) -> str:
    """Draw each pair's p50 as multiples of its floors, with intervals."""
    figure, ((panel,),) = page_svg.panels(1, 1, (6.0, 0.24 * len(records)), left=2.2)
    panel.set_xscale("log")
    for floor, colour, mark, shift in ((LIBRARY, page_svg.SERIES[1], "s", -0.13), (RAW, page_svg.SERIES[2], "^", 0.13)):
        found = [(index, compare.intervals(one.figures).get(f"p50 ×{floor}")) for index, one in enumerate(records)]
        known = [(index + shift, one) for index, one in found if one is not None]
        if known:
            middles = [one.mid for _, one in known]
            ends = ([one.mid - one.low for _, one in known], [one.high - one.mid for _, one in known])
            at = [index for index, _ in known]
            panel.errorbar(
                middles, at, xerr=ends, fmt=mark, color=colour, markersize=4, capsize=2, label=f"p50 ×{floor}"
            )
    panel.axvline(1.0, color=page_svg.INK, linewidth=0.8)
    panel.set_yticks(range(len(records)), [f"{record.cell.left} > {record.cell.right}" for record in records])
    panel.set_ylim(len(records) - 0.5, -0.5)
    page_svg.plain_numbers(panel.xaxis)
    page_svg.legend(figure, _handles([panel]))
    return page_svg.svg(figure, f"ratios to the floors: {name}")


Span = tuple[float, float, Verdict]
"""From, for how long, and the worst verdict of the cells in it; in seconds since the run began."""


def timeline(run: Run) -> Iterator[Plot]:
    """Yield what each worker did when; nothing for short runs and for those that did not note it."""
    busy = spans(run.records)
    if not busy or max(start + length for rows in busy.values() for start, length, _ in rows) < _SHORTEST:
        return
    with page_svg.settings("timeline"):
        figure, ((panel,),) = page_svg.panels(1, 1, (9.0, 0.32 * len(busy)))
        for line, rows in enumerate(busy.values()):
            for verdict in SEVERITY:
                bars = [(start, length) for start, length, one in rows if one is verdict]
                if bars:
                    colour = page_svg.VERDICT.format(SEVERITY.index(verdict))
                    panel.broken_barh(
                        bars, (line - 0.38, 0.76), facecolor=colour, edgecolor="none", label=verdict.value
                    )
        panel.set_yticks(range(len(busy)), [name or "main" for name in busy])
        panel.set_ylim(len(busy) - 0.5, -0.5)
        panel.set_xlim(left=0)
        panel.set_xlabel("seconds since the start")
        panel.grid(visible=False, axis="y")
        page_svg.legend(figure, _handles([panel]))
        yield Plot("caption_timeline", page_svg.svg(figure, "timeline of the workers"))


def spans(records: Sequence[Record]) -> dict[str, list[Span]]:
    """Return what each worker was busy with, in steps of a 400th of the run, of which each has its worst verdict."""
    timed = [record for record in records if record.at > 0]
    if not timed:
        return {}
    width = max(record.at + record.seconds for record in timed) / _BINS
    workers: dict[str, dict[int, Verdict]] = defaultdict(dict)
    for record in timed:
        bins = workers[record.worker]
        for number in range(int(record.at / width), int((record.at + record.seconds) / width) + 1):
            bins[number] = worst((bins.get(number, record.verdict), record.verdict))
    return {worker: [*_joined(bins, width)] for worker, bins in sorted(workers.items())}


def _joined(bins: Mapping[int, Verdict], width: float) -> Iterator[Span]:
    """Yield neighbouring steps with the same verdict as one."""
    first = last = -2
    for number in [*sorted(bins), -1]:
        if number == last + 1 and bins[number] is bins[first]:
            last = number
            continue
        if first >= 0:
            yield first * width, (last + 1 - first) * width, bins[first]
        first = last = number
