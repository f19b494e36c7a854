"""A tuning study on the terminal: a table of effects for each peer, and one of claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.measure.paired import Interval
from harness.measure.tune import claims
from harness.measure.tune import effects as on
from harness.measure.tune.effects import UNSURE, Effect
from harness.measure.tune.report import Report
from harness.measure.tune.study import Result

_SHOWN: Final = {
    on.LOCK_P50: "lock-step\np50",
    on.LOCK_P99: "lock-step\np99",
    on.OPEN_P99: "open loop\np99",
    on.DELAY_P50: "queue\ndelay p50",
    on.DELAY_P99: "queue\ndelay p99",
    on.THROUGHPUT: "throughput",
    on.SWITCHES: "context\nswitches/s",
    on.PAUSE: "GC pause\np99",
    on.WAIT: "scheduler\nwait p99",
}
"""The metrics that have a column; the others are in the files."""

_GOOD: Final = ("faster", "fewer", "shorter")
_VERDICTS: Final = {claims.CONFIRMED: "green", claims.REFUTED: "red"}


def whole(report: Report) -> Iterator[RenderableType]:
    """Yield everything there is to show."""
    yield from effects(report)
    if report.findings:
        yield verdicts(report)
    yield host(report)
    if not report.whole:
        yield Text("interrupted: this is what was measured until then", style="bold")


def effects(report: Report) -> Iterator[RenderableType]:
    """Yield a table of effects for each peer."""
    for peer in report.peers:
        mine = [row for row in report.results if row.peer == peer]
        shown = Table(
            title=f"{peer} on both ends: changed / default, with the interval",
            caption="nothing: default against default; an effect counts only beyond its intervals",
            show_lines=True,
        )
        shown.add_column("factor", min_width=14)
        columns = [name for name in _SHOWN if any(name in row.effects for row in mine)]
        for name in columns:
            shown.add_column(_SHOWN[name], justify="right", no_wrap=True)
        for row in mine:
            if row.effects:
                shown.add_row(row.factor.name, *(square(row.effects.get(name)) for name in columns))
        yield Group(shown, *_missing(mine)) if columns else Group(*_missing(mine))


def _missing(rows: list[Result]) -> Iterator[RenderableType]:
    for row in rows:
        if row.skipped:
            yield Text(f"{row.peer}, {row.factor.name}: {row.skipped}", style="dim")


def square(effect: Effect | None) -> Text:
    """Draw one effect: what it says, the ratio, its interval."""
    if effect is None:
        return Text("")
    if effect.ratio is None:
        return Text(f"{effect.default:.3g}\nto {effect.changed:.3g}", style="dim")
    lines = f"{effect.says}\n×{_short(effect.ratio.mid)}\n{_ends(effect.ratio)}"
    style = "dim" if effect.says == UNSURE else "green" if effect.says in _GOOD else "red"
    return Text(lines, style=style)


def _ends(interval: Interval) -> str:
    return f"{_short(interval.low)}–{_short(interval.high)}"


def _short(number: float) -> str:
    if number and not 0.01 <= number < 1000:
        return f"{number:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{number:.2f}" if number < 10 else f"{number:.0f}"


def verdicts(report: Report) -> Table:
    """Return the table of claims."""
    shown = Table(title="an article's claims beside what was measured", show_lines=True)
    for name in ("claim", "peer", "verdict", "why"):
        shown.add_column(name)
    for row in report.findings:
        colour = _VERDICTS.get(row.verdict, "dim")
        shown.add_row(escape(row.claim.text), escape(row.peer), f"[{colour}]{row.verdict}[/]", escape(row.sentence))
    return shown


def host(report: Report) -> Table:
    """Return the recorded facts."""
    shown = Table("recorded, not changed", "")
    for name, text in report.facts.items():
        shown.add_row(name, escape(text))
    for name, ms in report.timers.items():
        shown.add_row(f"a timer of 1 ms in {name}", f"{ms:.3f} ms")
    return shown
