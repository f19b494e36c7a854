"""What is changed on the machine is journalled first, undone after, and swept when a run was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from harness import cli
from harness.errors import SetupFault
from harness.host import affinity, journal, priority, restore
from harness.host.journal import Entry, Journal, pending, sweep
from harness.plugin import ROOT

needs_affinity = pytest.mark.skipif(
    not hasattr(psutil.Process, "cpu_affinity"), reason="unsupported: this system can't pin a process to a core"
)

KILLED = """
import os, sys
from contextlib import ExitStack
from harness.host import affinity, priority
with ExitStack() as stack:
    stack.enter_context(affinity.pinned([int(sys.argv[1])], [0]))
    stack.enter_context(priority.prioritized(int(sys.argv[1]), "low"))
    print("changed", flush=True)
    sys.stdin.read()
"""
"""A run that is killed in the middle, as nothing can be prepared for."""

KILLED_TEST = """
import sys
def test_is_killed_in_the_middle(affinity, priority):
    affinity.pin({pid}, [0])
    priority.set({pid}, "low")
    print("changed", file=sys.__stdout__, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is not the harness's, and outlives it."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield process
    process.communicate()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(journal.FOLDER, str(tmp_path / "state"))
    return tmp_path / "state"


def kept(state: Path) -> list[Entry]:
    """Return what the journals in a folder hold."""
    return [entry for file in state.glob("*.jsonl") for entry in pending(file.read_text(encoding="utf-8"))]


def test_a_change_is_on_the_disk_before_it_is_made_and_gone_when_it_is_undone(state: Path) -> None:
    undone: list[Mapping[str, Any]] = []
    with Journal(state).change("colour", {"was": "red"}, undone.append):
        assert [(entry.kind, entry.before) for entry in kept(state)] == [("colour", {"was": "red"})]
        assert undone == []
    assert undone == [{"was": "red"}]
    assert list(state.glob("*.jsonl")) == []


def test_nothing_is_changed_where_no_journal_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SetupFault, match="no journal can be written"),
        Journal(tmp_path / "file" / "below").change("colour", {}, lambda before: None),
    ):
        pytest.fail("the change was made")


def test_changes_are_undone_in_reverse() -> None:
    lines = [{"number": 1, "kind": "a", "before": {}}, {"number": 2, "kind": "b", "before": {}}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    assert [entry.kind for entry in pending(text)] == ["b", "a"]
    assert [entry.kind for entry in pending(text + '{"undone": 2}\n')] == ["a"]


def test_a_torn_last_line_is_a_change_that_was_never_made() -> None:
    assert pending('{"number": 1, "kind": "a", "bef') == []


def test_a_damaged_line_is_told_and_kept(state: Path) -> None:
    state.mkdir()
    (state / "1-x.jsonl").write_text("gibberish\n", encoding="utf-8")
    swept = sweep(state, {})
    assert swept.restored == []
    assert ["gibberish" in line for line in swept.failed] == [True]
    assert (state / "1-x.jsonl").exists()


def test_a_change_that_nobody_knows_is_told_and_kept(state: Path) -> None:
    state.mkdir()
    (state / "1-x.jsonl").write_text('{"number": 1, "kind": "colour", "before": {}}\n', encoding="utf-8")
    assert "knows no such change" in sweep(state, {}).failed[0]
    assert (state / "1-x.jsonl").exists()


def test_what_a_live_process_has_under_way_is_left_alone(state: Path) -> None:
    with Journal(state).change("colour", {}, lambda before: None):
        assert sweep(state, {"colour": lambda before: pytest.fail("undone under a live process")}).restored == []


def test_a_change_that_cannot_be_undone_stays_in_the_journal(state: Path) -> None:
    def refuse(before: Mapping[str, Any]) -> None:
        raise PermissionError("no")

    own = Journal(state)
    with pytest.raises(SetupFault, match="doctor --restore"), own.change("colour", {"was": "red"}, refuse):
        pass
    own.close()
    assert len(sweep(state, {"colour": refuse}).failed) == 1
    put_back: list[Mapping[str, Any]] = []
    assert len(sweep(state, {"colour": put_back.append}).restored) == 1
    assert put_back == [{"was": "red"}]
    assert sweep(state, {"colour": put_back.append}).restored == []


def test_locks_of_the_dead_are_removed_and_those_of_the_living_kept(state: Path) -> None:
    own = Journal(state)
    with own.change("colour", {}, lambda before: None):
        pass
    (state / "1-x.lock").touch()
    for lock in state.glob("*.lock"):
        os.utime(lock, (0, 0))
    sweep(state, {})
    assert len(list(state.glob("*.lock"))) == 1
    own.close()
    assert list(state.iterdir()) == []


@needs_affinity
def test_a_killed_process_leaves_changes_that_a_sweep_puts_back(bystander: subprocess.Popen[bytes]) -> None:
    before, standing = affinity.read(bystander.pid), priority.read(bystander.pid)
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(bystander.pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert run.stdout is not None
    assert run.stdout.readline().strip() == b"changed"
    assert restore.sweep().restored == [], "the process lives: nothing is its successor's to undo"
    run.kill()
    run.communicate()
    assert affinity.read(bystander.pid) == [0]
    assert priority.read(bystander.pid) == "low"
    assert len(restore.sweep().restored) == 2
    assert affinity.read(bystander.pid) == before
    assert priority.read(bystander.pid) == standing


@needs_affinity
@pytest.mark.parametrize("how", ["doctor", "next start"])
def test_a_run_killed_in_the_middle_is_swept(how: str, bystander: subprocess.Popen[bytes], tmp_path: Path) -> None:
    before, standing = affinity.read(bystander.pid), priority.read(bystander.pid)
    file = tmp_path / "test_killed.py"
    file.write_text(KILLED_TEST.format(pid=bystander.pid), encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--reports", str(tmp_path)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.Popen([*words, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=env)
    assert run.stdout is not None
    while b"changed" not in run.stdout.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    run.communicate()
    assert affinity.read(bystander.pid) == [0]
    if how == "doctor":
        told = CliRunner().invoke(cli.main, ["doctor", "--restore"])
        assert (told.exit_code, "2 restored, 0 could not be" in told.output) == (0, True)
    else:
        words = [*words, "tests/interop", "--cell", "pair-pair/tcp4/pyzmq>pyzmq/left-binds/empty"]
        done = subprocess.run(words, capture_output=True, cwd=ROOT, env=env, check=False, timeout=120)
        assert done.stdout.count(b"restored, left by a killed run") == 2, done.stdout
    assert affinity.read(bystander.pid) == before
    assert priority.read(bystander.pid) == standing
