"""Small pages in the style of a run's: studies without cells (soak, load, tune), and two runs compared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from harness.report import page, page_data, page_studies, page_texts
from harness.report.changes import Kind
from harness.report.comparison import Comparison

SCRIPT: Final = "page_small.js"


def studies(folder: Path, what: str) -> Path:
    """Write `index.html` beside the studies in a folder; `what` is the name of the command. Returns the file."""
    headlines = {"soak": "headline_soak", "load": "headline_load", "tune": "headline_tune"}
    found = list(page_studies.plots(folder))
    return write(
        folder / page.PAGE,
        "studies.html.j2",
        title=f"{what}, {folder.name}",
        tone="empty",
        headline=page_texts.say(headlines[what]),
        ran="",
        latency=[],
        timeline=[],
        studies=found,
    )


def comparison(file: Path, found: Comparison) -> Path:
    """Write the comparison of two runs. Returns the file."""
    return write(
        file,
        "comparison.html.j2",
        title=f"{found.changes.before} → {found.after}",
        tone="bad" if found.worse else "good",
        headline=page_texts.say("headline_worse" if found.worse else "headline_not_worse"),
        ran=page_texts.say("since_run", run=found.changes.before),
        changes=found.changes,
        kinds=list(Kind),
        rows=found.rows,
    )


def write(file: Path, template: str, **values: Any) -> Path:
    """Fill a template that extends the small page, and put it in the place of `file` in one go."""
    words: Mapping[str, Any] = {"languages": page_texts.LANGUAGES, "words": page_texts.tables()["words"]}
    text = (
        page.environment()
        .get_template(template)
        .render(css=page.packed("page.css"), script=page.packed(SCRIPT), words=page_data.script_safe(words), **values)
    )
    unfinished = file.with_name(f".{file.name}")
    unfinished.write_text(text, encoding="utf-8", errors="replace")
    os.replace(unfinished, file)
    return file
