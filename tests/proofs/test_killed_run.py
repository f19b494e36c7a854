"""A killed test run leaves nothing behind: no peer, no socket file, no working directory."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.plugin import ROOT
from harness.report.store import RESULTS

MARK = "ZMQ_INTEROP_TEST_RUN"
DEADLINE = 90.0


def _hear_interrupts() -> None:
    """Have a run end by Ctrl-C, also where these tests run in the background of a shell, which ignores it for them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class KilledRun:
    """A pytest run in the background, known by a mark that all its descendants inherit."""

    def __init__(self, reports: Path) -> None:
        self._mark = uuid.uuid4().hex
        self.reports = reports
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "1", "tests/interop"),
                *("--transport", "ipc", "-m", "not slow", "--reports", str(reports)),
            ],
            cwd=ROOT,
            env={**env, MARK: self._mark},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_hear_interrupts if sys.platform != "win32" else None,
        )

    def descendants(self) -> list[psutil.Process]:
        """Return every live process of the run, orphans included."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def peers(self) -> list[psutil.Process]:
        """Return the run's peers."""
        return [process for process in self.descendants() if "ZMQ_INTEROP_PEER" in _environ(process)]

    def workers(self) -> list[psutil.Process]:
        """Return the xdist workers: the controller's children."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "ZMQ_INTEROP_PEER" not in _environ(child)]


def _environ(process: psutil.Process) -> dict[str, str]:
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ()
    return {}


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {DEADLINE:g} s"
        time.sleep(0.05)


def folders_of(pids: set[int]) -> list[Path]:
    return [
        folder
        for folder in Path(tempfile.gettempdir()).glob("zmq-interop-*")
        if folder.name.split("-")[2] in {str(pid) for pid in pids}
    ]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[KilledRun]:
    started = KilledRun(tmp_path / "reports")
    yield started
    for process in started.descendants():
        with contextlib.suppress(psutil.Error):
            process.kill()
    started.process.wait()


def test_a_killed_worker_leaves_nothing_and_its_cell_is_a_crash(run: KilledRun) -> None:
    wait_for(lambda: len(folders_of({peer.pid for peer in run.peers()})) >= 4, "a run with four peers")
    pids = {process.pid for process in run.peers()}
    (worker,) = run.workers()
    worker.kill()
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids), "the end of the killed worker's peers")
    wait_for(lambda: folders_of(pids) == [], "the removal of their folders")
    # The run itself goes on with a new worker; end it politely, and it still reports the cell that was cut off.
    run.process.send_signal(signal.SIGINT)
    run.process.wait(DEADLINE)
    results = json.loads((run.reports / "latest" / RESULTS).read_text(encoding="utf-8"))
    assert "crash" in {cell["verdict"] for cell in results["cells"]}


def test_a_run_killed_whole_leaves_no_peer_and_no_folder(run: KilledRun) -> None:
    wait_for(lambda: len(run.peers()) >= 4, "a run with four peers")
    pids = {process.pid for process in run.peers()}
    for process in (*run.workers(), psutil.Process(run.process.pid)):
        process.kill()
    run.process.wait()
    wait_for(lambda: run.descendants() == [], "the end of the orphans")
    wait_for(lambda: folders_of(pids) == [], "the removal of their folders")
