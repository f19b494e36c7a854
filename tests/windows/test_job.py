# ruff: noqa: E402 - the modules below exist on Windows alone, so the skip stands before them
"""Windows: a peer's job holds all that it starts; how a peer is ended; nothing outlives the harness."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("unsupported: job objects are Windows'", allow_module_level=True)
assert sys.platform == "win32"

from harness.places.job import Job
from harness.places.local import POLITE, LocalProcess
from tests.unit.helpers import script
from tests.unit.tiny import running
from tests.waiting import gone, within

Start = Callable[[str], LocalProcess]

PARENT = """\
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
"""
WAITS = f"{PARENT}time.sleep(60)"
BREAKS = """\
import signal, sys, time
def asked(number, frame):
    print("asked", flush=True)
    sys.exit(0)
signal.signal(signal.SIGBREAK, asked)
print("ready", flush=True)
for _ in range(600): time.sleep(0.1)
"""
HARNESS = """\
import os, sys
from pathlib import Path
from harness.places.local import LocalPlace
peer = LocalPlace().start([sys.executable, "-I", sys.argv[1]], Path.cwd(), os.environ)
print(peer.pid, int(peer.stdout.readline()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program as a peer is started; nothing of it outlives the test."""
    with ExitStack() as stack:
        yield lambda code: stack.enter_context(running(tmp_path, code))


@pytest.fixture
def console() -> Iterator[None]:
    """A console that a child shares, which a signal needs: this process's, or one that is made for the test."""
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    made = not kernel32.GetConsoleCP() and kernel32.AllocConsole()
    if not kernel32.GetConsoleCP():
        pytest.skip("unsupported: no console can be had here")
    yield
    if made:
        kernel32.FreeConsole()


def test_a_job_knows_its_members_and_ends_them(tmp_path: Path) -> None:
    job = Job()
    with subprocess.Popen(script(tmp_path, "import time; time.sleep(60)")) as process:
        assert job.members() == []
        job.add(process.pid)
        assert job.members() == [process.pid]
        job.end()
        assert process.wait(10) == 1
    assert job.members() == []
    job.close()
    job.close()


def test_a_job_of_many_members_names_them_all(tmp_path: Path) -> None:
    job = Job()
    command = script(tmp_path, "import time; time.sleep(60)")
    processes = [subprocess.Popen(command) for _ in range(5)]
    for process in processes:
        job.add(process.pid)
    assert sorted(job.members()) == sorted(process.pid for process in processes)
    job.close()
    for process in processes:
        process.wait(10)


def test_a_process_that_is_gone_joins_no_job(tmp_path: Path) -> None:
    with subprocess.Popen(script(tmp_path, "")) as process:
        process.wait(10)
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on whether the id is remembered
        Job().add(process.pid)


def test_killing_a_peer_ends_what_it_started(start: Start) -> None:
    peer = start(WAITS)
    child = int(peer.stdout.readline())
    peer.kill()
    assert within(10, lambda: gone(peer.pid) and gone(child))


def test_what_outlives_a_peer_is_named_and_ended(start: Start) -> None:
    peer = start(PARENT)
    child = int(peer.stdout.readline())
    assert peer.wait(10) == 0
    (name,) = peer.survivors()
    assert f"(pid {child})" in name
    assert within(10, lambda: gone(child))


def test_a_peer_is_asked_to_end_by_ctrl_break(start: Start, console: None) -> None:
    peer = start(BREAKS)
    assert peer.stdout.readline().strip() == b"ready"
    assert signal.CTRL_BREAK_EVENT == POLITE
    peer.signal(POLITE)
    assert peer.wait(10) == 0
    assert peer.stdout.readline().strip() == b"asked"


def test_a_killed_harness_takes_its_peers_and_their_children_along(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HARNESS, str(script(tmp_path, WAITS)[-1])]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        peer, child = map(int, harness.stdout.readline().split())
        assert not gone(peer)
        assert not gone(child)
        harness.kill()
    assert within(10, lambda: gone(peer) and gone(child))
