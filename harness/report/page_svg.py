"""Matplotlib's drawings as SVG that takes its colours from the page, so that one drawing serves light and dark.

Every drawing uses the placeholders below instead of colours; they become CSS variables. Text stays text: it is small,
can be searched, and the page translates the words in `WORDS` of its texts.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK: Final = "#010101"
FAINT: Final = "#020202"
_TOP: Final = 0.45
_BOTTOM: Final = 0.5
"""Inches above and below all panels: for the legend and titles, and for the axis."""

SERIES: Final = tuple(f"#0300{number:02x}" for number in range(1, 7))
"""Placeholders for ink, for lines of the grid, and for up to six series."""

VERDICT: Final = "#0400{:02x}"
"""Placeholder for a verdict's colour, by its place in the order of severity."""

_SETTINGS: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def settings(name: str) -> Any:
    """Return a context in which figures get the page's looks; `name` keeps the ids of several drawings apart."""
    import matplotlib

    chosen: Any = {**_SETTINGS, "svg.hashsalt": name}
    return matplotlib.rc_context(chosen)


def panels(
    lines: int,
    columns: int,
    size: tuple[float, float],
    *,
    left: float = 0.75,
    gaps: tuple[float, float] = (0.15, 0.3),
    **share: Any,
) -> tuple[Figure, Any]:
    """Return a figure with a legend's room at its top, and its panels in lines and columns.

    `size` is that of one panel, all in inches of 72 points; `left` the room for labels, `gaps` those between panels. A
    layout that looks for its own margins would draw everything several times.
    """
    from matplotlib.figure import Figure

    width = left + columns * size[0] + (columns - 1) * gaps[0] + 0.1
    height = _TOP + lines * size[1] + (lines - 1) * gaps[1] + _BOTTOM
    figure = Figure(figsize=(width, height))
    margins = {"left": left / width, "right": 1 - 0.1 / width, "top": 1 - _TOP / height, "bottom": _BOTTOM / height}
    space = {"wspace": gaps[0] / size[0], "hspace": gaps[1] / size[1]}
    return figure, figure.subplots(lines, columns, squeeze=False, gridspec_kw=margins | space, **share)


def legend(figure: Figure, handles: Mapping[str, Any], columns: int = 6) -> None:
    """Put a legend above the panels; `handles` by their labels."""
    figure.legend(list(handles.values()), list(handles), loc="upper left", ncols=columns, borderaxespad=0.2)


def plain_numbers(axis: Any, steps: tuple[float, ...] = (1.0, 2.0, 5.0)) -> None:
    """Write 0.5, 1, 2, 5, 10 on a log axis instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())


def svg(drawn: Figure, title: str) -> str:
    """Return a figure as an element for the page, called `title` for those who can't see it."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    drawn.savefig(file, format="svg", metadata=nothing)
    return cleaned(file.getvalue(), title)


def cleaned(text: str, title: str) -> str:
    """Take out what only a file of its own needs, name the drawing, and let the page choose the colours."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    head, rest = text[: text.index(">")], text[text.index(">") + 1 :]
    box = re.search(r'viewBox="[^"]*"', head)
    width = re.search(r'width="([\d.]+)pt"', head)
    assert box is not None
    assert width is not None
    rest = re.sub(r"<style.*?</style>\s*", "", rest, flags=re.DOTALL)  # would hold for the whole page
    rest = re.sub(r'(<g) id="[\w.]*"', r"\1", rest)
    rest = re.sub(r" font-family: [^;\"]*;", "", rest)
    rest = re.sub(r' transform="rotate\(-?0 [^"]*"', "", rest)
    rest = rest.replace(INK, "currentColor").replace(FAINT, "var(--grid)")
    rest = re.sub(r"#0300(0[1-6])", lambda found: f"var(--s{int(found[1], 16)})", rest)
    rest = re.sub(r"#0400([0-9a-f]{2})", lambda found: f"var(--w{int(found[1], 16)})", rest)
    rest = re.sub(r' d="[^"]*"', lambda found: re.sub(r"(\.\d)\d+", r"\1", found[0]), rest)
    rest = re.sub(r"\s*\n\s*", "\n", rest)
    named = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    opening = f'<svg role="img" aria-label="{named}" {box[0]} style="max-width:{float(width[1]) * 1.25:.0f}px"'
    return f'{opening} xmlns:xlink="http://www.w3.org/1999/xlink">{rest}'.strip()
