"""Drawings of the studies that lie beside a run: `soak.json`, `load.json` and `tune.json`.

Their files are written elsewhere and may be older than this page: what cannot be read is said, and spoils nothing else.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from harness.report import page_curves, page_svg
from harness.report.page_plots import Plot

SOAK: Final = "soak.json"
LOAD: Final = "load.json"
TUNE: Final = "tune.json"

_POINTS: Final = 200
"""Points of a curve: more cannot be told apart on a screen."""

_EFFECTS: Final = (
    *("lock-step p50", "lock-step p99", "open loop p99", "queue delay p50", "queue delay p99", "throughput"),
    *("switches", "GC pause p99"),
)
"""The effects that are drawn; the others stand in the study's own files."""

_WIDE: Final = 20.0
"""An axis that spans more than this many times its beginning has room for powers of ten only."""

_UNSURE: Final = "cannot tell"


def plots(folder: Path) -> Iterator[tuple[str, list[Plot] | str]]:
    """Yield for each study beside a run its file's name, and its drawings or why there are none."""
    for name, draw in _STUDIES.items():
        if not (folder / name).is_file():
            continue
        try:
            yield name, list(draw(json.loads((folder / name).read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            yield name, f"{type(error).__name__}: {error}"


def thinned(points: Sequence[Any]) -> Sequence[Any]:
    """Return some of many points, always with the last."""
    step = -(-len(points) // _POINTS) or 1
    return [*points[:-1:step], *points[-1:]]


def soak(data: Mapping[str, Any]) -> Iterator[Plot]:
    """Draw each counter over time: judged processes in colour, those that were killed in turn faint."""
    series: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in data["series"]:
        series[one["counter"]].append(one)
    judged = sorted({one["peer"] for one in data["series"] if one["peer"].endswith(" left")})
    colours = dict(zip(judged, page_svg.SERIES, strict=False))
    columns, lines = 2, -(-len(series) // 2)
    with page_svg.settings(SOAK):
        figure, panels = page_svg.panels(lines, columns, (4.2, 1.3), gaps=(0.5, 0.35), sharex=True)
        handles: dict[str, Any] = {}
        for panel in panels.flat[len(series) :]:
            panel.set_visible(False)
        for (counter, rows), panel in zip(series.items(), panels.flat, strict=False):
            page_curves.titled(panel, counter)
            for row in rows:
                colour = colours.get(row["peer"])
                line = page_curves.line(
                    panel,
                    counter,
                    thinned(row["points"]),
                    color=colour or page_svg.SERIES[5],
                    linewidth=1.4 if colour else 0.6,
                    zorder=2 if colour else 1,
                )
                if colour:
                    handles[row["peer"]] = line
            panel.set_ylim(bottom=0, top=max(1.0, panel.get_ylim()[1]))
        for panel in panels.flat[max(0, len(series) - columns) : len(series)]:
            panel.tick_params(labelbottom=True)
            panel.set_xlabel("seconds since the start")
        page_svg.legend(figure, handles)
        svg = page_svg.svg(figure, "counters over time")
    told = [f"{one['peer']}: {one['text']}" for one in data["grew"]]
    told += [f"{peer} is not judged: {why}" for peer, why in data.get("unwatched", {}).items()]
    grew = "; ".join(told)
    about = {"seconds": round(data["seconds"]), "turns": data["turns"], "restarts": data["restarts"], "grew": grew}
    clean = "caption_soak" if data.get("judged", True) else "caption_soak_short"
    yield Plot("caption_soak_grew" if grew else clean, svg, about)


def load(data: Mapping[str, Any]) -> Iterator[Plot]:
    """Draw answers a second and waits against the number of clients, a pair of panels for each pair of peers."""
    pairs: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for course in data["courses"]:
        if course["rows"]:
            pairs[f"{course['client']} > {course['server']}"].append(course)
    for name, courses in pairs.items():
        with page_svg.settings(f"{LOAD} {name}"):
            figure, ((rate, wait),) = page_svg.panels(1, 2, (3.8, 2.2), left=0.9, gaps=(0.9, 0.0))
            for course, colour in zip(courses, page_svg.SERIES, strict=False):
                _course(course, colour, rate, wait)
            for panel, label in ((rate, "requests a second"), (wait, "ms")):
                panel.set_xscale("log")
                panel.set_yscale("log")
                panel.set_xlabel("clients")
                panel.set_ylabel(label)
                page_svg.plain_numbers(panel.xaxis, steps=(1.0,))
                page_svg.plain_numbers(panel.yaxis)
            rate.legend()
            wait.legend()
            svg = page_svg.svg(figure, f"load: {name}")
        growth = "; ".join(f"{_kind(course)}: {course['growth']['text']}" for course in courses)
        yield Plot("caption_load", svg, {"pair": name, "growth": growth})


def _course(course: Mapping[str, Any], colour: str, rate: Any, wait: Any) -> None:
    rows = course["rows"]
    clients = [row["clients"] for row in rows]
    rate.fill_between(
        clients,
        [row["rate"]["low"] for row in rows],
        [row["rate"]["high"] for row in rows],
        color=colour,
        alpha=0.2,
        lw=0,
    )
    rate.plot(clients, [row["rate"]["mid"] for row in rows], "o-", markersize=3.5, color=colour, label=_kind(course))
    if course["bend"] is not None:
        rate.axvline(course["bend"], color=colour, linestyle=":", linewidth=1.0)
    for percentile, style in (("p50", "o-"), ("p95", "s--"), ("p99", "^:")):
        label = f"{percentile} {_kind(course)}"
        wait.plot(clients, [row[percentile] for row in rows], style, markersize=3.5, color=colour, label=label)


def _kind(course: Mapping[str, Any]) -> str:
    return "default" if course["tuned"] is None else "tuned"


def tune(data: Mapping[str, Any]) -> Iterator[Plot]:
    """Draw each peer's effects with their intervals, a panel for each metric; what cannot be told apart is faint."""
    for peer in data["peers"]:
        rows = [row for row in data["results"] if row["peer"] == peer and row["effects"]]
        metrics = [name for name in _EFFECTS if any(row["effects"].get(name, {}).get("ratio") for row in rows)]
        if not metrics:
            continue
        with page_svg.settings(f"{TUNE} {peer}"):
            columns = min(4, len(metrics))
            lines = -(-len(metrics) // columns)
            size = (1.9, 0.24 * len(rows))
            figure, panels = page_svg.panels(lines, columns, size, left=1.6, gaps=(0.25, 0.55), sharey=True)
            for panel in panels.flat[len(metrics) :]:
                panel.set_visible(False)
            for metric, panel in zip(metrics, panels.flat, strict=False):
                _effects(metric, rows, panel)
            svg = page_svg.svg(figure, f"effects of tuning: {peer}")
        yield Plot("caption_tune", svg, {"peer": data["peers"][peer]})


def _effects(metric: str, rows: Sequence[Mapping[str, Any]], panel: Any) -> None:
    panel.set_title(metric)
    panel.set_xscale("log")
    panel.axvline(1.0, color=page_svg.INK, linewidth=0.8)
    for index, row in enumerate(rows):
        effect = row["effects"].get(metric)
        if not effect or not effect["ratio"] or effect["ratio"]["low"] <= 0:
            continue
        ratio = effect["ratio"]
        sure = effect["says"] != _UNSURE
        panel.errorbar(
            [ratio["mid"]],
            [index],
            xerr=[[ratio["mid"] - ratio["low"]], [ratio["high"] - ratio["mid"]]],
            fmt="D" if sure else "o",
            color=page_svg.SERIES[0] if sure else page_svg.SERIES[5],
            markersize=4,
            capsize=2,
        )
        if sure:
            panel.annotate(effect["says"], (ratio["high"], index), (4, -3), textcoords="offset points", fontsize=7)
    panel.set_yticks(range(len(rows)), [row["factor"] for row in rows])
    panel.set_ylim(len(rows) - 0.5, -0.5)
    low, high = panel.get_xlim()
    page_svg.plain_numbers(panel.xaxis, steps=(1.0,) if high / low > _WIDE else (1.0, 2.0, 5.0))


_STUDIES: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Plot]]]] = {SOAK: soak, LOAD: load, TUNE: tune}
