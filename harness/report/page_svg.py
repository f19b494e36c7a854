"""Matplotlib's drawings as SVG that takes its colours from the page, so that one drawing serves light and dark.

Every drawing uses the placeholders below instead of colours; they become CSS variables. Text stays text: it is small,
can be searched, and the page translates the words in `WORDS` of its texts.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK: Final = "#010101"
FAINT: Final = "#020202"
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

    return matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": name})


def figure(width: float, height: float) -> Figure:
    """Return an empty figure; sizes in inches of 72 points."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


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
