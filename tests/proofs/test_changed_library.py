"""A library that somebody has changed takes the place of its release, and the harness says what the change broke."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.peers import build, manifest
from harness.plugin import ROOT
from harness.report.store import RESULTS

CELL = "push-pull/tcp4/go-zeromq>pyzmq/left-binds/multipart"
MORE = "flag ^= hasMoreBitFlag"
"""go-zeromq's line that says of a frame that another one follows."""


def released(folder: Path) -> Path:
    """Return a copy of go-zeromq's release that may be changed."""
    peer = manifest.find(ROOT / "peers")["go-zeromq"]
    words = ["go", "list", "-m", "-f", "{{.Dir}}", peer.library]
    env = build.environment(peer)
    go = shutil.which("go", path=env["PATH"])
    assert go is not None
    done = subprocess.run([go, *words[1:]], cwd=peer.here, env=env, capture_output=True, text=True, check=True)
    copy = folder / "zmq4"
    shutil.copytree(done.stdout.strip(), copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return copy


def run(reports: Path, *arguments: str) -> tuple[int, str, dict[str, Any]]:
    """Run cells in a pytest of their own; return exit code, output and results."""
    command = [*(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "tests/interop"), *arguments]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command += ["--patience", "2", "--reports", str(reports)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=240)
    return done.returncode, done.stdout + done.stderr, json.loads((reports / "latest" / RESULTS).read_text("utf-8"))


def test_a_checkout_that_breaks_multipart_messages_is_caught_and_blamed(tmp_path: Path) -> None:
    checkout = released(tmp_path)
    source = checkout / "conn.go"
    assert MORE in source.read_text("utf-8")
    source.write_text(source.read_text("utf-8").replace(MORE, "_ = hasMoreBitFlag"), "utf-8")
    before, _, _ = run(tmp_path / "before", "--cell", CELL)
    code, output, results = run(tmp_path / "after", "--cell", CELL, "--library", f"go-zeromq={checkout}")
    assert (before, code) == (0, 1), output
    assert [cell["verdict"] for cell in results["cells"]] == ["fail"]
    assert results["cells"][0]["blame"].startswith("go-zeromq: it fails with itself too")
    assert "0.17.0+local" in results["run"]["libraries"]["go-zeromq"]["peer"]
    compared = [
        *(sys.executable, "-c", "from harness.cli import main; main()", "compare"),
        *(str(tmp_path / name / "latest") for name in ("before", "after")),
    ]
    said = subprocess.run(compared, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 1
    assert "0.17.0+local" in said.stdout


@pytest.mark.parametrize("peer", ["pyzmq", "pyzmq-asyncio"])
def test_another_version_of_pyzmq_serves_all_peers_that_use_it(tmp_path: Path, peer: str) -> None:
    cell = f"push-pull/tcp4/{peer}>pebbe/left-binds/multipart"
    code, output, results = run(tmp_path, "--cell", cell, "--library", "pyzmq=27.1.0")
    assert code == 0, output
    assert "27.1.0" in results["run"]["libraries"][peer]["peer"]
    assert "27.1.0" not in results["run"]["libraries"]["pebbe"]["peer"]
