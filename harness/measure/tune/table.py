"""A tuning study on the terminal: a table of effects for each peer, and one of claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.measure.tune import claims
from harness.measure.tune.effects import UNSURE
from harness.measure.tune.report import Report
from harness.measure.tune.study import Result

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
    """Yield a table for each peer of the effects that could be told; all the figures are in the files."""
    for peer in report.peers:
        mine = [row for row in report.results if row.peer == peer]
        shown = Table(title=f"{peer} on both ends: changed / default")
        for name, side in (("factor", "left"), ("metric", "left"), ("×", "right"), ("interval", "right"), ("", "left")):
            shown.add_column(name, justify="right" if side == "right" else "left")
        for row in mine:
            for effect in row.effects.values():
                if effect.ratio is not None and effect.says != UNSURE:
                    ends = f"{_short(effect.ratio.low)}–{_short(effect.ratio.high)}"
                    says = Text(effect.says, style="green" if effect.says in _GOOD else "red")
                    shown.add_row(row.factor.name, effect.metric, _short(effect.ratio.mid), ends, says)
        quiet = [row.factor.name for row in mine if row.effects and not _told(row)]
        shown.caption = "beyond the placebo's interval" + (f"; cannot tell: {', '.join(quiet)}" if quiet else "")
        yield Group(shown, *_missing(mine)) if any(map(_told, mine)) else Group(Text(shown.caption), *_missing(mine))


def _told(row: Result) -> bool:
    return any(effect.says != UNSURE for effect in row.effects.values())


def _missing(rows: list[Result]) -> Iterator[RenderableType]:
    for row in rows:
        if row.skipped:
            yield Text(f"{row.peer}, {row.factor.name}: {row.skipped}", style="dim")


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
