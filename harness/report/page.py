"""The run as one self-contained HTML page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.report import evidence, table
from harness.report.store import Run

PAGE: Final = "index.html"


def render(run: Run) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("harness.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    patterns, lefts, rights = table.axes(run)
    return environment.get_template("run.html.j2").render(
        run=run,
        squares=table.squares(run.records),
        patterns=patterns,
        lefts=lefts,
        rights=rights,
        news=[record for record in run.records if not record.verdict.expected],
        repeat=evidence.repeat_command,
    )


def write(run: Run, folder: Path) -> Path:
    """Write the page into a run's folder."""
    unfinished = folder / f".{PAGE}"
    unfinished.write_text(render(run), encoding="utf-8")
    os.replace(unfinished, folder / PAGE)
    return folder / PAGE
