"""Two runs held against each other by the command: text, JSON and a page, and an exit code for a release script."""

from __future__ import annotations

import html
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.measure import compare, leaks
from harness.measure.paired import Interval
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.report import store
from harness.report.store import Record, Run
from tests.unit.helpers import record, run

CELL = Cell.parse("req-rep/tcp4/a>b/right-binds/round-trip-64")


def measured(name: str, low: float, mid: float, high: float) -> Run:
    figures = {"p50 ×raw": mid, "p50 ×raw low": low, "p50 ×raw high": high}
    return Run(name, {}, [Record(CELL, Verdict.PASS, figures=figures)])


def compared(folder: Path, before: Run, after: Run, *options: str) -> Result:
    old, new = (store.write(one, folder) for one in (before, after))
    return CliRunner().invoke(main, ["compare", str(old), str(new), *options])


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [("pass", "fail", 1), ("known", "crash", 1), ("fail", "pass", 0), ("pass", "pass", 0), ("pass", "unsupported", 0)],
)
def test_a_new_failure_is_a_regression(before: str, after: str, code: int, tmp_path: Path) -> None:
    said = compared(tmp_path, run(record(before), name="1"), run(record(after), name="2"))
    assert said.exit_code == code, said.output


def test_a_figure_that_is_surely_slower_is_a_regression(tmp_path: Path) -> None:
    assert compared(tmp_path, measured("1", 1, 2, 3), measured("2", 4, 5, 6)).exit_code == 1
    assert compared(tmp_path, measured("1", 1, 2, 3), measured("2", 2, 5, 6)).exit_code == 0
    assert compared(tmp_path, measured("1", 4, 5, 6), measured("2", 1, 2, 3)).exit_code == 0


def test_leaks_differ_only_beyond_the_room_of_a_clean_process() -> None:
    room = leaks.ROOM / leaks.CYCLES
    clean = Interval(1000, 2000, 3000)
    for grown, word in ((4000.0, "cannot tell"), (3000 + room - 1, "cannot tell"), (3001 + room, "more")):
        after = Interval(grown, grown + 1, grown + 2)
        assert compare.Row(CELL.id, "left_uss_per_cycle", clean, after).word == word
    leaky = Interval(2 * room, 3 * room, 4 * room)
    assert compare.Row(CELL.id, "left_uss_per_cycle", leaky, Interval(0, 0, 0)).word == "less"


def test_leaks_are_compared_by_their_intervals() -> None:
    figures = {"left_uss_per_cycle": 2.0, "left_uss_per_cycle_low": 1.0, "left_uss_per_cycle_high": 3.0, "handles": 1.0}
    assert compare.intervals(figures) == {"left_uss_per_cycle": Interval(1.0, 2.0, 3.0)}


def test_the_comparison_is_written_as_json(tmp_path: Path) -> None:
    file = tmp_path / "changes.json"
    before, after = measured("1", 1, 2, 3), measured("2", 4, 5, 6)
    before.records.append(record("pass"))
    after.records += [record("fail"), record("pass", what="new")]
    said = compared(tmp_path, before, after, "--json", str(file))
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert (told["before"], told["after"], told["regression"]) == ("1", "2", True)
    assert [(row["before"], row["after"], row["kind"]) for row in told["verdicts"]] == [("pass", "fail", "broken")]
    assert [name.rpartition("/")[2] for name in told["appeared"]] == ["new"]
    (row,) = told["figures"]
    assert (row["before"], row["after"], row["change"]) == ([1, 2, 3], [4, 5, 6], "slower")
    assert "since 1:" in said.output
    alone = compared(tmp_path, before, after, "--json", "-")
    assert json.loads(alone.output) == told


def test_the_comparison_is_written_as_a_page(tmp_path: Path) -> None:
    file = tmp_path / "changes.html"
    name = "2&i" if sys.platform == "win32" else "2<i>"  # a folder has it, and Windows' have no angle brackets
    before, after = measured("1", 1, 2, 3), measured(name, 4, 5, 6)
    before.records.append(record("pass"))
    after.records.append(record("fail"))
    assert compared(tmp_path, before, after, "--page", str(file)).exit_code == 1
    page = file.read_text(encoding="utf-8")
    for words in (
        "Worse than before",
        "比之前差",
        CELL.id.replace(">", "&gt;"),
        "slower",
        'class="v fail"',
        html.escape(name),
    ):
        assert words in page
    assert name not in page


@pytest.mark.parametrize("option", ["--json", "--page"])
def test_a_folder_that_is_not_there_is_refused_before_anything_is_written(option: str, tmp_path: Path) -> None:
    said = compared(tmp_path, run(record(), name="1"), run(record(), name="2"), option, str(tmp_path / "no" / "file"))
    assert (said.exit_code, said.output.count("\n")) == (2, 1)
    assert "there is no such folder" in said.output


def test_runs_without_a_common_cell_are_refused(tmp_path: Path) -> None:
    said = compared(tmp_path, run(record(what="a"), name="1"), run(record(what="b"), name="2"))
    assert (said.exit_code, said.output.count("\n")) == (2, 1)
    assert "no cell in common" in said.output
