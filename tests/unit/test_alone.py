"""Measuring tests run while no other test does, across processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from harness.host import affinity
from harness.measure import alone

HOLDER = """
import sys
from pathlib import Path
from harness.measure import alone
with alone.turn(alone=sys.argv[1] == "alone", file=Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


class Holder:
    """Another process that holds the lock."""

    def __init__(self, how: str, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, how, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._held = threading.Event()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            if lines.readline() == "held\n":
                self._held.set()
            lines.read()

    def held(self, wait: float) -> bool:
        """Whether it has the lock, after at most `wait` seconds."""
        return self._held.wait(wait)

    def end(self) -> None:
        """Let it go."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self._listener.join()


@pytest.mark.parametrize(("one", "other"), [("alone", "alone"), ("alone", "shared"), ("shared", "alone")])
def test_whoever_measures_waits_for_all_others_and_they_for_him(
    one: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZMQ_INTEROP_INSIDE_TEST", raising=False)
    first = Holder(one, tmp_path / "lock.db")
    try:
        assert first.held(30)
        second = Holder(other, tmp_path / "lock.db")
        try:
            assert not second.held(0.3)
            first.end()
            assert second.held(30)
        finally:
            second.end()
    finally:
        first.end()


def test_ordinary_tests_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZMQ_INTEROP_INSIDE_TEST", raising=False)
    holders = [Holder("shared", tmp_path / "lock.db") for _ in range(2)]
    try:
        assert all(holder.held(30) for holder in holders)
    finally:
        for holder in holders:
            holder.end()


def test_a_run_within_a_test_goes_under_the_lock_of_that_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZMQ_INTEROP_INSIDE_TEST", raising=False)
    with alone.turn(alone=False, file=tmp_path / "lock.db"):
        inner = Holder("alone", tmp_path / "lock.db")
        try:
            assert inner.held(30)
        finally:
            inner.end()


def test_pinned_processes_are_on_one_core_and_put_back(tmp_path: Path) -> None:
    child = Holder("shared", tmp_path / "lock.db")
    try:
        assert child.held(30)
        process = psutil.Process(child.process.pid)
        before = process.cpu_affinity()
        with affinity.pinned([child.process.pid]) as core:
            assert process.cpu_affinity() == [core]
        assert process.cpu_affinity() == before
    finally:
        child.end()
