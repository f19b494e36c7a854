"""What a run with a crash, a hang and a failure leaves: Allure's report, JUnit XML, stacks and counters."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.report import allure_report
from tests.proofs.test_whole_run import CELL, run
from tests.proofs.whole import command

NODE = "Allure's report needs Node.js with npm; run: apt-get install nodejs npm"


def test_allures_own_report_has_every_cell_once_with_its_status_and_a_history(tmp_path: Path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(NODE)
        pytest.skip(NODE)
    for fault in ("flip", "crash", "silent"):
        run(tmp_path, fault, "--cell", CELL, "--cell", CELL.replace("faulty", "pyzmq"), "-n", "1")
        said = command("report", str(tmp_path / "reports" / "latest"))
        assert said.returncode == 1, said.stdout + said.stderr
    built = tmp_path / "reports" / "latest" / allure_report.FOLDER
    assert (built / "index.html").is_file()
    results = [json.loads(file.read_text("utf-8")) for file in (built / "data" / "test-results").iterdir()]
    cells = {parameter["value"].strip("'"): one["status"] for one in results for parameter in one["parameters"]}
    assert cells == {CELL: "broken", CELL.replace("faulty", "pyzmq"): "passed"}
    lines = (tmp_path / "reports" / allure_report.HISTORY).read_text("utf-8").splitlines()
    assert len(lines) == 3
    earlier = [Counter(row["status"] for row in json.loads(line)["testResults"].values()) for line in lines]
    assert earlier == [{"failed": 1, "passed": 1}, {"broken": 1, "passed": 1}, {"broken": 1, "passed": 1}]


def test_a_run_without_allure_results_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"version": 1, "run": {"name": "1"}, "cells": []}), "utf-8")
    said = command("report", str(tmp_path))
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert "there are no Allure results" in said.stderr


def test_junit_xml_lies_beside_the_results(tmp_path: Path) -> None:
    run(tmp_path, "flip", "--cell", CELL, "-n", "1")
    (case,) = ElementTree.parse(tmp_path / "reports" / "latest" / "junit.xml").iter("testcase")
    assert f"[{CELL}]" in case.attrib["name"]
    assert [child.tag for child in case if child.tag != "system-out"] == ["failure"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGQUIT")
def test_a_hang_tells_where_both_peers_stood(tmp_path: Path) -> None:
    held = run(tmp_path, "silent", "--cell", CELL, "-n", "1").results["cells"][0]["evidence"]["held"]
    assert 'File "' in held["stacks of faulty"]
    assert 'File "' in held["stacks of pyzmq (right)"]
    assert "not asked" in held["statistics of faulty (left)"]


def test_a_failed_cell_has_its_counters_before_and_after(tmp_path: Path) -> None:
    other = CELL.replace("right-binds", "left-binds")
    cells = run(tmp_path, "flip", "--cell", other, "--cell", CELL).results["cells"]
    told = cells[-1]["evidence"]["held"]["statistics of faulty (left)"].splitlines()
    assert [line.split()[0] for line in told] == ["before:", "after:"]
    assert all("sockets 0, contexts 0" in line and "handles" in line for line in told)
