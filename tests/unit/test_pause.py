"""A process that was told to stop stands still when `signal` returns: the system tells one thread of it first."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from harness.places import local
from harness.places.local import thread_states
from tests.unit.tiny import running

if sys.platform != "linux":
    pytest.skip("unsupported: a thread's state is read from proc(5)", allow_module_level=True)

BUSY = """\
import hashlib, threading
def work():
    while True: hashlib.sha256(bytes(200_000)).digest()
for _ in range(8): threading.Thread(target=work, daemon=True).start()
print("ready", flush=True)
threading.Event().wait(60)
"""
"""Its threads compute without Python's lock, so that several wait for a processor at any time."""

STOPPED = {"T"}


def moving(folder: Path, times: int = 50) -> int:
    """Stop a busy process, again and again; returns how often one of its threads was not stopped yet."""
    with running(folder, BUSY) as process:
        assert process.stdout.readline().strip() == b"ready"
        found = 0
        for _ in range(times):
            process.signal(signal.SIGSTOP)
            found += thread_states(process.pid) != STOPPED
            process.signal(signal.SIGCONT)
        return found


def test_every_thread_of_a_stopped_process_stands_still(tmp_path: Path) -> None:
    assert moving(tmp_path) == 0


def test_a_process_that_is_not_waited_for_still_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "stands", lambda pid, number: None)
    assert moving(tmp_path) > 0
