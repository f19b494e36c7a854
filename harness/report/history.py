"""The history: one line of JSON for each run, appended to `reports/history.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from harness.report.store import Run

HISTORY: Final = "history.jsonl"


def append(run: Run, reports: Path) -> None:
    """Add a run: when and where, its counts, and the figures of the cells that were measured against a floor."""
    line = {
        "run": run.name,
        "started": run.about.get("started"),
        "host": run.about.get("host"),
        "seconds": run.about.get("seconds"),
        "summary": run.summary,
        "figures": {
            record.cell.id: record.figures
            for record in run.records
            if any(name.endswith(" low") for name in record.figures)
        },
    }
    with (reports / HISTORY).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
