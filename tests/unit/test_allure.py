"""What is filed for Allure: every cell once with the right status, labels, links and steps; and what lies beside."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.model.patterns import PATTERNS
from harness.model.verdicts import Verdict
from harness.report import allure_labels, allure_results
from tests.unit.helpers import record, run
from tests.unit.test_plugin import Done, run_pytest

CHECKS = """
import os
import pytest
from harness.errors import Inconclusive

@pytest.mark.scenario("passes", "req-rep", binds=("left-binds",))
def test_it_passes(left): pass

@pytest.mark.scenario("fails", "req-rep", binds=("left-binds",))
def test_it_fails(left): assert ["a"] == ["b"]

@pytest.mark.scenario("known-to-fail", "req-rep", binds=("left-binds",))
def test_it_is_known(left): assert False

@pytest.mark.scenario("repaired", "req-rep", binds=("left-binds",))
def test_it_is_fixed(left): pass

@pytest.mark.scenario("lacking", "push-pull", binds=("left-binds",))
def test_it_is_unsupported(left, right): pass

@pytest.mark.scenario("noisy", "req-rep", binds=("left-binds",))
def test_it_is_inconclusive(left): raise Inconclusive("too restless")

@pytest.mark.scenario("crashes", "req-rep", binds=("left-binds",))
def test_it_crashes(left): left.client.call("die")

@pytest.mark.scenario("hangs", "req-rep", binds=("left-binds",))
def test_it_hangs(left):
    from harness.errors import PeerHang
    raise PeerHang("no answer")

@pytest.mark.scenario("killed", "req-rep", binds=("left-binds",))
def test_its_worker_dies(left): os._exit(9)
"""

STATUSES = {
    "passes": ("pass", "passed"),
    "fails": ("fail", "failed"),
    "known-to-fail": ("known", "skipped"),
    "repaired": ("fixed", "failed"),
    "lacking": ("unsupported", "skipped"),
    "noisy": ("inconclusive", "skipped"),
    "crashes": ("crash", "broken"),
    "hangs": ("hang", "broken"),
    "killed": ("crash", "broken"),
}


def results(done: Done) -> list[dict[str, Any]]:
    folder = done.folder / "reports" / "latest" / allure_results.FOLDER
    return [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*-result.json"))]


def cell_of(result: dict[str, Any]) -> str:
    [parameter] = result["parameters"]
    assert parameter["name"] == "cell"
    return str(parameter["value"]).strip("'").rpartition("/")[2]


def by_cell(done: Done) -> dict[str, dict[str, Any]]:
    return {cell_of(result): result for result in results(done)}


def labels(result: dict[str, Any]) -> dict[str, str]:
    return {label["name"]: label["value"] for label in result["labels"]}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run of every verdict, over a worker that dies."""
    folder = tmp_path_factory.mktemp("allure")
    return run_pytest(folder, "--known-issues", str(folder / "known.toml"), "-n", "1", checks=CHECKS)


def test_every_cell_is_there_once_with_the_right_status(done: Done) -> None:
    assert Counter(map(cell_of, results(done))) == Counter([*STATUSES])
    found = {name: (labels(result)["verdict"], result["status"]) for name, result in by_cell(done).items()}
    assert found == STATUSES
    assert {name.rpartition("/")[2]: verdict for name, verdict in done.verdicts.items()} == {
        name: verdict for name, (verdict, _) in STATUSES.items()
    }


def test_a_cell_that_never_ran_is_there_too(tmp_path: Path) -> None:
    stopped = run_pytest(tmp_path, "-n", "0", "-x", "--exclude", "*killed", checks=CHECKS)
    found = {name: (labels(result)["verdict"], result["status"]) for name, result in by_cell(stopped).items()}
    assert found["fails"] == ("fail", "failed")
    assert found["hangs"] == ("missing", "broken")
    assert len(found) == len(results(stopped)) == len(STATUSES) - 1


def test_a_cell_stands_in_the_tree_by_family_pattern_and_check(done: Done) -> None:
    found = labels(by_cell(done)["fails"])
    assert (found["epic"], found["feature"], found["story"]) == ("28/REQREP", "req-rep", "it fails")
    assert (found["transport"], found["peers"], found["place"]) == ("tcp4", "tiny>tiny", "local")
    assert (found["severity"], labels(by_cell(done)["crashes"])["severity"]) == ("normal", "blocker")


def test_a_cell_links_its_clause_and_its_issue(done: Done) -> None:
    links = {link["type"]: link["url"] for link in by_cell(done)["known-to-fail"]["links"]}
    assert links == {"link": "https://rfc.zeromq.org/spec/28/", "issue": "https://example.org/1"}


def test_evidence_is_steps_with_attachments(done: Done) -> None:
    folder = done.folder / "reports" / "latest" / allure_results.FOLDER
    steps = {step["name"]: step["attachments"] for step in by_cell(done)["fails"]["steps"]}
    assert {"zmq-interop", "expected and received"} <= steps.keys()
    [attached] = steps["zmq-interop"]
    assert "zmq-interop repeat" in (folder / attached["source"]).read_text("utf-8")
    assert "steps" not in by_cell(done)["passes"]


def test_a_cell_keeps_its_history_however_it_is_run(done: Done, tmp_path: Path) -> None:
    again = run_pytest(tmp_path, "-n", "0", "--cell", "req-rep/tcp4/tiny>tiny/left-binds/passes", checks=CHECKS)
    assert by_cell(again)["passes"]["historyId"] == by_cell(done)["passes"]["historyId"]
    assert len({result["historyId"] for result in results(done)}) == len(STATUSES)


def test_host_and_categories_lie_beside_the_results(done: Done) -> None:
    folder = done.folder / "reports" / "latest" / allure_results.FOLDER
    assert "libzmq=" in (folder / "environment.properties").read_text("ascii")
    categories = json.loads((folder / "categories.json").read_text("utf-8"))
    assert {category["name"].partition(":")[0] for category in categories} >= {"Crash", "Hang", "Missing", "Fixed"}
    rules = json.loads((folder / allure_results.CONFIG).read_text("utf-8"))["categories"]["rules"]
    matched = {rule["matchers"]["labels"]["verdict"] for rule in rules}
    assert matched == {str(verdict) for verdict in Verdict if verdict is not Verdict.PASS}


def test_properties_are_escaped_as_java_reads_them() -> None:
    shown = run(name="a")
    shown.about = {"host": "C:\\x\ny", "system": "Linux ✓ 🚀"}
    lines = allure_results.properties(shown).splitlines()
    assert lines[:2] == ["host=C:\\\\x\\ny", "system=Linux \\u2713 \\ud83d\\ude80"]


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, None),
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW": "nightly", "GITHUB_RUN_NUMBER": "7"},
            {"type": "github", "name": "github", "buildName": "nightly", "buildOrder": 7},
        ),
        ({"JENKINS_URL": "x", "JOB_NAME": "j"}, {"type": "jenkins", "name": "jenkins", "buildName": "j"}),
    ],
    ids=["no server", "github", "jenkins"],
)
def test_the_executor_is_told_where_a_server_runs_it(environment: dict[str, str], told: dict[str, Any] | None) -> None:
    assert allure_results.executor(run(record()), environment) == told


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=list(PATTERNS))
def test_every_pattern_links_to_its_clause(pattern: Any) -> None:
    assert allure_labels.clause_link(pattern.source).startswith("https://")
