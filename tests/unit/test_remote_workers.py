"""Workers on other machines: their verdicts and files come home, and nothing stays there.

A stand-in for ssh starts them on this one, in a folder for temporary files of their own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.unit.test_plugin import CHECKS, VERDICTS, Done, run_pytest, verdicts_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for ssh is a shell script")

SSH = """\
#!/bin/sh
for last; do :; done
TMPDIR={there} exec sh -c "$last"
"""

DIES = """
import os, pytest
@pytest.mark.scenario("dies", "req-rep", binds=("left-binds",))
def test_dies(left, right):
    os._exit(3)
"""


def run_far(
    folder: Path, *arguments: str, checks: str = CHECKS, chdir: Path | None = None, python: str = sys.executable
) -> Done:
    """Run checks in one worker beyond the stand-in, in the same folder or in another one."""
    for name in ("there", "bin"):
        (folder / name).mkdir(exist_ok=True)
    ssh = folder / "bin" / "ssh"
    ssh.write_text(SSH.format(there=folder / "there"), encoding="utf-8")
    ssh.chmod(0o755)
    far = f"ssh=build-box//id=far//python={python}//chdir={chdir or folder}"
    way = ("--dist", "load", "--tx", far)
    return run_pytest(folder, *way, *arguments, checks=checks, programs=str(ssh.parent))


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run of every check, beyond the stand-in."""
    return run_far(tmp_path_factory.mktemp("far"), "--known-issues=known.toml")


def test_a_worker_on_another_machine_reports_the_same_verdicts(far: Done) -> None:
    assert far.verdicts == VERDICTS
    assert far.results["problems"] == []
    assert {row["worker"] for row in far.results["cells"]} == {"far"}
    assert far.results["run"]["workers"] == 1


def test_its_allure_results_come_home_and_nothing_stays_there(far: Done) -> None:
    assert verdicts_in(far.folder / "reports" / "latest" / "allure-results") == sorted(VERDICTS.values())
    assert [*(far.folder / "there").iterdir()] == []


def test_its_allure_results_go_where_allure_was_told(tmp_path: Path) -> None:
    done = run_far(tmp_path, "--alluredir=results", "-k", "passes")
    assert done.code == 0
    assert verdicts_in(tmp_path / "results") == ["pass"]
    assert not (tmp_path / "reports" / "latest" / "allure-results").exists()


def test_a_worker_that_dies_there_is_a_problem_and_the_next_one_sweeps_its_folder(tmp_path: Path) -> None:
    done = run_far(tmp_path, "--max-worker-restart=0", checks=DIES)
    assert done.code == 1
    assert done.verdicts == {"req-rep/tcp4/tiny>tiny/left-binds/dies": "crash"}
    assert "worker far: ended without its files; recordings and Allure results are lost" in done.results["problems"]
    assert [*(tmp_path / "there").iterdir()] != []
    assert run_far(tmp_path, "-k", "passes").code == 0
    assert [*(tmp_path / "there").iterdir()] == []


def said(done: Done) -> list[str]:
    """Return what the harness says is wrong."""
    return re.findall(r"(?:^|Exit: )(zmq-interop: .*?)(?: !+)?$", done.out, re.MULTILINE)


def test_input_that_is_wrong_there_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = run_far(tmp_path, chdir=other)
    assert done.code == 2
    (line,) = said(done)
    assert line.startswith("zmq-interop: --tx ssh=build-box//id=far//python=")
    assert ": tiny.peer.toml: cannot be read: " in line
    assert [*(tmp_path / "reports").iterdir()] == []


def test_a_folder_without_a_checkout_is_refused_there(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    nothing = tmp_path_factory.mktemp("nothing")
    done = run_far(tmp_path, chdir=nothing)
    assert done.code == 2
    (line,) = said(done)
    assert line.endswith(f": {nothing}: no checkout lies there; let chdir= name one")


def test_workers_that_break_at_their_start_are_not_tried_for_ever(tmp_path: Path) -> None:
    done = run_far(tmp_path, python=f"{sys.executable} -S")  # without what is installed
    assert done.code == 2
    (line,) = said(done)
    assert line.endswith(": no worker starts there; what it said stands above")
    assert "No module named" in done.out


@pytest.mark.parametrize("python", ["/nowhere/python", "exit 255; :"], ids=["no Python", "no host"])
def test_a_machine_that_is_not_reached_is_one_line_and_exit_code_2(tmp_path: Path, python: str) -> None:
    done = run_far(tmp_path, python=python)
    assert done.code == 2
    (line,) = said(done)
    assert line.startswith("zmq-interop: --tx: no worker starts there: ")
    assert "INTERNALERROR" not in done.out


def test_a_path_that_xdist_would_send_along_is_refused_in_one_line(tmp_path: Path) -> None:
    done = run_far(tmp_path, str(tmp_path))
    assert done.code == 2
    (line,) = said(done)
    assert f"arg {tmp_path} not relative to an rsync root" in line
