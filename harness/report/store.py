"""The run store: what a run found, one record a cell, in `reports/<run>/results.json`.

Writing is atomic, so a reader never sees half a file. The audit holds what was collected against what was reported:
every collected cell has exactly one verdict, or the run is not a good one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.errors import SetupFault
from harness.measure import histogram
from harness.model.figures import check_courses
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict, severity

RESULTS: Final = "results.json"
VERSION: Final = 1
"""Of the form of `results.json`, which `results.schema.json` beside this file describes."""
_OPTIONAL: Final = ("reason", "issue", "blame", "check", "worker", "at", "figures", "histograms", "courses", "evidence")
_KINDS: Final = {
    **dict.fromkeys(("reason", "issue", "blame", "check", "worker"), str),
    **dict.fromkeys(("figures", "histograms", "courses", "evidence"), dict),
}


@dataclass(slots=True)
class Record:
    """What a run says about one cell.

    `seconds` covers the check and the closing of its sockets; `at` is when it began, in seconds since the run did.
    `figures`, `histograms` and `courses` are as in `harness.model.figures`.
    """

    cell: Cell
    verdict: Verdict
    seconds: float = 0.0
    reason: str = ""
    issue: str = ""
    blame: str = ""
    check: str = ""
    worker: str = ""
    at: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, str] = field(default_factory=dict)
    courses: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Spell the record; keys without a value are left out."""
        row: dict[str, Any] = {
            "id": self.cell.id,
            **{key: value for key, value in asdict(self.cell).items() if key != "what" and (value or key != "places")},
            "payload": self.cell.what,
            "verdict": str(self.verdict),
            "seconds": round(self.seconds, 6),
        }
        for key in _OPTIONAL:
            if value := getattr(self, key):
                row[key] = value
        return row

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Record:
        """Read a record; KeyError, TypeError and ValueError for what is no record."""
        for key, kinds in _KINDS.items():
            if not isinstance(row.get(key, kinds()), kinds):
                raise TypeError(f"{row['id']}: {key!r} must be a {kinds.__name__}, not {row[key]!r:.40}")
        if not all(isinstance(value, int | float) for value in row.get("figures", {}).values()):
            raise TypeError(f"{row['id']}: 'figures' must be numbers")
        for text in row.get("histograms", {}).values():
            histogram.check(text)
        check_courses(row.get("courses", {}))
        if not isinstance(row.get("evidence", {}).get("peers", []), list):
            raise TypeError(f"{row['id']}: 'evidence.peers' must be a list")
        return Record(
            cell=Cell.parse(row["id"]),
            verdict=Verdict(row["verdict"]),
            seconds=float(row["seconds"]),
            **{key: row[key] for key in _OPTIONAL if key in row},
        )


@dataclass(slots=True)
class Run:
    """A whole run: when, where, with what, and its records."""

    name: str
    about: dict[str, Any]
    records: list[Record]
    problems: list[str] = field(default_factory=list)

    @property
    def summary(self) -> dict[str, int]:
        """Cells by verdict."""
        counts = Counter(str(record.verdict) for record in self.records)
        return {str(verdict): counts[verdict] for verdict in Verdict if counts[verdict]}

    @property
    def options(self) -> list[str]:
        """The options that said which programs and libraries the peers are."""
        return list(self.about.get("options", ()))

    @property
    def unexpected(self) -> list[Record]:
        """What broke, the worst first."""
        news = (record for record in self.records if not record.verdict.expected)
        return sorted(news, key=lambda record: -severity(record.verdict))

    @property
    def good(self) -> bool:
        """Whether nothing unexpected was found."""
        return not self.problems and all(record.verdict.expected for record in self.records)

    def to_json(self) -> dict[str, Any]:
        """Spell the run as in `results.json`."""
        return {
            "version": VERSION,
            "run": {"name": self.name, **self.about},
            "summary": self.summary,
            "problems": self.problems,
            "cells": [record.to_json() for record in self.records],
        }


def new_name(now: float | None = None) -> str:
    """Name a run by its UTC start time and process, so that names sort by age and never collide."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{os.getpid()}"


def audit(collected: Iterable[str], records: Iterable[Record]) -> tuple[list[Record], list[str]]:
    """Hold what was collected against what was reported.

    Returns records for the missing cells, and one line for each cell that has more than one verdict or that nobody
    collected.
    """
    expected = Counter(collected)
    seen = Counter(record.cell.id for record in records)
    missing = [
        Record(Cell.parse(name), Verdict.MISSING, reason="collected, but no verdict was reported")
        for name in expected
        if not seen[name]
    ]
    problems = [f"{name}: collected {count} times; ids must be unique" for name, count in expected.items() if count > 1]
    problems += [f"{name}: {count} verdicts were reported for one cell" for name, count in seen.items() if count > 1]
    problems += [f"{name}: reported, but never collected" for name in seen if name not in expected]
    return missing, problems


def write(run: Run, reports: Path) -> Path:
    """Write a run and point `latest` at it; returns its folder."""
    folder = reports / run.name
    folder.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".results-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(run.to_json(), file, ensure_ascii=False, indent=1)
            file.write("\n")
        os.replace(unfinished, folder / RESULTS)
    except BaseException:
        os.unlink(unfinished)
        raise
    return folder


def point_latest(folder: Path) -> None:
    """Make `latest` beside a run's folder lead to it: a link, or a copy where links are not allowed."""
    latest = folder.parent / "latest"
    unfinished = folder.parent / f".latest-{folder.name}"
    if latest.is_dir() and not latest.is_symlink():
        shutil.rmtree(latest, ignore_errors=True)
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(folder.name, target_is_directory=True)
        os.replace(unfinished, latest)
    except OSError:
        if sys.platform != "win32":
            raise
        shutil.copytree(folder, latest, dirs_exist_ok=True)


def usable(reports: Path) -> None:
    """Make the folder of reports; SetupFault if no run can be filed there."""
    try:
        reports.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=reports, prefix=".room-") as file:
            file.write(b"\n")
    except OSError as error:
        raise SetupFault(f"--reports {reports}: no run can be filed there: {error.strerror}") from None


def read(path: Path) -> Run:
    """Read a run by its folder or results file; SetupFault says what is wrong with it."""
    file = path / RESULTS if path.is_dir() else path
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data.get("version") != VERSION or data["version"] is True:
            told = f"version {data['version']}" if "version" in data else "no version"
            raise SetupFault(f"{file}: has {told}, this harness reads version {VERSION}; run the tests again with it")
        about = dict(data["run"])
        if not isinstance(data["cells"], list):
            raise TypeError("'cells' must be a list")
        return Run(
            str(about.pop("name")),
            about,
            [Record.from_json(row) for row in data["cells"]],
            [str(line) for line in data.get("problems", [])],
        )
    except OSError as error:
        raise SetupFault(f"{file}: cannot be read: {error.strerror}; name a run's folder below reports/") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SetupFault(f"{file}: not a results file: {type(error).__name__}: {error}") from None
