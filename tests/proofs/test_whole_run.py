"""A whole pytest run with a faulty peer in it: one verdict a cell, the right exit code, a report that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plugin import ROOT
from tests.proofs.whole import Finished, cells


def manifest(folder: Path, fault: str) -> Path:
    """Write the manifest of a faulty peer."""
    file = folder / "faulty.peer.toml"
    file.write_text(
        'name = "faulty"\nlanguage = "python"\n'
        f'run = ["{{python}}", "-m", "interop_peer", "--driver", "pyzmq", "--fault", "{fault}"]\n'
        f'[env]\nPYTHONPATH = "{(ROOT / "peers" / "python").as_posix()}"\n',
        encoding="utf-8",
    )
    return file


def run(folder: Path, fault: str, *arguments: str) -> Finished:
    return cells(
        folder / "reports",
        *("--patience", "1", "--manifest", str(manifest(folder, fault))),
        *("--peer", "faulty", "--peer", "pyzmq", "--transport", "tcp4"),
        *arguments,
    )


CELL = "req-rep/tcp4/faulty>pyzmq/right-binds/multipart"


@pytest.mark.parametrize(
    ("fault", "verdict"), [("flip", "fail"), ("crash", "crash"), ("silent", "hang"), ("garbage", "fail")]
)
def test_a_fault_ends_as_one_verdict_with_blame_and_exit_code_1(tmp_path: Path, fault: str, verdict: str) -> None:
    finished = run(tmp_path, fault, "--cell", CELL, "-n", "1")
    assert finished.verdicts == {CELL: verdict}
    assert finished.code == 1
    assert f'zmq-interop repeat "{CELL}"' in finished.output
    assert finished.results["cells"][0]["blame"].startswith("faulty: it fails with itself too")


def test_a_child_left_behind_fails_the_run_though_every_cell_passes(tmp_path: Path) -> None:
    finished = run(tmp_path, "leave-child", "--cell", CELL, "-n", "1")
    assert finished.verdicts == {CELL: "pass"}
    assert finished.code == 1
    assert "left a child process behind" in finished.results["problems"][0]


def known(folder: Path, names: str) -> Path:
    file = folder / "known.toml"
    file.write_text(
        f'[[issue]]\nname = "planted"\ncells = "{names}"\nreason = "planted"\nlink = "docs/findings/planted.md"\n',
        encoding="utf-8",
    )
    return file


def test_a_known_issue_is_expected_and_one_that_passes_is_not(tmp_path: Path) -> None:
    honest = CELL.replace("faulty", "pyzmq")
    issues = known(tmp_path, "req-rep/*/*/*/*")
    finished = run(tmp_path, "flip", "--cell", CELL, "--known-issues", str(issues))
    assert (finished.verdicts, finished.code) == ({CELL: "known"}, 0)
    assert finished.results["cells"][0]["issue"] == "planted"
    finished = run(tmp_path, "flip", "--cell", honest, "--known-issues", str(issues))
    assert (finished.verdicts, finished.code) == ({honest: "fixed"}, 1)


def test_what_was_collected_and_never_ran_is_missing(tmp_path: Path) -> None:
    finished = run(tmp_path, "flip", "--pattern", "req-rep", "-x")
    assert finished.code == 1
    assert set(finished.verdicts.values()) >= {"fail", "missing"}
