"""The matrix as text: patterns by pairs, one character a square, and what needs explaining below it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from harness.model.patterns import IMPLEMENTATIONS, MIXED, PATTERNS
from harness.model.verdicts import Verdict, worst
from harness.places.face import LOCAL
from harness.report.store import Record, Run

_MAX_LINES = 40

_MAX_MISSING = 3
"""Cells without a verdict that are named: a run that was stopped has hundreds, and they say nothing."""


def squares(records: Sequence[Record]) -> dict[tuple[str, str, str], Verdict]:
    """Return the worst verdict for each (pattern, left, right)."""
    found: dict[tuple[str, str, str], list[Verdict]] = defaultdict(list)
    for record in records:
        found[record.cell.pattern, record.cell.left, record.cell.right].append(record.verdict)
    return {key: worst(verdicts) for key, verdicts in found.items()}


def summary(run: Run) -> Iterator[str]:
    """Yield the table and what explains it."""
    yield from grid(run)
    yield ""
    for place, counts in by_place(run).items():
        yield f"{place:<28} " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    yield from explanations(run)


def by_place(run: Run) -> dict[str, Counter[Verdict]]:
    """Count verdicts by where left and right ran; empty if all cells ran on this machine."""
    found: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for record in run.records:
        found[record.cell.places or LOCAL][record.verdict] += 1
    return {} if set(found) <= {LOCAL} else dict(sorted(found.items()))


def explanations(run: Run) -> Iterator[str]:
    """Yield the counts, known issues, what is unsupported and why, and everything unexpected."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in run.summary.items())
    yield f"{len(run.records)} cell{'' if len(run.records) == 1 else 's'}: {counts}"
    issues = Counter(record.issue for record in run.records if record.verdict is Verdict.KNOWN)
    for issue, count in sorted(issues.items()):
        yield f"  known      {count:5} × {issue}"
    lacking = Counter(record.reason for record in run.records if record.verdict is Verdict.UNSUPPORTED)
    for reason, count in lacking.most_common(12):
        yield f"  unsupported {count:4} × {reason}"
    for record in run.records:
        if record.verdict is Verdict.INCONCLUSIVE:
            yield f"  inconclusive {record.cell.id}: {record.reason:.160}"
    news = run.unexpected
    reported = [record for record in news if record.verdict is not Verdict.MISSING]
    missing = [record for record in news if record.verdict is Verdict.MISSING]
    shown = [*reported[:_MAX_LINES], *missing[:_MAX_MISSING]]
    for record in shown:
        yield f"  {record.verdict.upper():<11} {record.cell.id}: {record.reason:.160}"
        if record.blame:
            yield f"              blame: {record.blame}"
    if len(news) > len(shown):
        yield f"  … and {len(news) - len(shown)} more; see the report"
    for problem in run.problems:
        yield f"  PROBLEM     {problem}"


def axes(run: Run) -> tuple[list[str], list[str], list[str]]:
    """Return a run's patterns, left and right implementations, in the order of the tables."""
    cells = [record.cell for record in run.records]
    patterns = {cell.pattern for cell in cells}
    return (
        [name for name in PATTERNS if name in patterns],
        _ordered({cell.left for cell in cells}),
        _ordered({cell.right for cell in cells}),
    )


def _ordered(names: set[str]) -> list[str]:
    known = [name for name in IMPLEMENTATIONS if name in names]
    return [*known, *sorted(names - {*known, MIXED}), *([MIXED] if MIXED in names else [])]


def grid(run: Run) -> Iterator[str]:
    """Yield the table: a row a pattern, a column a pair."""
    cells = squares(run.records)
    patterns, lefts, rights = axes(run)
    pairs = {left: [right for right in rights if any((p, left, right) in cells for p in patterns)] for left in lefts}
    keys = {name: _key(index) for index, name in enumerate(_ordered({*lefts, *rights}))}
    yield ", ".join(f"{key} = {name}" for name, key in keys.items()) + "; left > right"
    width = max(len(name) for name in PATTERNS)
    heads = (" ".join(f"{keys[left]}{keys[right]:<2}" for right in pairs[left]) for left in lefts)
    yield f"{'':<{width}}  {' '.join(heads)}".rstrip()
    for pattern in patterns:
        groups = (" ".join(f"{_mark(cells.get((pattern, left, right))):<3}" for right in pairs[left]) for left in lefts)
        yield f"{pattern:<{width}}  {' '.join(groups)}".rstrip()
    used = [verdict for verdict in Verdict if verdict in cells.values()]
    yield "worst of each square: " + ", ".join(f"{verdict.mark} {verdict}" for verdict in used)


def _key(index: int) -> str:
    """Name a column: A to Z, then a, b, …."""
    return chr(ord("A") + index) if index < 26 else chr(ord("a") + index - 26)


def _mark(verdict: Verdict | None) -> str:
    return verdict.mark if verdict is not None else " "
