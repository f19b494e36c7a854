"""Cells named by a pattern of their id, as the data files do (known issues, budgets).

A pattern has the five parts of an id; each part, left and right apart, is a glob or several, separated by `|`:
`req-rep/tcp4|tcp6/go-zeromq>*/*/1-byte`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import cache

from harness.model.matrix import Cell


def check(pattern: str) -> None:
    """Refuse what is no pattern of cell ids; ValueError."""
    if pattern.count("/") != 4 or pattern.split("/")[2].count(">") > 1:
        raise ValueError(f"{pattern!r} must have five parts, separated by '/'")


def names(patterns: Iterable[str], cell: Cell) -> bool:
    """Whether one of the patterns names the cell."""
    for text in patterns:
        what, pattern, left, right, transport, binds = _globs(text)
        # What is done tells cells apart best, so most patterns need one comparison. Each cell asks this of each issue.
        if (
            what(cell.what)
            and pattern(cell.pattern)
            and left(cell.left)
            and right(cell.right)
            and transport(cell.transport)
            and binds(cell.binds)
        ):
            return True
    return False


@cache
def _globs(text: str) -> list[Callable[[str], object]]:
    """Compile a pattern, a part each, the most telling first; a pair without `>` names the left, and any right."""
    pattern, transport, pair, binds, what = text.split("/")
    left, _, right = pair.partition(">")
    parts = (what, pattern, left, right or "*", transport, binds)
    return [re.compile("|".join(translate(choice) for choice in part.split("|"))).match for part in parts]
