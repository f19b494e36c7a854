"""Commands about runs that are filed: explain, matrix, compare, report."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from harness.commands.base import REPORTS, ROOT, command, out
from harness.errors import SetupFault
from harness.measure import compare as comparing
from harness.model.verdicts import Verdict
from harness.report import allure_report, changes, comparison, evidence, merging, page, page_small, store, table


@click.command()
@click.argument("run_folder", metavar="RUN")
@click.argument("cell")
@command
def explain(run_folder: str, cell: str) -> int:
    """Show what a RUN (a folder, a run's name, or latest) found out about one CELL."""
    folder = _folder(run_folder)
    found = store.read(folder)
    records = {record.cell.id: record for record in found.records}
    if cell not in records:
        near = ", ".join(difflib.get_close_matches(cell, records, 3, 0.5)) or "nothing"
        raise SetupFault(f"explain {run_folder}: no cell {cell!r} in run {found.name}; near it: {near}")
    for line in evidence.explained(records[cell], folder if folder.is_dir() else folder.parent, found.options):
        click.echo(line)
    return 0


@click.command()
@click.argument("run_folder", metavar="[RUN]", required=False, default="latest")
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the table into this file too.")
@command
def matrix(run_folder: str, svg: Path | None) -> int:
    """Show the table of a run (default: the latest one)."""
    found = store.read(_folder(run_folder))
    _with_folder("matrix", svg)
    console = Console(record=svg is not None, width=100 if svg else None)
    console.print(_drawn(found))
    for line in table.explanations(found):
        console.print(line, markup=False, highlight=False)
    if svg:
        drawn = console.export_svg(title="zmq-interop matrix")
        # The fonts that rich asks a server for are left out: a picture of a report fetches nothing.
        svg.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")
    return 0 if found.good else 1


_COLOURS: Final = {Verdict.PASS: "green", Verdict.KNOWN: "magenta", Verdict.UNSUPPORTED: "dim"}


def _drawn(run: store.Run) -> Table:
    """Draw the matrix in colour: a row a pattern, a column a left implementation, in it one mark for each right one."""
    squares = table.squares(run.records)
    patterns, lefts, rights = table.axes(run)
    shown = Table(title=f"run {run.name}", caption=f"in each square: > {' '.join(rights)}")
    for name in ("pattern", *(f"{left} >" for left in lefts)):
        shown.add_column(name)
    for pattern in patterns:
        row = []
        for left in lefts:
            marks = [squares.get((pattern, left, right)) for right in rights]
            row.append(" ".join(f"[{_COLOURS.get(mark, 'bold red')}]{mark.mark}[/]" for mark in marks if mark))
        shown.add_row(pattern, *row)
    return shown


@click.command()
@click.argument("before", metavar="OLD")
@click.argument("after", metavar="NEW")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write it as JSON too; - for stdout alone.")
@click.option("--page", "as_page", type=click.Path(path_type=Path), help="Write it as a page (HTML) too.")
@command
def compare(before: str, after: str, as_json: Path | None, as_page: Path | None) -> int:
    """Say what changed from one run to another; exit code 1 for a new failure or a figure that is surely worse."""
    runs = store.read(_folder(before)), store.read(_folder(after))
    found = comparison.of(*runs)
    if len(found.changes.appeared) == len(runs[1].records):
        raise SetupFault(f"compare: {before} and {after} have no cell in common")
    _with_folder("compare", as_json, as_page)
    if as_page:
        page_small.comparison(as_page, found)
    if as_json:
        text = json.dumps(found.to_json(), ensure_ascii=False, indent=1)
        if str(as_json) == "-":
            click.echo(text)
            return int(found.worse)
        as_json.write_text(f"{text}\n", encoding="utf-8")
    for line in changes.lines(found.changes):
        click.echo(line)
    if found.rows:
        out.print(_figures(found))
    return int(found.worse)


def _figures(found: comparison.Comparison) -> Table:
    """Draw the figures that both runs have."""
    unsure = sum(row.change is comparing.Change.UNSURE for row in found.rows)
    shown = Table("cell", "figure", "before", "after", "change", caption=f"{unsure} of {len(found.rows)}: cannot tell")
    for row in found.rows:
        if row.change is comparing.Change.UNSURE:
            continue
        colour = "green" if row.change is comparing.Change.FASTER else "red"
        shown.add_row(row.cell, row.figure, str(row.before), str(row.after), f"[{colour}]{row.word}[/]")
    return shown


@click.command()
@click.argument("parts", metavar="RUN...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--reports", type=click.Path(path_type=Path), default=REPORTS, help="Where the whole is filed.")
@command
def merge(parts: tuple[Path, ...], reports: Path) -> int:
    """Join the runs of shards (pytest --shard K/N), by their folders; refuse what does not belong together."""
    run, folder = merging.write([merging.found(part) for part in parts], reports)
    for line in table.summary(run):
        click.echo(line)
    click.echo(f"report: {folder / page.PAGE}")
    return 0 if run.good else 1


@click.command()
@click.argument("run_folder", metavar="[RUN]", required=False, default="latest")
@command
def report(run_folder: str) -> int:
    """Build a RUN's Allure report (default: that of the latest), with the history of the runs before; opens nothing."""
    folder = _folder(run_folder)
    found = store.read(folder)
    with out.status("building Allure's report"):
        file = allure_report.build(folder.resolve(), ROOT / ".build" / "tools")
    out.print(f"the page:        {folder / page.PAGE}", markup=False, soft_wrap=True)
    out.print(f"Allure's report: {file}", markup=False, soft_wrap=True)
    return 0 if found.good else 1


def _with_folder(what: str, *files: Path | None) -> None:
    """Refuse files that cannot be written for lack of a folder; SetupFault."""
    for file in files:
        if file is not None and not file.absolute().parent.is_dir():
            raise SetupFault(f"{what}: {file}: there is no such folder; make it first")


def _folder(name: str) -> Path:
    """Return a run's folder, or its results file, by a path or by its name."""
    return Path(name) if Path(name).exists() else REPORTS / name
