"""Known issues: failures that are expected, as data (`tests/known_issues.toml`).

An issue names cells by a pattern of five parts (each part, left and right apart, is a glob or several, separated by
`|`), under what conditions it holds, which verdict it predicts, what the failure says, and why. It is strict: a
cell that it names and that passes becomes `fixed`, which fails the run until the entry is removed or narrowed; a
cell that fails in another way than predicted is news. Only for a race in a library, whose cells fail now and then,
`sometimes = true` lets a cell pass too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from harness.model import naming, tables
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Condition:
    """When an issue holds: versions of an implementation, operating systems. Empty fields always hold."""

    implementation: str = ""
    version: SpecifierSet = field(default_factory=SpecifierSet)
    os: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """One entry of the file."""

    name: str
    cells: tuple[str, ...]
    verdict: Verdict
    reason: str
    link: str
    when: Condition
    says: str = ""
    sometimes: bool = False

    def predicts(self, verdict: Verdict, reason: str) -> bool:
        """Whether this failure is the one that the entry means."""
        return verdict is self.verdict and self.says in reason

    def holds(self, cell: Cell, versions: Mapping[str, str], system: str) -> bool:
        """Whether a failure of this cell is expected, given the versions of its implementations."""
        if not naming.names(self.cells, cell):
            return False
        if self.when.os and system not in self.when.os:
            return False
        if not self.when.implementation:
            return True
        version = versions.get(self.when.implementation)
        if version is None:
            return False
        try:
            return self.when.version.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False


_KEYS: Final = {"name", "cells", "verdict", "says", "reason", "link", "when", "sometimes"}
_WHEN_KEYS: Final = {"implementation", "version", "os"}


def parse(text: str, file: str) -> list[KnownIssue]:
    """Read a known-issues file; ValueError is one line with file, entry, key and reason."""
    issues: list[KnownIssue] = []
    for where, entry in tables.read(text, file, "issue"):
        issue = _entry(entry, where)
        tables.check_name(issue.name, [other.name for other in issues], where, "issue")
        issues.append(issue)
    return issues


def _entry(entry: dict[str, Any], where: str) -> KnownIssue:
    tables.check_keys(entry, where, sorted(_KEYS), ("name", "reason", "link"))
    try:
        verdict = Verdict(entry.get("verdict", "fail"))
    except ValueError:
        verdict = Verdict.PASS
    if verdict not in (Verdict.FAIL, Verdict.CRASH, Verdict.HANG):
        raise ValueError(f"{where}: key 'verdict' must be fail, crash or hang")
    if not isinstance(entry.get("says", ""), str):
        raise ValueError(f"{where}: key 'says' must be a text that the failure's reason contains")
    if not isinstance(entry.get("sometimes", False), bool):
        raise ValueError(f"{where}: key 'sometimes' must be true or false")
    cells = _texts(entry.get("cells"), f"{where}: key 'cells'")
    if not cells:
        raise ValueError(f"{where}: key 'cells' must name at least one pattern of cells")
    tables.check_cells(cells, where)
    return KnownIssue(
        name=entry["name"],
        cells=cells,
        verdict=verdict,
        reason=entry["reason"],
        link=entry["link"],
        when=_condition(entry.get("when", {}), where),
        says=entry.get("says", ""),
        sometimes=entry.get("sometimes", False),
    )


def _condition(when: Any, where: str) -> Condition:
    if not isinstance(when, dict):
        raise ValueError(f"{where}: key 'when' must be a table")
    if extra := when.keys() - _WHEN_KEYS:
        raise ValueError(f"{where}: unknown key 'when.{sorted(extra)[0]}'; known are {', '.join(sorted(_WHEN_KEYS))}")
    try:
        version = SpecifierSet(when.get("version", ""))
    except (InvalidSpecifier, AttributeError, TypeError):
        raise ValueError(
            f"{where}: key 'when.version': {when['version']!r} is no version range like '<=0.17.0'"
        ) from None
    implementation = when.get("implementation", "")
    if not isinstance(implementation, str) or (str(version) and not implementation):
        raise ValueError(f"{where}: key 'when.implementation' must name whose version is meant")
    return Condition(implementation, version, _texts(when.get("os", []), f"{where}: key 'when.os'"))


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence) or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"{where} must be a text or a list of texts")
    return tuple(value)


def expected(
    issues: Sequence[KnownIssue], cell: Cell, versions: Mapping[str, str], system: str, verdict: Verdict, reason: str
) -> tuple[Verdict, KnownIssue | None]:
    """Hold a verdict against the known issues; returns the verdict to report, and the issue that explains it."""
    holding = [issue for issue in issues if issue.holds(cell, versions, system)]
    if verdict is Verdict.PASS:
        # What was seen on this machine's loopback may need its timing: elsewhere every issue may stay out.
        strict = next((issue for issue in holding if not issue.sometimes and not cell.places), None)
        return (Verdict.FIXED if strict else verdict), strict
    issue = next((issue for issue in holding if issue.predicts(verdict, reason)), None)
    return (Verdict.KNOWN if issue else verdict), issue
