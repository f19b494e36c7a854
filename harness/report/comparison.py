"""Two runs held against each other: what changed, whether it is a regression, and all of it as JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.measure.compare import Change, Row, rows
from harness.report import changes as changing
from harness.report.changes import Changes, Kind
from harness.report.store import Run


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is different in `after`: verdicts, cells, versions, and measured figures."""

    after: str
    changes: Changes
    rows: list[Row]

    @property
    def worse(self) -> bool:
        """Whether it is a regression: a new failure, or a figure that is worse beyond its interval."""
        return bool(self.changes.of(Kind.BROKEN)) or any(row.change is Change.SLOWER for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Spell it for a script; intervals are [low, middle, high]."""
        return {
            "before": self.changes.before,
            "after": self.after,
            "regression": self.worse,
            "verdicts": [
                {
                    "cell": change.cell,
                    "kind": str(change.kind),
                    "before": None if change.before is None else str(change.before),
                    "after": str(change.after),
                }
                for change in self.changes.verdicts
            ],
            "appeared": self.changes.appeared,
            "vanished": self.changes.vanished,
            "versions": {name: list(both) for name, both in self.changes.versions.items()},
            "figures": [
                {
                    "cell": row.cell,
                    "figure": row.figure,
                    "before": [row.before.low, row.before.mid, row.before.high],
                    "after": [row.after.low, row.after.mid, row.after.high],
                    "change": row.word,
                }
                for row in self.rows
            ],
        }


def of(before: Run, after: Run) -> Comparison:
    """Compare two runs."""
    return Comparison(after.name, changing.between(before, after), list(rows(before, after)))
