"""The run as the page's script reads it: compact, and never larger than a page may be.

A cell is a row of numbers; names and texts stand once, in tables. Evidence comes first for what is unexpected. What
does not fit into the room is left out, and its cell says so: `zmq-interop explain` has it all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.model.patterns import TRANSPORTS
from harness.model.verdicts import Verdict, severity
from harness.report import evidence, page_curves, page_texts, table
from harness.report.changes import Changes
from harness.report.store import Record, Run

ROOM: Final = 2_800_000
"""Bytes of evidence in a page, about: with everything else it stays below 5 MB."""

DRAWN: Final = 120
"""Cells whose curves are drawn, the worst first; each takes about a twentieth of a second."""

LONGEST: Final = 12_000
"""Characters of one text; the beginning and the end of longer ones are kept."""

SEVERITY: Final = tuple(sorted(Verdict, key=severity))
"""The verdicts from harmless to worst; a verdict's number in the page is its place here."""

COLUMNS: Final = (
    "pattern",
    "transport",
    "left",
    "right",
    "binds",
    "what",
    "check",
    "worker",
    "issue",
    "blame",
    "reason",
    "places",
)
"""The columns that are numbers into a table of their own. Before them stand verdict and ms, after them evidence."""


@dataclass(slots=True)
class _Names:
    """A table of names, each of which stands in it once."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))

    @property
    def names(self) -> list[str]:
        return list(self.numbers)


class _Room:
    """The texts and drawings of evidence, as far as they fit: `left` is in bytes, `drawings` are cells."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.drawings = DRAWN
        self.sheet = page_curves.Sheet()
        self.texts = _Names()

    def number(self, text: str) -> int | None:
        """Return the number of a text; None if there is no room for it any more."""
        if text not in self.texts.numbers:
            size = len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace"))
            if size > self.left:
                return None
            self.left -= size
        return self.texts.number(text)


def clipped(text: str) -> str:
    """Return a text, without its middle if it is too long."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def compact(run: Run, changes: Changes | None, folder: Path | None = None, room: int = ROOM) -> dict[str, Any]:
    """Return what the script gets; `folder` is the run's, where the wire records lie that are shown."""
    names = {column: _Names() for column in COLUMNS}
    patterns, lefts, rights = table.axes(run)
    for column, ordered in (("pattern", patterns), ("left", lefts), ("right", rights), ("transport", TRANSPORTS)):
        for name in ordered:
            names[column].number(name)
    rows = [_row(record, names) for record in run.records]
    space = _Room(room)
    missing: list[int] = []
    for index in sorted(range(len(rows)), key=lambda index: -SEVERITY.index(run.records[index].verdict)):
        found, whole = _evidence(run.records[index], folder, space)
        rows[index].append(found)
        if not whole:
            missing.append(index)
    return {
        "name": run.name,
        "verdicts": list(SEVERITY),
        "unexpected": [verdict for verdict in SEVERITY if not verdict.expected],
        "repeat": evidence.repeat_command("{cell}", run.options),
        **{column: table.names for column, table in names.items()},
        "texts": space.texts.names,
        "rows": rows,
        "missing": missing,
        "changes": _changes(run, changes),
        "languages": list(page_texts.LANGUAGES),
        "say": page_texts.tables()["texts"],
        "words": page_texts.tables()["words"],
    }


def _row(record: Record, names: Mapping[str, _Names]) -> list[Any]:
    values = (
        *(record.cell.pattern, record.cell.transport, record.cell.left, record.cell.right, record.cell.binds),
        *(record.cell.what, record.check, record.worker, record.issue, record.blame, record.reason),
        record.cell.places,
    )
    numbers = [names[column].number(value) for column, value in zip(COLUMNS, values, strict=True)]
    return [SEVERITY.index(record.verdict), round(record.seconds * 1000, 1), *numbers]


def _evidence(record: Record, folder: Path | None, space: _Room) -> tuple[Any, bool]:
    """Return [[[title, number of its text], …], figures, files, numbers of drawings], or 0 for nothing; and whether all
    of it fitted.
    """
    found: list[list[Any]] = []
    whole = True
    for title, text in sections(record, folder):
        number = space.number(clipped(text))
        if number is None:
            whole = False
        else:
            found.append([title, number])
    files = list(record.evidence.get("wire", {}).get("files", ()))
    drawn: list[int] = []
    if record.courses and space.drawings:
        space.drawings -= 1
        numbers = [*map(space.number, space.sheet.of_cell(record))]
        drawn = [number for number in numbers if number is not None]
    whole = whole and len(drawn) == len(record.courses)
    return ([found, record.figures, files, drawn] if found or files or record.figures else 0), whole


def sections(record: Record, folder: Path | None) -> Iterator[tuple[str, str]]:
    """Yield titled texts of a cell's evidence. A title that begins with `@` is a key of the page's texts."""
    told = record.evidence
    if told.get("error"):
        yield "@evidence_error", str(told["error"])
    if told.get("peers"):
        yield "@evidence_peers", "\n".join(map(str, told["peers"]))
    for title, text in told.get("held", {}).items():
        yield str(title), str(text)
    for name, tail in told.get("logs", {}).items():
        yield f"stderr: {name}", str(tail)
    wire = told.get("wire", {})
    if wire.get("about"):
        yield "@evidence_wire", "\n".join(map(str, wire["about"]))
    for name in wire.get("files", ()):
        if folder is not None and _shows_conversation(record, folder / name):
            yield "@evidence_conversation", (folder / name).read_text(encoding="utf-8", errors="replace")
    known = {"error", "peers", "held", "logs", "wire"}
    for name, other in told.items():
        if name not in known:
            yield str(name), other if isinstance(other, str) else json.dumps(other, ensure_ascii=False, indent=1)


def _shows_conversation(record: Record, file: Path) -> bool:
    return record.verdict is not Verdict.PASS and file.suffix == ".txt" and file.is_file()


def _changes(run: Run, changes: Changes | None) -> dict[str, Any]:
    """Return {"cells": {row: [kind, verdict before or -1]}, "appeared": [rows]}."""
    if changes is None:
        return {"cells": {}, "appeared": []}
    rows = {record.cell.id: index for index, record in enumerate(run.records)}
    return {
        "cells": {
            rows[change.cell]: [change.kind, -1 if change.before is None else SEVERITY.index(change.before)]
            for change in changes.verdicts
        },
        "appeared": [rows[cell] for cell in changes.appeared],
    }


def script_safe(data: Any) -> str:
    """Spell data as JSON that no text in it can break out of a script element with."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
