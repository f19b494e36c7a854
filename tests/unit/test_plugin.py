"""The pytest face, seen from outside: exit codes, lines and files of real runs in which a tiny peer plays.

Each run is a pytest process of about a second, so there are few, and several tests look at the same one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.report import evidence

ROOT = Path(__file__).resolve().parents[2]
TINY = Path(__file__).with_name("tiny_peer.py")

CHECKS = """
import pytest

@pytest.mark.scenario("passes", "req-rep", binds=("left-binds",))
def test_passes(left, right):
    left.socket("REQ")

@pytest.mark.scenario("fails", "req-rep", binds=("left-binds",))
def test_fails(left, right):
    assert left.client.call("stats") == {"sockets": 7}

@pytest.mark.scenario("crashes", "req-rep", binds=("left-binds",))
def test_crashes(left, right):
    left.client.call("die")

@pytest.mark.scenario("known-to-fail", "req-rep", binds=("left-binds",))
def test_known(left, right):
    assert False

@pytest.mark.scenario("repaired", "req-rep", binds=("left-binds",))
def test_repaired(left, right):
    pass

@pytest.mark.scenario("lacking", "push-pull", binds=("left-binds",))
def test_lacking(left, right):
    assert False

@pytest.mark.scenario("more", "req-rep")
def test_more(left, right):
    pass

def test_that_is_no_cell():
    pass
"""

KNOWN = """
[[issue]]
name = "an-issue"
cells = ["*/*/*/*/known-to-fail", "*/*/*/*/repaired"]
reason = "it breaks"
link = "https://example.org/1"
"""

VERDICTS = {
    "req-rep/tcp4/tiny>tiny/left-binds/passes": "pass",
    "req-rep/tcp4/tiny>tiny/left-binds/fails": "fail",
    "req-rep/tcp4/tiny>tiny/left-binds/crashes": "crash",
    "req-rep/tcp4/tiny>tiny/left-binds/known-to-fail": "known",
    "req-rep/tcp4/tiny>tiny/left-binds/repaired": "fixed",
    "push-pull/tcp4/tiny>tiny/left-binds/lacking": "unsupported",
    "req-rep/tcp4/tiny>tiny/left-binds/more": "pass",
    "req-rep/tcp4/tiny>tiny/right-binds/more": "pass",
}


@dataclass
class Done:
    """A pytest run that has ended."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "reports" / "latest" / "results.json").read_text("utf-8"))
        return found

    @property
    def verdicts(self) -> dict[str, str]:
        return {row["id"]: row["verdict"] for row in self.results["cells"]}


def run_pytest(folder: Path, *arguments: str, checks: str = CHECKS, programs: str = "") -> Done:
    """Run the tiny checks in a folder of their own; `programs` is a folder to look for programs in first."""
    folder.mkdir(exist_ok=True)
    (folder / "test_tiny.py").write_text(checks, encoding="utf-8")
    (folder / "known.toml").write_text(KNOWN, encoding="utf-8")
    (folder / "tiny.peer.toml").write_text(
        'name = "tiny"\nlanguage = "python"\n'
        f"run = ['{{python}}', '{TINY}']\n[env]\nTINY_PEER_TRACE = '{folder / 'trace'}'\n",
        encoding="utf-8",
    )
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n", encoding="utf-8"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--reports={folder / 'reports'}"),
            *("--manifest=tiny.peer.toml", "--peer", "tiny", *arguments),
        ],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ZMQ_INTEROP"))},
            "ZMQ_INTEROP_INSIDE_TEST": "1",  # these checks measure nothing, and wait for nobody who does
            "PATH": os.pathsep.join(filter(None, (programs, os.environ.get("PATH")))),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr, folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run of every check."""
    folder = tmp_path_factory.mktemp("whole")
    return run_pytest(folder, "--known-issues", str(folder / "known.toml"), "-n", "0")


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The same run over two workers."""
    folder = tmp_path_factory.mktemp("spread")
    return run_pytest(folder, "--known-issues", str(folder / "known.toml"), "-n", "2")


def test_each_cell_has_its_verdict(whole: Done) -> None:
    assert whole.verdicts == VERDICTS


def test_workers_report_the_same_verdicts(spread: Done) -> None:
    assert spread.verdicts == VERDICTS
    assert spread.results["problems"] == []
    assert {row["worker"] for row in spread.results["cells"]} <= {"gw0", "gw1"}


def test_a_run_with_news_ends_with_exit_code_1(whole: Done, spread: Done) -> None:
    assert (whole.code, spread.code) == (1, 1)


def test_tests_that_are_no_cells_run_as_ever(whole: Done) -> None:
    assert "3 failed, 4 passed, 1 skipped, 1 xfailed" in whole.out


def test_the_results_have_the_documented_keys(whole: Done) -> None:
    results = whole.results
    assert list(results) == ["version", "run", "summary", "problems", "cells"]
    assert results["run"].keys() == {
        *("name", "started", "command", "harness", "host", "system", "python", "pyzmq", "libzmq", "cores", "peers"),
        *("facts", "libraries", "options"),
        *("workers", "issues", "seconds"),
    }
    assert results["summary"] == {"pass": 3, "fail": 1, "known": 1, "fixed": 1, "unsupported": 1, "crash": 1}
    assert results["problems"] == []


def test_each_row_names_its_cell_and_what_explains_it(whole: Done) -> None:
    rows = {row["payload"]: row for row in whole.results["cells"] if row["binds"] == "left-binds"}
    plain = {"id", "pattern", "transport", "left", "right", "binds", "payload", "verdict", "seconds", "at", "check"}
    assert rows["passes"].keys() == plain
    assert rows["lacking"].keys() == plain | {"reason", "evidence"}
    assert rows["known-to-fail"].keys() >= plain | {"reason", "issue", "evidence"}
    assert rows["fails"].keys() == plain | {"reason", "blame", "evidence"}
    assert rows["repaired"]["reason"] == "known issue 'an-issue' did not happen: remove or narrow its entry"
    assert rows["crashes"]["reason"] == "tiny: the peer ended with exit code 3"
    assert "the end is near" in str(rows["crashes"]["evidence"]["logs"])


def test_a_failure_is_printed_with_its_command_and_blame(whole: Done) -> None:
    options = [f"--manifest={whole.folder / 'tiny.peer.toml'}"]
    command = evidence.repeat_command("req-rep/tcp4/tiny>tiny/left-binds/fails", options)
    assert f"repeat:  {command}" in whole.out
    assert whole.results["run"]["options"] == options
    assert "blame:   tiny: it fails with itself" in whole.out


def test_the_summary_and_the_page_are_there(whole: Done) -> None:
    assert "8 cells: 3 pass, 1 fail, 1 known, 1 fixed, 1 unsupported, 1 crash" in whole.out
    [page] = re.findall(r"^report: (.*)$", whole.out, re.MULTILINE)
    assert "tiny" in Path(page).read_text(encoding="utf-8")


def verdicts_in(folder: Path) -> list[str]:
    """Return the verdicts that a folder of Allure's results has, sorted."""
    rows = [json.loads(file.read_text("utf-8")) for file in folder.glob("*-result.json")]
    return sorted(label["value"] for row in rows for label in row["labels"] if label["name"] == "verdict")


def test_allure_results_lie_beside_the_results(whole: Done) -> None:
    assert verdicts_in(whole.folder / "reports" / "latest" / "allure-results") == sorted(VERDICTS.values())


def test_a_run_that_stops_early_says_which_cells_are_missing(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "-n", "0", "-x")
    assert done.code == 1
    assert list(done.verdicts.values()) == ["pass", "fail", *["missing"] * 6]
    assert list(done.verdicts) == list(VERDICTS)


def test_collecting_starts_no_peer_and_files_no_run(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--collect-only", "-q")
    assert done.code == 0
    assert all(f"[{name}]" in done.out for name in VERDICTS)
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "reports").exists()


def test_a_test_that_only_names_a_cell_is_none(tmp_path: Path) -> None:
    name = "req-rep/tcp4/tiny>tiny/left-binds/only-named"
    checks = f"import pytest\n@pytest.mark.parametrize('text', ['{name}'])\ndef test_it(text): pass\n"
    done = run_pytest(tmp_path, "-n", "0", checks=checks)
    assert (done.code, "1 passed" in done.out) == (0, True)
    assert list((tmp_path / "reports").glob("*")) == []


def test_measuring_tests_come_last_and_wide_ones_only_when_asked_for(tmp_path: Path) -> None:
    checks = """
import pytest
@pytest.mark.measured
@pytest.mark.scenario("measured", "req-rep", binds=("left-binds",))
def test_one(left): pass
@pytest.mark.wide
@pytest.mark.scenario("wide", "req-rep", binds=("left-binds",))
def test_two(left): pass
@pytest.mark.scenario("ordinary", "req-rep", binds=("left-binds",))
def test_three(left): pass
"""
    name = "req-rep/tcp4/tiny>tiny/left-binds/"
    first = run_pytest(tmp_path / "1", "-n", "0", checks=checks)
    assert list(first.verdicts) == [f"{name}ordinary", f"{name}measured"]
    full = run_pytest(tmp_path / "2", "-n", "0", "--full", checks=checks)
    assert list(full.verdicts) == [f"{name}wide", f"{name}ordinary", f"{name}measured"]
    named = run_pytest(tmp_path / "3", "-n", "0", "--cell", f"{name}wide", checks=checks)
    assert list(named.verdicts) == [f"{name}wide"]


def test_a_good_selection_ends_with_exit_code_0(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "-n", "0", "--cell", "req-rep/tcp4/tiny>tiny/left-binds/passes")
    assert (done.code, done.verdicts) == (0, {"req-rep/tcp4/tiny>tiny/left-binds/passes": "pass"})
    assert (tmp_path / "trace").exists()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_peer_that_cannot_be_built_ends_the_run_and_nothing_is_filed(workers: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.peer.toml"
    broken.write_text('name = "broken"\nlanguage = "c"\nrun = ["no-such-program-1"]\n', encoding="utf-8")
    checks = CHECKS + "\n@pytest.mark.parametrize('n', range(500))\ndef test_later(n): pass\n"
    done = run_pytest(tmp_path, "-n", workers, "--manifest", str(broken), "--peer", "broken", checks=checks)
    assert done.code == 2
    assert done.out.count(f"zmq-interop: {broken}: key 'run': there is no program 'no-such-program-1'") == 1
    assert "a peer cannot be built" in done.out
    assert "MISSING" not in done.out
    assert " 500 passed" not in done.out
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_run_that_cannot_be_filed_says_so(tmp_path: Path) -> None:
    checks = """
from pathlib import Path
def test_in_the_way(request):
    [run] = Path(request.config.option.reports).iterdir()
    (run / "results.json").mkdir()
"""
    done = run_pytest(tmp_path, "-n", "0", "-k", "passes or in_the_way", checks=checks + CHECKS)
    assert done.code == 2
    assert "results.json: the run cannot be filed: Is a directory" in done.out
    assert "INTERNALERROR" not in done.out + done.err


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("-k", "passes and", "Wrong expression passed to '-k'"),
        ("-m", "slwo", "Unknown marker(s) in '-m' expression: slwo"),
    ],
    ids=["-k", "-m"],
)
def test_a_choice_of_tests_that_cannot_be_read_is_said_by_the_run_and_not_found_by_its_workers(
    option: str, value: str, said: str, workers: str, tmp_path: Path
) -> None:
    done = run_pytest(tmp_path, "-n", workers, option, value)
    assert done.code == 2
    [line] = done.err.splitlines()
    assert f"zmq-interop: {said}" in line
    assert "INTERNALERROR" not in done.out
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_path_that_pytest_takes_for_its_root_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(KNOWN, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "--known-issues", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert f"--known-issues {file}: pytest took this path for its root; write --known-issues={file}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pattern", "req-rap"], "--pattern req-rap: no such name; there are req-rep, "),
        (["--manifest", "{bad}"], "{bad}: unknown key 'nome'"),
        (["--known-issues", "{bad}"], "{bad}: unknown key 'nome'"),
        (["--known-issues", "{none}"], "{none}: there is no such file"),
        (["--budgets", "{bad}"], "{bad}: unknown key 'nome'"),
        (["--budgets", "{none}"], "{none}: there is no such file"),
        (["--known-issues", "{folder}"], "{folder}: cannot be read: "),
        (["--budgets", "{bytes}"], "{bytes}: not TOML: "),
        (["--reports", "{bad}"], "--reports {bad}: no run can be filed there: "),
        (["--reports", "{bad}/below"], "--reports {bad}/below: no run can be filed there: "),
        (["--cell", "req-rep"], "cell 'req-rep': an id has five parts"),
    ],
    ids=[
        *("option", "manifest", "known issues", "missing file", "budgets", "missing budgets"),
        *("a folder", "not UTF-8", "reports are a file", "reports below a file", "cell"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('nome = "x"\n', encoding="utf-8")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    names = {"{bad}": str(bad), "{folder}": str(tmp_path)}
    names |= {f"{{{name}}}": str(tmp_path / f"{name}.toml") for name in ("none", "bytes")}
    for hole, name in names.items():
        arguments, said = [word.replace(hole, name) for word in arguments], said.replace(hole, name)
    done = run_pytest(tmp_path, *arguments)
    lines = [line for line in (done.out + done.err).splitlines() if line.strip()]
    assert done.code == 2
    assert len(lines) == 1
    assert f"zmq-interop: {said}" in lines[0]
    assert not (tmp_path / "reports").exists()
