"""What changed from one run to the next: verdicts, cells, versions. Pure.

A failure that nobody expected is new if the cell was fine, or was not there, in the run before. A cell is fixed if it
failed before, expectedly or not, and passes now. What a peer lacks and did not lack before is news too: a capability
that vanished turns failures into silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from harness.model.verdicts import Verdict
from harness.report.store import Run


class Kind(StrEnum):
    """What a changed verdict means. The values are words of the page's fragment."""

    BROKEN = "broken"
    MENDED = "mended"
    LACKING = "lacking"
    OTHER = "other"


WORDS: Final = {
    Kind.BROKEN: "new failures",
    Kind.MENDED: "fixed",
    Kind.LACKING: "newly unsupported",
    Kind.OTHER: "changed otherwise",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One cell's verdicts in two runs; `before` is None where the cell was not there."""

    cell: str
    before: Verdict | None
    after: Verdict
    kind: Kind


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that is different. `versions` holds (before, after) by name, "" for what was not there."""

    before: str
    verdicts: list[Change] = field(default_factory=list)
    appeared: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    versions: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, kind: Kind) -> list[Change]:
        """Return the changes of one kind."""
        return [change for change in self.verdicts if change.kind is kind]

    @property
    def none(self) -> bool:
        """Whether both runs say the same of the same cells and versions."""
        return not (self.verdicts or self.appeared or self.vanished or self.versions)


_FINE: Final = frozenset({Verdict.PASS, Verdict.FIXED})
_FACTS: Final[tuple[str, ...]] = ("harness", "host", "system", "python", "pyzmq", "libzmq", "cores")


def kind(before: Verdict | None, after: Verdict) -> Kind | None:
    """Say what it means that a cell had one verdict and has another; None if it means nothing."""
    if before is after:
        return None
    failed = before is not None and (not before.expected or before is Verdict.KNOWN)
    if failed and after in _FINE and before not in _FINE:
        return Kind.MENDED
    if not after.expected:
        return Kind.BROKEN if before is None or before.expected else Kind.OTHER
    if before is None:
        return None
    return Kind.LACKING if after is Verdict.UNSUPPORTED else Kind.OTHER


def between(before: Run, after: Run) -> Changes:
    """Return what changed, in the order of the later run."""
    earlier = {record.cell.id: record.verdict for record in before.records}
    later = {record.cell.id: record.verdict for record in after.records}
    return Changes(
        before.name,
        [
            Change(cell, earlier.get(cell), verdict, what)
            for cell, verdict in later.items()
            if (what := kind(earlier.get(cell), verdict)) is not None
        ],
        [cell for cell in later if cell not in earlier],
        [cell for cell in earlier if cell not in later],
        dict(_versions(facts(before), facts(after))),
    )


def facts(run: Run) -> dict[str, str]:
    """Return the versions that a run knows of: of its own parts, and of the peers as they tell them."""
    found: dict[str, str] = {name: str(run.about[name]) for name in _FACTS if name in run.about}
    loaded: Mapping[str, Any] = run.about.get("libraries", {})
    told = [one["peer"] for one in loaded.values() if "peer" in one]
    for line in (*told, *(line for record in run.records for line in record.evidence.get("peers", ()))):
        name, _, version = str(line).partition(" ")
        found.setdefault(name if name != "pyzmq" else "peer pyzmq", version)
    return found


def host(run: Run) -> dict[str, str]:
    """Return what a run knows of its machine, and of the library files that its peers had loaded."""
    loaded: Mapping[str, Any] = run.about.get("libraries", {})
    return {
        **run.about.get("facts", {}),
        **{f"library of {name}": ", ".join([one["library"], *one["files"]]) for name, one in loaded.items()},
    }


def _versions(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what differs, of what both know: a run without evidence of a peer has not lost it."""
    for name, version in after.items():
        if name in before and before[name] != version:
            yield name, (before[name], version)


def comparable(before: Run, after: Run) -> bool:
    """Whether an earlier run holds at least half of a later one's cells, so that a comparison says something."""
    earlier = {record.cell.id for record in before.records}
    shared = sum(record.cell.id in earlier for record in after.records)
    return bool(after.records) and 2 * shared >= len(after.records)


_MOST: Final = 60


def lines(changes: Changes) -> Iterator[str]:
    """Yield what changed as text, new failures first."""
    counts = [f"{len(changes.of(what))} {WORDS[what]}" for what in Kind]
    counts += [f"{len(changes.appeared)} new cells", f"{len(changes.vanished)} cells gone"]
    yield f"since {changes.before}: {', '.join(counts)}"
    yield from (f"  version    {name}: {before} → {after}" for name, (before, after) in changes.versions.items())
    told = [change for what in Kind for change in changes.of(what)]
    yield from (
        f"  {change.kind:<10} {change.cell}: {change.before or 'new'} → {change.after}" for change in told[:_MOST]
    )
    if len(told) > _MOST:
        yield f"  … and {len(told) - _MOST} more"
