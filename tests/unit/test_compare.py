"""Two runs compared by their intervals, and the history that runs leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.measure import compare
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.report import history
from harness.report.store import Record, Run

CELL = Cell.parse("req-rep/tcp4/a>b/right-binds/round-trip-64")


def run(name: str, figure: str, low: float, mid: float, high: float) -> Run:
    figures = {figure: mid, f"{figure} low": low, f"{figure} high": high, "alone": 3.0}
    return Run(name, {"started": "now", "host": "here"}, [Record(CELL, Verdict.PASS, figures=figures)])


@pytest.mark.parametrize(
    ("figure", "after", "change"),
    [
        ("p50 ×raw", (1.0, 1.5, 1.9), "faster"),
        ("p50 ×raw", (3.1, 3.5, 4.0), "slower"),
        ("p50 ×raw", (2.9, 3.5, 4.0), "cannot tell"),
        ("messages/s", (3.1, 3.5, 4.0), "faster"),
        ("messages/s", (1.0, 1.5, 1.9), "slower"),
    ],
)
def test_only_intervals_that_do_not_meet_say_something(
    figure: str, after: tuple[float, float, float], change: str
) -> None:
    (row,) = compare.rows(run("one", figure, 2.0, 2.5, 3.0), run("two", figure, *after))
    assert row.change == change
    assert (row.cell, row.figure) == (CELL.id, figure)


def test_figures_without_an_interval_and_cells_of_one_run_are_not_compared() -> None:
    other = Run("three", {}, [Record(CELL.control("a"), Verdict.PASS, figures={"x": 1, "x low": 1, "x high": 1})])
    assert list(compare.rows(run("one", "x", 1, 1, 1), other)) == []


def test_every_run_adds_one_line_to_the_history(tmp_path: Path) -> None:
    history.append(run("one", "x", 1, 2, 3), tmp_path)
    history.append(run("two", "x", 4, 5, 6), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / history.HISTORY).read_text("utf-8").splitlines()]
    assert [line["run"] for line in lines] == ["one", "two"]
    assert lines[1]["summary"] == {"pass": 1}
    assert lines[1]["figures"] == {CELL.id: {"x": 5, "x low": 4, "x high": 6, "alone": 3.0}}
