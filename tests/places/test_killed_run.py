"""A run that is killed leaves no namespace, link, process or container, here or beyond ssh.

The engine's network is all that stays; the next start sweeps it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from harness.errors import Unsupported
from harness.places import containers, lan
from harness.places.containers import OWNER
from harness.places.images import KIND
from harness.places.local import MARK
from harness.plugin import ROOT
from tests.proofs.test_killed_run import wait_for
from tests.waiting import gone


def links(pid: int) -> list[str]:
    """Return the links on this machine that a process has made."""
    told = json.loads(lan.run("ip", "-json", "link", "show"))
    return [one["ifname"] for one in told if one["ifname"].startswith(f"{lan.LINKS}{pid:x}-")]


def namespace(pid: int) -> int:
    """Return the network namespace of a process; 0 if it is gone."""
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    return 0


def held(inside: set[int]) -> list[int]:
    """Return the processes in one of these namespaces."""
    return [process.pid for process in psutil.process_iter() if namespace(process.pid) in inside]


def alive(processes: Sequence[psutil.Process]) -> list[int]:
    """Return those of these processes that have not ended."""
    return [one.pid for one in processes if one.is_running() and not gone(one.pid)]


class Run:
    """A run in the background, in places."""

    def __init__(self, places: str, reports: Path) -> None:
        self.process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "pytest",
                    "-p",
                    "no:cacheprovider",
                    "-n",
                    "0",
                    "tests/interop/test_pipeline.py",
                ),
                *("--places", places, "--transport", "tcp4", "--reports", str(reports)),
            ],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def children(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def namespaces(self) -> set[int]:
        """Return the network namespaces that its processes are in, beside this machine's own."""
        return {inside for child in self.children() if (inside := namespace(child.pid))} - {namespace(os.getpid())}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[list[Run]]:
    runs: list[Run] = []
    yield runs
    for run in runs:
        run.process.kill()
        run.process.wait()


def test_a_run_killed_in_namespaces_leaves_nothing_at_all(start: list[Run], tmp_path: Path) -> None:
    try:
        lan.need()
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    run = Run("netns>netns", tmp_path)
    start.append(run)
    # A switch and two hosts, each with a process that holds it; and peers.
    wait_for(lambda: len(run.namespaces()) >= 3 and len(run.children()) >= 5, "a run with hosts and peers")
    children, inside = run.children(), run.namespaces()
    assert links(run.process.pid) != []
    run.process.kill()
    run.process.wait()
    wait_for(lambda: not alive(children), "their end")
    assert held(inside) == [], "a process holds a namespace still"
    wait_for(lambda: links(run.process.pid) == [], "the end of their links")


@pytest.mark.parametrize("places", ["docker>docker", "docker>netns"])
def test_a_run_killed_in_containers_leaves_what_the_next_start_sweeps(
    start: list[Run], tmp_path: Path, places: str
) -> None:
    try:
        client = containers.connect()
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    with contextlib.closing(client):
        run = Run(places, tmp_path)
        start.append(run)
        mine = {"label": f"{OWNER}={run.process.pid}@{socket.gethostname()}"}
        # A host of containers is one that holds the network, and one for each peer.
        boxes, hosts = 2 * places.count("docker"), places.count("netns")
        wait_for(
            lambda: len(client.api.containers(filters=mine)) >= boxes and len(run.namespaces()) >= hosts,
            "a run with hosts and peers",
        )
        children, inside = run.children(), run.namespaces()
        assert client.api.networks(filters=mine) != []
        run.process.kill()
        run.process.wait()
        # Containers end with their stdin, and the engine removes them; the network is left, until any start sweeps it.
        wait_for(lambda: client.api.containers(all=True, filters=mine) == [], "the end of their containers")
        wait_for(lambda: not alive(children), "the end of its processes")
        assert held(inside) == [], "a process holds a namespace still"
        assert client.images.list(filters={"label": KIND, "dangling": True}) == []
        containers.sweep(client)
        assert client.api.networks(filters=mine) == []
        wait_for(lambda: links(run.process.pid) == [], "the end of their bridge")


def far(run: Run) -> list[psutil.Process]:
    """Return the processes beyond ssh that a run has started: those with a mark that its clients for ssh have named."""
    marks = set()
    for child in run.children():
        with contextlib.suppress(psutil.Error):
            marks |= {word for line in child.cmdline() for word in line.split() if word.startswith(f"{MARK}=")}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if f"{MARK}={process.environ().get(MARK, '')}" in marks:
                found.append(process)
    return found


def test_a_run_killed_beyond_ssh_leaves_no_process_there(start: list[Run], tmp_path: Path, machine: str) -> None:
    run = Run(f"ssh:{machine}>ssh:{machine}", tmp_path)
    start.append(run)
    there: list[psutil.Process] = []

    def both() -> bool:
        there[:] = far(run)
        return len(there) >= 2

    wait_for(both, "a run with peers on both sides")
    children = run.children()
    run.process.kill()
    run.process.wait()
    wait_for(lambda: not alive([*children, *there]), "their end, here and there")
