"""The workflows are as they are rendered, the script for Windows is PowerShell, and a job's steps can be walked."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tree_sitter_powershell
import yaml
from tree_sitter import Language, Node, Parser

from harness import ci
from harness.errors import SetupFault
from harness.peers import manifest
from harness.plugin import ROOT

SCRIPT = ROOT / "ci" / "windows.ps1"
RENDERED = ci.render(ROOT, manifest.find(ROOT / "peers"))
WORKFLOWS: dict[str, Any] = {path.stem: yaml.safe_load(text) for path, text in RENDERED.items()}


@pytest.fixture(scope="module")
def walk() -> ModuleType:
    sys.path.insert(0, str(ROOT / "ci"))
    try:
        return importlib.import_module("walk")
    finally:
        sys.path.pop(0)


def test_the_committed_workflows_are_as_they_are_rendered() -> None:
    assert ci.stale(ROOT, RENDERED) == [], "run: zmq-interop ci render"


def test_a_change_or_a_stranger_is_noticed_and_put_right(tmp_path: Path) -> None:
    assert ci.write(tmp_path, RENDERED) == sorted(RENDERED)
    assert ci.write(tmp_path, RENDERED) == []
    first = min(RENDERED)
    (tmp_path / first).write_text("name: other\n", encoding="utf-8")
    (tmp_path / first.parent / "stranger.yml").write_text("name: stranger\n", encoding="utf-8")
    assert ci.stale(tmp_path, RENDERED) == sorted([first, first.parent / "stranger.yml"])
    ci.write(tmp_path, RENDERED)
    assert ci.stale(tmp_path, RENDERED) == []


def test_a_new_peer_is_in_ci_by_its_manifest() -> None:
    manifests = manifest.find(ROOT / "peers")
    rendered = ci.render(ROOT, {**manifests, "mine": replace(manifests["pyzmq"], name="mine", language="rust")})
    for text in rendered.values():
        assert text.count("Build and start mine\n") == text.count("Build and start pyzmq\n") >= 3
    python = {name: one for name, one in manifests.items() if one.language == "python"}
    assert all("setup-go" not in text for text in ci.render(ROOT, python).values())


def test_a_template_that_cannot_be_filled_is_one_line(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ci.TEMPLATES, tmp_path / ci.TEMPLATES)
    (tmp_path / ci.TEMPLATES / "bad.yml.j2").write_text("{{ nobody }}", encoding="utf-8")
    with pytest.raises(SetupFault, match="'nobody' is undefined"):
        ci.render(tmp_path, {})


def test_every_job_of_ci_has_an_end() -> None:
    for workflow in WORKFLOWS.values():
        assert all(job["timeout-minutes"] <= 360 for job in workflow["jobs"].values())


def test_the_shards_of_every_system_are_whole_and_joined() -> None:
    jobs = WORKFLOWS["test"]["jobs"]
    for system in ("linux", "windows", "macos"):
        told = " ".join(row["tests"] for row in jobs[system]["strategy"]["matrix"]["include"])
        assert re.findall(r"--shard (\S+)", told) == ["1/3", "2/3", "3/3"]
        assert f"ci/join.sh {system}" in [step.get("run") for step in jobs["report"]["steps"]]


# The script for Windows. There is no PowerShell in Debian, so a parser has to do.


def broken(source: bytes) -> list[str]:
    """Return what is no PowerShell in a script, with its line."""
    tree = Parser(Language(tree_sitter_powershell.language())).parse(source)

    def walked(node: Node) -> list[str]:
        here = [f"line {node.start_point[0] + 1}"] if node.is_error or node.is_missing else []
        return here + [line for child in node.children for line in walked(child)]

    return walked(tree.root_node)


def test_the_script_for_windows_is_powershell() -> None:
    assert broken(SCRIPT.read_bytes()) == []


@pytest.mark.parametrize(
    ("there", "instead"), [("try {", "try"), ("@('install'", "@'install'"), ("if ($LAST", "if $LAST")]
)
def test_a_slip_in_the_script_is_found(there: str, instead: str) -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    assert there in source
    assert broken(source.replace(there, instead, 1).encode()) != []


def test_the_workflows_call_only_steps_that_the_script_has() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    found = re.search(r"ValidateSet\((.*?)\)", source)
    assert found is not None
    steps = set(re.findall(r"'(\w+)'", found[1]))
    assert steps == set(re.findall(r"^        '(\w+)' \{", source, re.MULTILINE)), "each step has its branch"
    called = {word for text in RENDERED.values() for word in re.findall(r"windows\.ps1 (\w+)", text)}
    assert called == steps


# Walking the linux job elsewhere.


def test_a_walk_runs_the_jobs_own_commands_for_its_part(walk: ModuleType) -> None:
    told = {step.name: step for step in walk.steps(WORKFLOWS["test"], "linux", "shard-2")}
    assert told["Tests, as root for the firewall and the network namespaces"].run.endswith("--shard 2/3")
    assert told["Lint"].left_out == "for the part logic only"
    assert {step.name: step for step in walk.steps(WORKFLOWS["test"], "linux", "logic")}["Lint"].run
    assert all(step.run or step.left_out for step in told.values())


def test_a_walk_of_what_there_is_not_is_refused(walk: ModuleType) -> None:
    with pytest.raises(ValueError, match="no part 'x'; there are logic, shard-1"):
        [*walk.steps(WORKFLOWS["test"], "linux", "x")]
    steps = [{"name": "n", "run": "echo ${{ secrets.x }}"}]
    workflow = {"jobs": {"linux": {"strategy": {"matrix": {"include": [{"part": "a"}]}}, "steps": steps}}}
    with pytest.raises(ValueError, match="only what is in the matrix"):
        [*walk.steps(workflow, "linux", "a")]
