"""A Docker engine for CI, where none runs and root is at hand: started for one command, and stopped after it.

    python3 ci/docker/engine.py pytest -n auto --place left=docker

It needs `dockerd` (Debian: apt-get install docker.io). Where an engine answers already, or DOCKER_HOST or a context
names one, the command simply runs; where none can be started, too, after a line that says why. Otherwise the engine's
images and state lie below `.build/docker`, in a folder of their own for each engine that runs at the same time, its
socket in one that goes with it, and DOCKER_HOST tells the command of it.
It changes no firewall and no forwarding of this machine: published ports go through Docker's own proxy. Standard
library only.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_STATE: Final = Path(__file__).resolve().parent.parent.parent / ".build" / "docker"
_DEADLINE: Final = 60.0
"""Seconds that the engine may take to answer, or to end."""


class EngineError(Exception):
    """No engine can be started. The text is one line: what is missing, and what to do."""


def answers(path: str) -> bool:
    """Whether an engine answers on this Unix socket."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(path)
        line.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        return line.recv(64).startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
    return False


def named() -> bool:
    """Whether the user names an engine: by DOCKER_HOST, by DOCKER_CONTEXT, or by a context of their own."""
    if os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT"):
        return True
    folder = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker"))
    try:
        context = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext", "default")
    except (OSError, ValueError, AttributeError):
        return False
    return bool(context != "default")


@contextlib.contextmanager
def engine() -> Iterator[str]:
    """Yield the DOCKER_HOST of an engine that ends with the block; "" where there is one already."""
    if named() or answers("/var/run/docker.sock"):
        yield ""
        return
    with started(_STATE) as host:
        yield host


@contextlib.contextmanager
def started(state: Path) -> Iterator[str]:
    """Yield the DOCKER_HOST of a new engine with its images and log below `state`; it ends with the block."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise EngineError(
            "no Docker engine answers, and only root on Linux can start one: start Docker, or run as root"
        )
    program = shutil.which("dockerd")
    if program is None:
        raise EngineError("no Docker engine answers, and there is no dockerd: apt-get install docker.io")
    with (
        _place_below(state) as (own, held),
        tempfile.TemporaryDirectory(prefix="zmq-interop-engine-", dir="/run") as folder,
    ):
        host = f"unix://{folder}/docker.sock"
        words = [program, "--host", host, "--data-root", str(own / "data"), "--exec-root", f"{folder}/exec"]
        words += ["--pidfile", f"{folder}/pid", "--bridge", "none"]
        words += [f"--{name}=false" for name in ("iptables", "ip6tables", "ip-forward", "ip-masq")]
        with (own / "engine.log").open("wb") as log:
            daemon = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=(held,)
            )
            try:
                _wait(daemon, f"{folder}/docker.sock", own / "engine.log")
                yield host
            finally:
                daemon.terminate()
                try:
                    daemon.wait(_DEADLINE)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
                # The engine leaves its namespace mounted, and a mount keeps the folder from being removed.
                subprocess.run(["umount", f"{folder}/exec/netns/default"], capture_output=True, check=False)


@contextlib.contextmanager
def _place_below(state: Path) -> Iterator[tuple[Path, int]]:
    """Yield the first folder below `state` that no other engine has, and its lock, which the engine is to inherit."""
    import fcntl  # there is none on Windows, where no engine is started

    for number in itertools.count(1):
        own = state / f"engine-{number}"
        own.mkdir(parents=True, exist_ok=True)
        with (own / "lock").open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield own, held.fileno()
            return


def _wait(daemon: subprocess.Popen[bytes], path: str, log: Path) -> None:
    end = time.monotonic() + _DEADLINE
    while not answers(path):
        if daemon.poll() is not None or time.monotonic() > end:
            lines = log.read_text("utf-8", "replace").strip().splitlines()
            raise EngineError(f"dockerd does not start: {lines[-1] if lines else 'it says nothing'}")
        time.sleep(0.05)


def main(words: Sequence[str]) -> int:
    """Run a command beside an engine; returns its exit code."""
    if not words:
        sys.stderr.write("usage: engine.py COMMAND [ARGUMENT …]\n")
        return 2
    with contextlib.ExitStack() as stack:
        host = ""
        try:
            host = stack.enter_context(engine())
        except (EngineError, OSError) as error:
            sys.stderr.write(f"engine.py: {error}\n")
        env = {**os.environ, **({"DOCKER_HOST": host} if host else {})}
        try:
            child = subprocess.Popen(words, env=env)
        except OSError as error:
            sys.stderr.write(f"engine.py: {words[0]}: {error.strerror}\n")
            return 2
        for number in (signal.SIGINT, signal.SIGTERM):  # the engine outlives the command that uses it
            signal.signal(number, lambda number, frame: child.send_signal(number))
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
