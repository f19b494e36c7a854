"""A run that is killed leaves no namespace, link, process or container; the engine's network the next start sweeps."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.errors import Unsupported
from harness.places import containers, lan
from harness.places.containers import OWNER
from harness.plugin import ROOT
from tests.proofs.test_killed_run import wait_for


def links(pid: int) -> list[str]:
    """Return the links on this machine that a process has made."""
    told = json.loads(lan.run("ip", "-json", "link", "show"))
    return [one["ifname"] for one in told if one["ifname"].startswith(f"{lan.LINKS}{pid:x}-")]


def namespace(pid: int) -> int:
    """Return the network namespace of a process; 0 if it is gone."""
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    return 0


class Run:
    """A run in the background, in places."""

    def __init__(self, places: str, reports: Path) -> None:
        lan.need()
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
    run = Run("netns>netns", tmp_path)
    start.append(run)
    # A switch and two hosts, each with a process that holds it; and peers.
    wait_for(lambda: len(run.namespaces()) >= 3 and len(run.children()) >= 5, "a run with hosts and peers")
    children, inside = run.children(), run.namespaces()
    assert links(run.process.pid) != []
    run.process.kill()
    run.process.wait()
    wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in children), "their end")
    left = [process.pid for process in psutil.process_iter() if namespace(process.pid) in inside]
    assert left == [], "a process holds a namespace still"
    wait_for(lambda: links(run.process.pid) == [], "the end of their links")


def test_a_run_killed_in_containers_leaves_what_the_next_start_sweeps(start: list[Run], tmp_path: Path) -> None:
    try:
        client = containers.connect()
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    with contextlib.closing(client):
        run = Run("docker>docker", tmp_path)
        start.append(run)
        mine = {"label": f"{OWNER}={run.process.pid}@{socket.gethostname()}"}
        wait_for(lambda: len(client.api.containers(filters=mine)) >= 4, "a run with hosts and peers")
        run.process.kill()
        run.process.wait()
        # Containers end with their stdin, and the engine removes them; only the network is left to be swept.
        wait_for(lambda: client.api.containers(all=True, filters=mine) == [], "the end of their containers")
        assert [network["Name"] for network in client.api.networks(filters=mine)] != []
        containers.sweep(client)
        assert client.api.networks(filters=mine) == []
        wait_for(lambda: links(run.process.pid) == [], "the end of their bridge")
