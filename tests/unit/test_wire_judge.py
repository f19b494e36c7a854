"""Which runs of a cell are recorded, what the outcome says of it, and that nothing is led astray otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness import cli, judge
from harness.commands import reports
from harness.judge import Outcome, Wire
from harness.model.verdicts import Verdict
from harness.peers.sockets import Link, Peer
from harness.report import evidence, store
from harness.wire.straight import Straight
from tests.unit.helpers import cell, record, run
from tests.unit.memory import MemoryPool
from tests.unit.test_plugin import CHECKS, Done, run_pytest

LISTENER = "tcp://127.0.0.1:1"
"""Somewhere where nobody listens; peers in memory do not care."""


def judged(check: Any, record: judge.Record, pool: MemoryPool | None = None, why: str = "") -> Outcome:
    return judge.judge(cell(), pool or MemoryPool(), check, {}, (), record, why)


def opening(left: Peer, right: Peer, link: Link) -> None:
    bound = left.socket("PUSH", bind=LISTENER)
    right.socket("PULL", connect=bound.endpoint)


def failing(left: Peer, right: Peer, link: Link) -> None:
    opening(left, right, link)
    raise AssertionError("wrong frame")


def connected_to(pool: MemoryPool) -> list[str]:
    """Return the endpoints that peers were told to connect to."""
    opened = [params for client in pool.started for method, params in client.asked if method == "open"]
    return [endpoint for params in opened for endpoint in params.get("connect", ())]


@pytest.mark.parametrize(
    ("which", "check", "recordings"),
    [
        ("none", opening, None),
        ("none", failing, None),
        ("failures", opening, None),
        ("failures", failing, 1),
        ("all", opening, 1),
    ],
)
def test_a_cell_is_recorded_when_it_is_asked_for(which: str, check: Any, recordings: int | None) -> None:
    pool = MemoryPool()
    threads = threading.active_count()
    outcome = judged(check, judge.Record(which), pool)
    assert (len(outcome.wire.recordings) if outcome.wire else None) == recordings
    assert threading.active_count() == threads
    assert all(isinstance(peer.tap, Straight) for peer in pool.running())


def test_only_the_run_under_the_recorder_is_led_astray() -> None:
    pool = MemoryPool()
    judged(failing, judge.Record.FAILURES, pool)
    first, again, *blame = connected_to(pool)
    assert first == LISTENER
    assert again != LISTENER
    assert set(blame) == {LISTENER}


def test_a_socket_shows_the_endpoint_that_it_was_told() -> None:
    seen = []

    def check(left: Peer, right: Peer) -> None:
        right.socket("PUSH", bind=LISTENER)
        client = left.socket("PULL", connect=LISTENER)
        seen.append(client.endpoint)

    pool = MemoryPool()
    judged(check, judge.Record.ALL, pool)
    assert seen == [LISTENER]
    assert connected_to(pool) != [LISTENER]


def test_a_recording_knows_who_binds_and_who_connects() -> None:
    wire = judged(opening, judge.Record.ALL).wire
    assert wire is not None
    (recording,) = wire.recordings
    assert (recording.endpoint, recording.binds, recording.connects) == (LISTENER, "one", "two")


def test_a_failure_that_does_not_come_again_is_said_to_be_so() -> None:
    turns = iter([AssertionError("wrong frame")])

    def check(left: Peer, right: Peer, link: Link) -> None:
        opening(left, right, link)
        for error in turns:
            raise error

    outcome = judged(check, judge.Record.FAILURES)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.wire is not None
    assert outcome.wire.about() == ["run again under the recorder it did not fail: pass"]


def test_a_failure_that_comes_again_is_told_with_its_reason() -> None:
    outcome = judged(failing, judge.Record.FAILURES)
    assert outcome.wire is not None
    assert outcome.wire.about() == ["run again under the recorder it ended as fail: wrong frame"]


@pytest.mark.parametrize("which", ["failures", "all"])
def test_a_check_that_cannot_be_recorded_is_not_and_says_so(which: str) -> None:
    pool = MemoryPool()
    check = failing if which == "failures" else opening
    outcome = judged(check, judge.Record(which), pool, "it looks at ports")
    assert set(connected_to(pool)) == {LISTENER}
    assert outcome.wire is not None
    assert outcome.wire.about() == ["not recorded: it looks at ports"]


def test_the_evidence_names_the_record(tmp_path: Path) -> None:
    outcome = Outcome(Verdict.FAIL, "no", AssertionError("no"))
    outcome.wire = Wire(notes=["a note"], files=[tmp_path / "run" / "wire" / "slug" / "conversation.txt"])
    assert evidence.of(outcome)["wire"] == {"about": ["a note"], "files": ["wire/slug/conversation.txt"]}
    assert "conversation.txt" in evidence.sections(cell(), outcome)[0][1]


# From outside.


def test_a_word_that_is_no_choice_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--record", "sometimes")
    assert done.code == 2
    lines = [line for line in (done.out + done.err).splitlines() if "zmq-interop:" in line]
    assert lines == ["Exit: zmq-interop: --record sometimes: no such choice; there are none, failures, all"]


def evidence_of(done: Done, what: str) -> dict[str, Any]:
    row = next(row for row in done.results["cells"] if row["id"].endswith(what))
    found: dict[str, Any] = row.get("evidence", {})
    return found


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_failed_cell_is_run_again_and_its_evidence_says_so(tmp_path: Path, workers: str) -> None:
    checks = (
        CHECKS
        + f"""
@pytest.mark.unrecorded("it looks at ports")
@pytest.mark.scenario("shy", "req-rep", binds=("left-binds",))
def test_shy(left, right):
    assert False

@pytest.mark.scenario("nobody-there", "req-rep", binds=("left-binds",))
def test_nobody_there(left, right):
    left.socket("REQ", connect="{LISTENER}")
    assert False
"""
    )
    allure = tmp_path / "allure"
    done = run_pytest(tmp_path, "--record", "failures", "-n", workers, "--alluredir", str(allure), checks=checks)
    assert "wire" not in evidence_of(done, "/passes")
    assert evidence_of(done, "/shy")["wire"]["about"] == ["not recorded: it looks at ports"]
    assert evidence_of(done, "/fails")["wire"]["files"] == []
    files = evidence_of(done, "/nobody-there")["wire"]["files"]
    folder = "wire/req-rep_tcp4_tiny_tiny_left-binds_nobody-there"
    assert files == [f"{folder}/conversation.txt", f"{folder}/conversation.pcapng"]
    page = (tmp_path / "reports" / "latest" / files[0]).read_text(encoding="utf-8")
    assert "no connection was made" in page
    attached = [
        attachment["name"]
        for path in allure.glob("*-result.json")
        for step in json.loads(path.read_text(encoding="utf-8")).get("steps", [])
        for attachment in step.get("attachments", [])
    ]
    assert {"conversation.txt", "conversation.pcapng"} <= set(attached)


# explain


@pytest.fixture
def filed(tmp_path: Path) -> Path:
    """A run with one failed cell and its record."""
    wire = {"about": ["it ended"], "files": ["wire/x/conversation.txt", "wire/x/conversation.pcapng"]}
    found = {"peers": ["one 1.0"], "error": "AssertionError: no\nmore", "logs": {"left, one": "oops"}, "wire": wire}
    failed = record("fail", what="64k", reason="no", blame="one", check="test_x", seconds=1.5, evidence=found)
    folder = store.write(run(failed, record("pass", what="empty")), tmp_path)
    (folder / "wire" / "x").mkdir(parents=True)
    (folder / "wire" / "x" / "conversation.txt").write_text("\n".join(f"line {n}" for n in range(80)), encoding="utf-8")
    return folder


def test_explain_prints_a_cells_evidence(filed: Path) -> None:
    said = CliRunner().invoke(cli.main, ["explain", str(filed), "push-pull/tcp4/one>two/left-binds/64k"])
    assert said.exit_code == 0
    for word in ("fail, after 1.500 s", "test_x", "one 1.0", "AssertionError: no", "oops", "conversation.pcapng"):
        assert word in said.output
    assert 'zmq-interop repeat "push-pull/tcp4/one>two/left-binds/64k"' in said.output
    assert "  line 59\n  … 20 more lines" in said.output


def test_explain_names_cells_near_to_one_that_it_does_not_know(filed: Path) -> None:
    said = CliRunner().invoke(cli.main, ["explain", str(filed), "push-pull/tcp4/one>two/left-binds/64"])
    assert said.exit_code == 2
    assert said.output.count("\n") == 1
    assert "near it: push-pull/tcp4/one>two/left-binds/64k, push-pull/tcp4/one>two/left-binds/empty" in said.output


def test_explain_knows_runs_by_their_names(filed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "REPORTS", filed.parent)
    said = CliRunner().invoke(cli.main, ["explain", filed.name, "push-pull/tcp4/one>two/left-binds/empty"])
    assert (said.exit_code, "pass, after" in said.output) == (0, True)
    said = CliRunner().invoke(cli.main, ["explain", "nosuch", "x"])
    assert (said.exit_code, said.output.count("\n")) == (2, 1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would be run."""
    asked: list[list[str]] = []

    def ran(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", ran)
    return asked


def test_repeat_hands_on_what_is_to_be_recorded(asked: list[list[str]]) -> None:
    name = "push-pull/tcp4/one>two/left-binds/64k"
    said = CliRunner().invoke(cli.main, ["repeat", name, "--record", "all", "--times", "2"])
    assert said.exit_code == 0
    assert [command[-4:] for command in asked] == [["--cell", name, "--record", "all"]] * 2
    assert asked[0][0] == sys.executable


def test_repeat_hands_on_which_peers_and_libraries_with_whole_paths(
    asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zmq4").mkdir()
    monkeypatch.chdir(tmp_path)
    words = ["--library", "pebbe=1.2.11", "--library", "go-zeromq=zmq4", "--manifest", "my.peer.toml"]
    said = CliRunner().invoke(cli.main, ["repeat", "push-pull/tcp4/one>two/left-binds/64k", *words])
    assert said.exit_code == 0
    libraries = ["--library=pebbe=1.2.11", f"--library=go-zeromq={tmp_path / 'zmq4'}"]
    assert asked[0][-3:] == [*libraries, f"--manifest={tmp_path / 'my.peer.toml'}"]


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ([], ""),
        (["--library=pyzmq=25.1.2", "--manifest=/a/b.toml"], " --library=pyzmq=25.1.2 --manifest=/a/b.toml"),
        (["--library=pyzmq=C:\\my zmq"], ' "--library=pyzmq=C:\\my zmq"'),
    ],
)
def test_the_command_that_repeats_a_cell_reads_alike_in_every_shell(options: list[str], end: str) -> None:
    name = "push-pull/tcp4/one>two/left-binds/64k"
    assert evidence.repeat_command(name, options) == f'zmq-interop repeat "{name}"{end}'
