"""Cells named by a pattern of their id, as the data files do (known issues, budgets).

A pattern has the five parts of an id; each part, left and right apart, is a glob or several, separated by `|`:
`req-rep/tcp4|tcp6/go-zeromq>*/*/1-byte`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import cache

from harness.model.matrix import Cell


def check(pattern: str) -> None:
    """Refuse what is no pattern of cell ids; ValueError."""
    if pattern.count("/") != 4 or pattern.split("/")[2].count(">") > 1:
        raise ValueError(f"{pattern!r} must have five parts, separated by '/'")


def names(patterns: Iterable[str], cell: Cell) -> bool:
    """Whether one of the patterns names the cell."""
    parts = (cell.pattern, cell.transport, cell.left, cell.right, cell.binds, cell.what)
    return any(all(glob.match(part) for part, glob in zip(parts, _globs(text), strict=True)) for text in patterns)


@cache
def _globs(text: str) -> list[re.Pattern[str]]:
    """Compile a pattern, a part each; a pair without `>` names the left, and any right."""
    pattern, transport, pair, *rest = text.split("/")
    left, _, right = pair.partition(">")
    parts = (pattern, transport, left, right or "*", *rest)
    return [re.compile("|".join(translate(choice) for choice in part.split("|"))) for part in parts]
