"""The doctor: is this machine ready? Each check is a function that answers with good or bad and one line."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import docker
import zmq
from docker.errors import DockerException

from harness.errors import HarnessError
from harness.host import windows_look, windows_setup
from harness.host.windows_setup import Finding
from harness.peers.pool import Pool

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Check:
    """A named check."""

    name: str
    run: Callable[[], Finding]


def all_checks(pool: Pool) -> Iterator[Check]:
    """Yield the checks in the order in which they make sense: a bare context comes first."""
    yield Check("ZeroMQ context", _context)
    yield Check("Python", _python)
    yield Check("Go", _go)
    if sys.platform == "win32":
        for name, found in windows_setup.findings(windows_look.look(ROOT)):
            yield Check(name, partial(_known, found))
    else:
        yield Check("libzmq for cgo", _libzmq)
        yield Check("asyncio's event loop", _loop)
    for name in pool.manifests:
        yield Check(f"peer {name}", partial(_peer, pool, name))
    yield Check("Docker engine", _docker)


def _context() -> Finding:
    try:
        context = zmq.Context()
        socket = context.socket(zmq.PAIR)
        socket.close(0)
        context.term()
    except zmq.ZMQError as error:
        return Finding(False, f"cannot be created: {error}; reinstall pyzmq")
    has = [name for name in ("ipc", "curve", "draft") if zmq.has(name)]
    return Finding(
        True,
        f"created and destroyed; pyzmq {zmq.pyzmq_version()}, libzmq {zmq.zmq_version()}, with {', '.join(has)}",
    )


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    return Finding(
        good, f"{platform.python_version()} at {sys.executable}{'' if good else '; 3.11 or later is needed'}"
    )


def _go() -> Finding:
    return _tool(["go", "version"], "install Go, or run ci/bootstrap.py setup")


def _libzmq() -> Finding:
    return _tool(["pkg-config", "--modversion", "libzmq"], "run ci/bootstrap.py setup, or install libzmq3-dev")


def _known(found: Finding) -> Finding:
    return found


def _loop() -> Finding:
    return Finding(True, windows_look.event_loop())


def _tool(words: list[str], remedy: str) -> Finding:
    program = shutil.which(words[0])
    if program is None:
        return Finding(False, f"no {words[0]} on PATH; {remedy}")
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        return Finding(False, f"{' '.join(words)} failed; {remedy}")
    return Finding(True, f"{done.stdout.strip()} ({program})")


def _peer(pool: Pool, name: str) -> Finding:
    try:
        peer = pool.start(name)
        socket_type = peer.capabilities["socket_types"][0]
        peer.socket(socket_type).close()
        wrongs = peer.client.stop()
    except HarnessError as error:
        return Finding(False, str(error))
    if wrongs:
        return Finding(False, "; ".join(wrongs))
    return Finding(True, f"builds, starts and opens a context: {peer.description}")


def _docker() -> Finding:
    try:
        client = docker.from_env(timeout=5)
        version = client.version()["Version"]
        client.close()
    except (DockerException, OSError) as error:
        return Finding(None, f"none answers ({type(error).__name__}); only the container lane needs one")
    return Finding(True, f"answers, version {version}")
