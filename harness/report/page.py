"""The run as one self-contained HTML page: `reports/<run>/index.html`.

The templates say everything in both languages and work without a script; the matrix and the list of cells are drawn by
the page's script from compact data. Styles, script and drawings are in the page, which asks the network for nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.errors import SetupFault
from harness.model.verdicts import Verdict
from harness.report import changes as changing
from harness.report import evidence, page_data, page_plots, page_studies, page_texts, store, table
from harness.report.changes import Changes, Kind
from harness.report.store import Run

PAGE: Final = "index.html"
ROOT: Final = Path(__file__).resolve().parents[2]

SCRIPTS: Final = ("page_base.js", "page_state.js", "page_matrix.js", "page_cells.js", "page_main.js")

_MOST: Final = 25
"""Cells of a kind that are listed outright; all of them are among the cells."""

_BACK: Final = 12
"""Earlier runs that are looked at for one to compare with: those of a cell or two in between do not count."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A known issue that this run met. `href` is "" where there is nothing to lead to."""

    name: str
    count: int
    reason: str
    href: str


def render(run: Run, changes: Changes | None = None, folder: Path | None = None) -> str:
    """Return the page; `folder` is the run's, beside whose results wire records and studies may lie."""
    of_verdict = {verdict: [one for one in run.records if one.verdict is verdict] for verdict in Verdict}
    links = issue_links(run, folder)
    data = page_data.compact(run, changes, folder)
    return (
        environment()
        .get_template("run.html.j2")
        .render(
            run=run,
            title=run.name,
            changes=changes,
            kinds=list(Kind),
            news=run.unexpected,
            counts=sorted(
                ((verdict, len(found)) for verdict, found in of_verdict.items() if found),
                key=lambda row: row[0].expected,
            ),
            severity=[verdict for verdict in page_data.SEVERITY if of_verdict[verdict]],
            known=_issues(of_verdict[Verdict.KNOWN], links),
            fixed=_issues(of_verdict[Verdict.FIXED], links),
            unsupported=Counter(one.reason for one in of_verdict[Verdict.UNSUPPORTED]).most_common(),
            inconclusive=of_verdict[Verdict.INCONCLUSIVE],
            most=_MOST,
            places=table.by_place(run),
            facts={**changing.facts(run), **changing.host(run)},
            latency=list(page_plots.latency(run)),
            timeline=list(page_plots.timeline(run)),
            studies=[] if folder is None else list(page_studies.plots(folder)),
            repeat=partial(evidence.repeat_command, options=run.options),
            data=page_data.script_safe({**data, "issues": links}),
            css=packed("page.css"),
            script=_script(),
        )
    )


def environment() -> Environment:
    """Return what fills the templates."""
    made = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"say": page_texts.say, "verdict_key": verdict_key}
    return made


def verdict_key(verdict: Verdict) -> str:
    """Return the key of a verdict's word; some words are keys of headings already."""
    key = f"{verdict}_verdict"
    return key if key in page_texts.tables()["texts"] else str(verdict)


def packed(name: str) -> str:
    """Return the text of a template's file as it is."""
    return files("harness.report").joinpath("templates", name).read_text(encoding="utf-8")


def _script() -> str:
    """Return the script's files as one, with names of their own."""
    return '(() => {\n"use strict";\n' + "\n".join(map(packed, SCRIPTS)) + "})();\n"


def _issues(records: Iterable[store.Record], links: Mapping[str, Mapping[str, str]]) -> list[Issue]:
    found = Counter(record.issue for record in records)
    return [
        Issue(name, count, links.get(name, {}).get("reason", ""), links.get(name, {}).get("href", ""))
        for name, count in sorted(found.items())
    ]


def issue_links(run: Run, folder: Path | None) -> dict[str, dict[str, str]]:
    """Return reason and href of the run's known issues; a file of this checkout is linked from the run's folder."""
    told: Mapping[str, Any] = run.about.get("issues", {})
    return {
        name: {"reason": str(issue.get("reason", "")), "href": _href(str(issue.get("link", "")), folder)}
        for name, issue in told.items()
    }


def _href(link: str, folder: Path | None) -> str:
    if link.startswith(("https://", "http://")):
        return link
    file = ROOT / link
    if folder is None or not link or not file.is_file():
        return ""
    try:
        return Path(os.path.relpath(file, folder.resolve())).as_posix()
    except ValueError:  # another drive on Windows, as on its CI: a page names no folder of the machine that wrote it
        return ""


def earlier(run: Run, reports: Path) -> Run | None:
    """Return the newest earlier run that holds at least half of this one's cells, of the last few beside it."""
    names = sorted(
        (entry.name for entry in reports.iterdir() if entry.name < run.name and (entry / store.RESULTS).is_file()),
        reverse=True,
    )
    for name in names[:_BACK]:
        try:
            before = store.read(reports / name)
        except SetupFault:
            continue
        if changing.comparable(before, run):
            return before
    return None


def write(run: Run, folder: Path) -> Path:
    """Write the page into a run's folder, compared with the run before it."""
    before = earlier(run, folder.parent)
    changes = changing.between(before, run) if before is not None else None
    unfinished = folder / f".{PAGE}"
    unfinished.write_text(render(run, changes, folder), encoding="utf-8", errors="replace")
    os.replace(unfinished, folder / PAGE)
    return folder / PAGE
