"""A library that somebody has changed takes the place of its release, and the harness says what the change broke."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from harness.peers import build, manifest
from harness.plugin import ROOT
from tests.proofs.whole import cells, command

CELL = "push-pull/tcp4/go-zeromq>pyzmq/left-binds/multipart"
MORE = "flag ^= hasMoreBitFlag"
"""go-zeromq's line that says of a frame that another one follows."""


def released(folder: Path) -> Path:
    """Return a copy of go-zeromq's release that may be changed."""
    peer = manifest.find(ROOT / "peers")["go-zeromq"]
    env = build.environment(peer)
    go = shutil.which("go", path=env["PATH"])
    assert go is not None
    words = [go, "list", "-m", "-f", "{{.Dir}}", peer.library]
    done = subprocess.run(words, cwd=peer.here, env=env, capture_output=True, text=True, check=True)
    copy = folder / "zmq4"
    shutil.copytree(done.stdout.strip(), copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return copy


def test_a_checkout_that_breaks_multipart_messages_is_caught_and_blamed(tmp_path: Path) -> None:
    checkout = released(tmp_path)
    source = checkout / "conn.go"
    assert MORE in source.read_text("utf-8")
    source.write_text(source.read_text("utf-8").replace(MORE, "_ = hasMoreBitFlag"), "utf-8")
    before = cells(tmp_path / "before", "-n", "0", "--cell", CELL)
    after = cells(
        tmp_path / "after", "-n", "0", "--patience", "2", "--cell", CELL, "--library", f"go-zeromq={checkout}"
    )
    assert (before.code, after.code) == (0, 1), after.output
    assert after.verdicts == {CELL: "fail"}
    assert after.results["cells"][0]["blame"].startswith("go-zeromq: it fails with itself too")
    assert "0.17.0+local" in after.results["run"]["libraries"]["go-zeromq"]["peer"]
    said = command("compare", *(str(tmp_path / name / "latest") for name in ("before", "after")))
    assert said.returncode == 1
    assert "0.17.0+local" in said.stdout


@pytest.mark.parametrize("peer", ["pyzmq", "pyzmq-asyncio"])
def test_another_version_of_pyzmq_serves_all_peers_that_use_it(tmp_path: Path, peer: str) -> None:
    cell = f"push-pull/tcp4/{peer}>pebbe/left-binds/multipart"
    finished = cells(tmp_path, "-n", "0", "--cell", cell, "--library", "pyzmq=27.1.0")
    assert finished.code == 0, finished.output
    libraries = finished.results["run"]["libraries"]
    assert "27.1.0" in libraries[peer]["peer"]
    assert "27.1.0" not in libraries["pebbe"]["peer"]
