"""Containers: one client of the engine, a container as a peer's process, and the sweep of what a killed run left."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Mapping
from typing import IO, Final, Literal
from urllib.parse import urlsplit

import docker
import docker.errors
import psutil
import requests
from docker.context import ContextAPI
from docker.context.config import get_current_context_name

from harness.errors import Unsupported
from harness.places.local import stands

OWNER: Final = "zmq-interop.owner"
"""The label of everything that a run makes: its process id, and the machine that it runs on."""

DEADLINE: Final = 60.0
"""Seconds that the engine may take to answer, or a container to end."""

DEFAULT: Final = "unix:///var/run/docker.sock" if sys.platform != "win32" else ""
"""Where the SDK looks for an engine where nobody says."""

_REMEDY: Final = "start Docker, or run this under python3 ci/docker/engine.py (Debian: apt-get install docker.io)"


def named() -> str:
    """Return where the engine listens: DOCKER_HOST, or the context; "" where only the SDK knows. Unsupported."""
    if host := os.environ.get("DOCKER_HOST"):
        return host
    name = os.environ.get("DOCKER_CONTEXT") or get_current_context_name()
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises no narrower one for a file that it cannot read
        raise Unsupported(f"Docker context {name}: {error}; see docker context ls") from error
    if context is None:  # the SDK would quietly take the system's own engine
        raise Unsupported(f"there is no Docker context {name}: see docker context ls")
    host = str(context.Host or "").removeprefix("http+")
    return DEFAULT if name == "default" and not host else host


def connect() -> docker.DockerClient:
    """Return a client of the engine that DOCKER_HOST or the context names; Unsupported says what to install."""
    path = named().removeprefix("unix://")
    if path.startswith("/") and not os.path.exists(path):  # asked anyway, the SDK leaves a socket open
        raise Unsupported(f"no Docker engine answers: {_REMEDY}")
    try:
        client = docker.from_env(timeout=int(DEADLINE))
        client.ping()
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise Unsupported(f"no Docker engine answers: {_REMEDY}") from error
    if client.info()["OSType"] != "linux":
        client.close()
        raise Unsupported("this Docker engine runs Windows containers: switch it to Linux containers")
    return client


def owner() -> dict[str, str]:
    """Return the label of what this process makes."""
    return {OWNER: f"{os.getpid()}@{socket.gethostname()}"}


def sweep(client: docker.DockerClient) -> list[str]:
    """Remove what runs on this machine that are gone left on the engine; returns the names."""
    gone = []
    for container in client.api.containers(all=True, filters={"label": OWNER}):
        if _orphaned(container["Labels"]):
            with contextlib.suppress(docker.errors.APIError):  # the engine may be removing it
                client.api.remove_container(container["Id"], force=True)
                gone.append(str(container["Names"][0]).strip("/"))
    for network in client.api.networks(filters={"label": OWNER}):
        if _orphaned(network["Labels"]):
            with contextlib.suppress(docker.errors.APIError):
                client.api.remove_network(network["Id"])
                gone.append(str(network["Name"]))
    return gone


def _orphaned(labels: Mapping[str, str]) -> bool:
    pid, _, machine = labels[OWNER].partition("@")
    return machine == socket.gethostname() and pid.isdecimal() and not psutil.pid_exists(int(pid))


class DockerProcess:
    """A peer's container: its streams as pipes, and how it ends. `runs` says that it has been started already.

    The engine removes what has ended, but for what is `lasting`, which this does.
    """

    def __init__(
        self, client: docker.DockerClient, container: str, *, runs: bool = False, lasting: bool = False
    ) -> None:
        self._client = client
        self._api = client.api
        self._superseded = False
        self._lasting = lasting
        self._end: Literal["not-running", "next-exit", "removed"] = "next-exit" if lasting else "removed"
        if lasting and runs:
            self._end = "not-running"
        self.container = container
        self._code: int | None = None
        self._ended = threading.Event()
        line = self._api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        self._line: socket.socket = getattr(line, "_sock", line)
        self._attached = line
        self._line.settimeout(None)
        self._stdin = _Stdin(self._line)
        outs = os.pipe(), os.pipe()
        self._stdout, self._stderr = (os.fdopen(reading, "rb") for reading, _ in outs)
        asked = threading.Event()
        work = ((self._wait, (asked,)), (self._split, tuple(writing for _, writing in outs)))
        self._threads = [threading.Thread(target=what, args=given, daemon=True) for what, given in work]
        for thread in self._threads:
            thread.start()
        asked.wait(DEADLINE)
        if not runs:
            self._api.start(container)
        self.pid = int(self._api.inspect_container(container)["State"]["Pid"])

    @property
    def stdin(self) -> IO[bytes]:
        """The stream that requests go into."""
        return self._stdin  # type: ignore[return-value]

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe that responses come from."""
        return self._stdout

    @property
    def stderr(self) -> IO[bytes]:
        """The pipe of the peer's log."""
        return self._stderr

    def _split(self, *writing: int) -> None:
        """Part the engine's stream: each piece has 8 bytes before it, which say whose it is and how long."""
        outs = [os.fdopen(one, "wb", buffering=0) for one in writing]
        with contextlib.ExitStack() as stack:
            for out in outs:
                stack.callback(out.close)
            whole = self._line.makefile("rb")
            with contextlib.suppress(OSError, ValueError):
                while len(head := whole.read(8)) == 8:
                    piece = whole.read(int.from_bytes(head[4:], "big"))
                    with contextlib.suppress(BrokenPipeError):
                        outs[head[0] - 1].write(piece)

    def _wait(self, asked: threading.Event) -> None:
        asked.set()
        code = 255
        # One that was gone before it was asked for does not tell how it ended.
        with contextlib.suppress(docker.errors.APIError, requests.RequestException):
            code = int(self._api.wait(self.container, timeout=None, condition=self._end)["StatusCode"])
        if not self._superseded:
            if self._lasting:
                with contextlib.suppress(docker.errors.APIError):
                    self._api.remove_container(self.container, force=True)
            self._code = 128 - code if 128 < code < 160 else code  # as a signal, as elsewhere
            self._ended.set()

    def restart(self) -> DockerProcess:
        """Have the engine restart a lasting container; return what runs in it then. What this is has been killed.

        Another one the engine may remove, in a race with itself: Docker 20.10 puts the removal off for the stop alone.
        """
        assert self._lasting
        self._superseded = True  # the container lives on: its end is none of this one's any more
        self._api.restart(self.container, timeout=0)
        self._code = -9  # SIGKILL, which has no name on Windows
        self._ended.set()
        return DockerProcess(self._client, self.container, runs=True, lasting=True)

    def poll(self) -> int | None:
        """Return the exit code; None while the container runs."""
        return self._code if self._ended.is_set() else None

    def wait(self, seconds: float) -> int | None:
        """Wait for the end, and for the engine to have removed the container."""
        self._ended.wait(seconds)
        return self.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the container's first process; no error if it is gone."""
        if self._superseded:
            return
        with contextlib.suppress(docker.errors.APIError):
            self._api.kill(self.container, number)
            if not engine_machine(self._client):
                stands(self.pid, number)

    def kill(self) -> None:
        """End the container with everything in it, unless a restart has given it to another."""
        if not self._superseded:
            with contextlib.suppress(docker.errors.APIError):
                self._api.remove_container(self.container, force=True)
            self._ended.wait(DEADLINE)
        self._hang_up()

    def survivors(self) -> list[str]:
        """Return nothing: what a container started ends with it."""
        self._hang_up()
        return []

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:] if self._superseded else self._threads:  # the first waits for the container
            thread.join(DEADLINE)
        self._line.close()
        self._attached.close()

    def close(self) -> None:
        """End it, and close all pipes: for a container that no client talks to."""
        self.kill()
        self._stdout.close()
        self._stderr.close()


class _Stdin:
    """The sending half of the engine's stream, as a file."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.closed = False

    def write(self, data: bytes) -> int:
        self._line.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_WR)


def engine_machine(client: docker.DockerClient) -> str:
    """Return the machine of an engine that is not on this one; "" for one that is."""
    url = urlsplit(str(client.api.base_url))
    local = url.scheme in ("http+docker", "http+unix", "npipe") or url.hostname in (
        None,
        "localhost",
        "127.0.0.1",
        "::1",
    )
    return "" if local and "ssh" not in url.scheme else str(url.hostname)
