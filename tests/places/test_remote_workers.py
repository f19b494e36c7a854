"""A whole worker on another machine, by xdist's own means: real peers there, and what was recorded of them here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.places import ssh
from harness.plugin import ROOT
from harness.report import store

CHECKOUT = (".build", "harness", "peers", "pyproject.toml", "tests")

CELLS = tuple(f"push-pull/tcp4/{pair}/left-binds/1-byte" for pair in ("go-zeromq>pyzmq", "pyzmq>go-zeromq"))


def test_a_recording_that_was_made_beyond_ssh_comes_home(machine: str, tmp_path: Path) -> None:
    there = tmp_path / "there"  # not the checkout itself: xdist puts pytest beside it
    there.mkdir()
    for name in CHECKOUT:
        (there / name).symlink_to(ROOT / name)
    far = f"ssh=-F {os.environ[ssh.CONFIG]} {machine}//id=far//python={sys.executable}//chdir={there}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--dist", "load", "--tx", far),
            *("--record", "all", f"--reports={tmp_path / 'reports'}", *(f"--cell={cell}" for cell in CELLS)),
        ],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    latest = tmp_path / "reports" / "latest"
    records = store.read(latest).records
    assert [(record.cell.id, record.worker) for record in records] == [(cell, "far") for cell in CELLS]
    for record in records:
        files = record.evidence["wire"]["files"]
        assert [Path(name).suffix for name in files] == [".txt", ".pcapng"]
        assert all((latest / name).stat().st_size for name in files)
