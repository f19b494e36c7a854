"""The verdict lattice: what can be said of a cell, and which of two verdicts is the worse."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What a run says about one cell."""

    PASS = "pass"
    FAIL = "fail"
    KNOWN = "known"
    FIXED = "fixed"
    UNSUPPORTED = "unsupported"
    CRASH = "crash"
    HANG = "hang"
    INCONCLUSIVE = "inconclusive"
    MISSING = "missing"
    """Collected and never reported: found by the audit at the end of a run."""

    @property
    def expected(self) -> bool:
        """Whether a run with this verdict may still end with exit code 0."""
        return self in _EXPECTED

    @property
    def mark(self) -> str:
        """One character for tables; never the only carrier of meaning."""
        return _MARKS[self]


_EXPECTED: Final = frozenset({Verdict.PASS, Verdict.KNOWN, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE})

_MARKS: Final = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.KNOWN: "k",
    Verdict.FIXED: "F",
    Verdict.UNSUPPORTED: "·",
    Verdict.CRASH: "C",
    Verdict.HANG: "H",
    Verdict.INCONCLUSIVE: "?",
    Verdict.MISSING: "M",
}

_SEVERITY: Final = (
    Verdict.UNSUPPORTED,
    Verdict.PASS,
    Verdict.INCONCLUSIVE,
    Verdict.KNOWN,
    Verdict.FIXED,
    Verdict.MISSING,
    Verdict.FAIL,
    Verdict.HANG,
    Verdict.CRASH,
)


def severity(verdict: Verdict) -> int:
    """Return a number that is larger for a worse verdict."""
    return _SEVERITY.index(verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that a square of several cells shows."""
    return max(verdicts, key=severity)


def blame(left: str, right: str, left_fails: bool, right_fails: bool) -> str:
    """Name the likely culprit from the same cell run left↔left and right↔right."""
    if left == right:
        return f"{left}: it fails with itself" if left_fails else f"nobody yet: {left} passed when it was repeated"
    match left_fails, right_fails:
        case True, False:
            return f"{left}: it fails with itself too, {right} with itself passes"
        case False, True:
            return f"{right}: it fails with itself too, {left} with itself passes"
        case True, True:
            return f"both {left} and {right} fail with themselves: look at the check or the host first"
        case _:
            return f"the combination: {left} and {right} each pass with themselves"
