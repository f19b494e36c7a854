"""What killed peers left is swept; what lives is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.places.sweep import sweep


def test_only_the_directories_of_dead_peers_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / f"zmq-interop-{ended.pid}-x"
    kept = [tmp_path / name for name in (f"zmq-interop-{os.getpid()}-x", "zmq-interop-notes-x", "other")]
    for folder in (dead, *kept):
        folder.mkdir()
        (folder / "1.sock").touch()
    assert sweep(tmp_path) == [dead]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
