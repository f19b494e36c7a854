"""How commands about filed runs find them, and what they refuse before they write."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.commands import reports
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.report import store

CELL = Cell.parse("req-rep/tcp4/pebbe>pyzmq/left-binds/multipart")


@pytest.fixture
def filed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File two runs where the commands look for them."""
    monkeypatch.setattr(reports, "REPORTS", tmp_path)
    for name in ("run-1", "run-2"):
        store.write(store.Run(name, {}, [store.Record(CELL, Verdict.PASS)]), tmp_path)
    return tmp_path


def command(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize("words", [("matrix", "run-1"), ("compare", "run-1", "run-2"), ("explain", "run-2", CELL.id)])
def test_a_run_may_be_given_by_its_name(filed: Path, words: tuple[str, ...]) -> None:
    done = command(*words)
    assert done.exit_code == 0, done.output


def test_a_picture_for_a_missing_folder_is_refused_in_one_line(filed: Path) -> None:
    done = command("matrix", "run-1", "--svg", str(filed / "none" / "x.svg"))
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "there is no such folder; make it first" in done.output
