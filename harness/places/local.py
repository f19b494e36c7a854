"""The place `local`: peers are child processes of the harness on this machine.

Each peer leads a process group of its own, so that a Ctrl-C meant for the test run does not reach it. On Windows it is
in a job of its own, too, which holds all that it starts and ends with the harness, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import psutil

from harness.peers.manifest import Manifest
from harness.places.face import LOCAL, LOOPBACK, Family

if sys.platform == "win32":
    from harness.places.job import Job

    POLITE: Final = signal.CTRL_BREAK_EVENT
else:
    POLITE: Final = signal.SIGTERM
"""What asks a process to end that overlooked the end of its stdin."""

MARK: Final = "ZMQ_INTEROP_PEER"
"""Environment variable that marks a peer and everything that it starts."""

_STOPPED: Final = 10.0
"""Seconds that a process which was told to stop may take to do so on a busy machine."""

_SUSPENDED: Final = 0x4  # CREATE_SUSPENDED: nothing is started before the process is in its job


class LocalProcess:
    """A peer's process: three pipes and how it ends."""

    def __init__(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | _SUSPENDED
            self._job = Job()
        self._mark = uuid.uuid4().hex
        self._child = subprocess.Popen(
            command,
            cwd=folder,
            env={**env, MARK: self._mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
            creationflags=flags,
        )
        self.pid = self._child.pid
        if sys.platform == "win32":
            try:
                self._job.add(self.pid)
                psutil.Process(self.pid).resume()
            except BaseException:
                self._child.kill()
                raise

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe that requests go into."""
        assert self._child.stdin is not None
        return self._child.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe that responses come from."""
        assert self._child.stdout is not None
        return self._child.stdout

    @property
    def stderr(self) -> IO[bytes]:
        """The pipe of the peer's log."""
        assert self._child.stderr is not None
        return self._child.stderr

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._child.poll()

    def wait(self, seconds: float) -> int | None:
        """Wait for the end; return the exit code, or None if it did not come in time."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number: int) -> None:
        """Send a signal to the process; no error if it is gone, or has no console to be reached by."""
        with contextlib.suppress(OSError):
            self._child.send_signal(number)
        stands(self.pid, number)

    def kill(self) -> None:
        """End the process and its group, or its job, at once."""
        if sys.platform == "win32":
            self._job.end()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._child.kill()
        self._child.wait()

    def survivors(self) -> list[str]:
        """Name the processes that the peer started and that outlived it, and end them. Empty is as it should be.

        They are known by their job, or by a mark in the environment that every descendant inherits, whatever session it
        moved to.
        """
        names = []
        if sys.platform == "win32":
            for pid in self._job.members():
                name = "a process"
                with contextlib.suppress(psutil.Error, OSError):
                    name = psutil.Process(pid).name()
                names.append(f"{name} (pid {pid})")
            self._job.close()
            return names
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    process.kill()
                    names.append(f"{process.info['name']} (pid {process.pid})")
        return names


def stands(pid: int, number: int) -> None:
    """Wait until a process on this machine that was sent SIGSTOP stands still, or is gone; nothing for other signals.

    The system tells one thread of it, and until that has come to a processor the others go on.
    """
    if sys.platform == "win32" or number != signal.SIGSTOP:
        return
    end = time.monotonic() + _STOPPED
    while time.monotonic() < end and not _stopped(pid):
        time.sleep(0.001)


def _stopped(pid: int) -> bool:
    try:
        if sys.platform != "linux":
            return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
        return thread_states(pid) <= set("TtZX")
    except (OSError, psutil.Error):
        return not psutil.pid_exists(pid)


def thread_states(pid: int) -> set[str]:
    """Return the states in which the threads of a process on Linux are, by proc(5)'s letters; OSError if one ends."""
    told = [(task / "stat").read_text("ascii", "replace") for task in Path(f"/proc/{pid}/task").iterdir()]
    return {line.rpartition(")")[2].split()[0] for line in told}


class OnLoopback:
    """A place whose listeners are reached on loopback, and which reaches this machine's there."""

    def address(self, family: Family) -> str:
        """Return the loopback address; who is elsewhere reaches this machine by the gateway of its own place."""
        return LOOPBACK[family]

    def gateway(self, family: Family) -> str:
        """Return the loopback address."""
        return LOOPBACK[family]

    def outward(self, host: str, port: int) -> tuple[str, int]:
        """Return the same."""
        return host, port


class LocalPlace(OnLoopback):
    """This machine."""

    name = LOCAL
    network = LOCAL
    files = LOCAL

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return the manifest: it was written for this machine."""
        return manifest

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> LocalProcess:
        """Start a peer's command with its standard streams attached."""
        return LocalProcess(command, folder, env)

    def close(self) -> None:
        """Leave this machine as it is: peers end with their clients."""
