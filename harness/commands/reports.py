"""Commands about runs that are filed: explain, matrix, compare."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from harness.commands.base import REPORTS, command, out
from harness.errors import SetupFault
from harness.measure import compare as comparing
from harness.model.verdicts import Verdict
from harness.report import changes, evidence, store, table


@click.command()
@click.argument("run_folder", metavar="RUN")
@click.argument("cell")
@command
def explain(run_folder: str, cell: str) -> int:
    """Show what a RUN (a folder, a run's name, or latest) found out about one CELL."""
    folder = Path(run_folder)
    if not folder.exists():
        folder = REPORTS / run_folder
    found = store.read(folder)
    records = {record.cell.id: record for record in found.records}
    if cell not in records:
        near = ", ".join(difflib.get_close_matches(cell, records, 3, 0.5)) or "nothing"
        raise SetupFault(f"explain {run_folder}: no cell {cell!r} in run {found.name}; near it: {near}")
    for line in evidence.explained(records[cell], folder if folder.is_dir() else folder.parent):
        click.echo(line)
    return 0


@click.command()
@click.argument("run_folder", required=False, type=click.Path(path_type=Path))
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the table into this file too.")
@command
def matrix(run_folder: Path | None, svg: Path | None) -> int:
    """Show the table of a run (default: the latest one)."""
    found = store.read(run_folder or REPORTS / "latest")
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
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@command
def compare(before: Path, after: Path) -> int:
    """Say what changed from one run to another: verdicts, and each measured figure (faster, slower or cannot tell)."""
    runs = store.read(before), store.read(after)
    found = changes.between(*runs)
    if len(found.appeared) == len(runs[1].records):
        raise SetupFault(f"compare: {before} and {after} have no cell in common")
    for line in changes.lines(found):
        click.echo(line)
    rows = list(comparing.rows(*runs))
    worse = bool(found.of(changes.Kind.BROKEN)) or any(row.change is comparing.Change.SLOWER for row in rows)
    if not rows:
        return int(worse)
    shown = Table("cell", "figure", "before", "after", "change")
    for row in rows:
        colour = {comparing.Change.FASTER: "green", comparing.Change.SLOWER: "red"}.get(row.change, "dim")
        shown.add_row(row.cell, row.figure, str(row.before), str(row.after), f"[{colour}]{row.change}[/]")
    out.print(shown)
    return int(worse)
