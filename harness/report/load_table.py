"""The load study as a table and as a file, `reports/<run>/load.json`."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

import harness
from harness.measure import study
from harness.measure.curve import Row
from harness.measure.study import Course
from harness.model.verdicts import Verdict

FILE: Final = "load.json"

_COLOURS: Final = {Verdict.PASS: "green", Verdict.FAIL: "bold red"}


def table(courses: Sequence[Course]) -> Table:
    """Draw a pair's courses, the tuned row below the default one."""
    first = courses[0]
    drawn = Table(
        title=f"{first.client} clients > {first.server} server",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for name in ("clients", "req/s", "range", "P50", "P95", "P99 ms", "errors", "µs", "KiB"):
        drawn.add_column(name, justify="right", no_wrap=True)
    for clients in sorted({row.clients for course in courses for row in course.rows}):
        for course in courses:
            for row in course.rows:
                if row.clients == clients:
                    drawn.add_row(*_cells(course, row))
    drawn.caption = (
        "µs: processor time a request, KiB: memory a client; of the server + of the clients, with connecting"
    )
    drawn.caption_justify = "left"
    return drawn


def _cells(course: Course, row: Row) -> Iterator[str]:
    yield f"{row.clients:,}" + ("" if course.tuned is None else " tuned")
    yield f"{row.rate.mid:,.0f}"
    yield f"{_short(row.rate.low)}-{_short(row.rate.high)}"
    yield from (_short(value) for value in (row.p50, row.p95, row.p99))
    yield f"[bold red]{row.error_percent:.3g} %[/]" if row.errors else "0 %"
    yield f"{row.server_cpu:.0f}+{row.client_cpu:.0f}"
    yield "+".join("?" if value is None else _short(value) for value in (row.server_memory, row.client_memory))


def _short(value: float) -> str:
    """Spell a figure with two or three digits."""
    return f"{value / 1000:.3g}k" if value >= 1000 else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def remarks(courses: Sequence[Course]) -> Iterator[str]:
    """Yield, in rich's markup, what each course says beside its figures."""
    for course in courses:
        name = "default" if course.tuned is None else "tuned"
        if course.tuned is not None:
            yield f"  {name}, at the server only: {course.tuned}"
        if len(course.rows) > 1:
            verdict, why = course.growth
            yield f"  {name}: [{_COLOURS.get(verdict, 'yellow')}]{verdict}[/]: {why}"
            yield f"  {name}: {bent(course)}"
        wrong = {error: times for row in course.rows for error, times in row.errors.items()}
        if wrong:
            yield f"  {name}: errors: {', '.join(f'{times} {error}' for error, times in wrong.items())}"
        for problem in course.problems:
            yield f"  {name}: [yellow]{_plain(problem)}[/]"
    if len(courses) == 2:
        before, after = courses
        for row in after.rows:
            if found := study.effect(before, after, row.clients):
                rate, tail = found
                yield f"  tuning at {row.clients:,} clients: requests/s × {rate}, P95 × {tail}"


def bent(course: Course) -> str:
    """Say where the curve bends."""
    bend = course.bend
    counts = [row.clients for row in course.rows]
    if bend is None:
        return f"the curve does not bend up to {counts[-1]:,} clients"
    return f"the curve bends at {bend:,} clients" + (" or before" if bend == counts[0] else "")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def about(started: float, command: Sequence[str]) -> dict[str, Any]:
    """Return what a file says of its run; `started` in seconds since 1970."""
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 1),
        "command": " ".join(command),
        "harness": harness.__version__,
        "host": platform.node(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }


def write(folder: Path, about: Mapping[str, Any], courses: Sequence[Course]) -> Path:
    """Write the file as a whole or not at all; returns its path."""
    document = {"run": {"name": folder.name, **about}, "courses": [course.to_json() for course in courses]}
    text = json.dumps(document, ensure_ascii=False, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".load-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
        os.replace(unfinished, folder / FILE)
    except BaseException:
        os.unlink(unfinished)
        raise
    return folder / FILE
