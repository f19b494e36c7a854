"""The place `wine`: the peers' Windows builds, run by Wine on this machine, with its loopback.

`ci/bootstrap.py wine` makes what it needs below `.build/wine/` and leaves in `wine.json` where that is; nothing of the
user's own Wine is used. A program that only waits for the end of its stdin keeps Wine's server and services running
while the place is open: with the last place, or when the harness is killed, they end by themselves within seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from harness.errors import Unsupported
from harness.model.matrix import Cell
from harness.model.patterns import PATTERNS, RECEIVERS
from harness.peers.manifest import Manifest
from harness.places.face import LOCAL
from harness.places.local import LocalProcess, OnLoopback

NAME: Final = "wine"
TABLE: Final = Path(__file__).resolve().parent.parent.parent / ".build" / "wine" / "wine.json"
"""What the set-up has left: where Wine, its prefix, the Windows Python and libzmq's DLL are."""

DEADLINE: Final = 120.0
"""Seconds that Wine's services may take to start, and to end."""

_COMPILER: Final = "x86_64-w64-mingw32-gcc"
_NO_UNIX: Final = "Wine has no Unix sockets (AF_UNIX), so there is no ipc"
_FEW_BUFFERS: Final = (
    "Wine's WSASend takes 1,024 buffers at most, and go-zeromq hands over two for each frame of a message"
)
_ACCEPTS_NOT_CONNECTED: Final = (
    "Wine's accept fails with WSAENOTCONN, which is no documented error of accept, for a connection that was reset "
    "before it was taken; libzmq aborts"
)
_KEEPS_CONNECTIONS: Final = (
    "Wine's server now and then keeps a connection of a killed program open, so the other end cannot know of its death"
)
_HOLD: Final = ("cmd", "/c", "echo ready& set /p end=")


class WineProcess(LocalProcess):
    """A Windows program: the process that Wine loaded it into, which leads a session of its own."""

    def kill(self) -> None:
        """End the program and everything that it started, whatever session Wine gave that."""
        super().kill()
        self.survivors()


class WinePlace(OnLoopback):
    """Windows, as Wine has it."""

    name = NAME
    network = LOCAL
    files = NAME

    def __init__(self, table: Path = TABLE) -> None:
        told = _told(table)
        self._wine = str(told["wine"])
        self._python = str(told["python"])
        self._libzmq = Path(told["libzmq"])
        self._prefix = Path(told["prefix"])
        self._env = {str(name): str(value) for name, value in told["env"].items()}
        self._holder = subprocess.Popen(
            [self._wine, *_HOLD],
            env=self._environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        stuck = threading.Timer(DEADLINE, self._holder.kill)
        stuck.start()
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        stuck.cancel()
        if said.strip() != b"ready":
            self.close()
            raise Unsupported(
                f"Wine does not start within {DEADLINE:g} s; run: python3 ci/bootstrap.py clean, then wine"
            )

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that every Windows program here gets."""
        return self._env

    def _environment(self, env: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in env.items() if name != "DISPLAY"} | self._env

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return how a peer is built for Windows and started by Wine. Unsupported: neither Go nor Python."""
        name = f"{manifest.name}-windows"
        if manifest.language == "python":
            run = [self._python if word == "{python}" else word for word in manifest.run]
            return replace(manifest, name=name, run=(self._wine, *run))
        if manifest.language != "go":
            raise Unsupported(f"{manifest.name} is written in {manifest.language}: only Go is built for Windows here")
        cgo = {
            "CC": _COMPILER,
            "CGO_CFLAGS": f"-I{self._libzmq / 'include'}",
            "CGO_LDFLAGS": f"-L{self._libzmq} {' '.join(f'-l:{one.name}' for one in self._libzmq.glob('libzmq*.dll'))}",
            "WINEPATH": f"Z:{self._libzmq}",
        }
        env = dict(manifest.env) | {"GOOS": "windows", "GOARCH": "amd64"}
        if env.get("CGO_ENABLED") != "0":
            env |= cgo
        toolchain = tuple(words for words in manifest.toolchain if words[0] == "go")
        run = [self._wine, *manifest.run]
        return replace(manifest, name=name, run=tuple(run), toolchain=toolchain, env=tuple(sorted(env.items())))

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> WineProcess:
        """Start a peer's command with its standard streams attached."""
        return WineProcess(command, folder, self._environment(env))

    def lacks(self, cell: Cell, side: str) -> str:
        """Return what Wine, not Windows, lacks for a cell's side."""
        if cell.transport in ("ipc", "ipc-abstract"):
            return _NO_UNIX
        if cell.binds == f"{side}-binds" and getattr(cell, side) != "go-zeromq":
            if cell.what == "reset":
                return _ACCEPTS_NOT_CONNECTED
            if cell.what == "listener-killed" and cell.pattern == "dealer-router":
                return _KEEPS_CONNECTIONS
        sends = side == "left" or PATTERNS[cell.pattern].right not in RECEIVERS
        many = cell.what == "1000-frames" and cell.transport != "inproc"
        return _FEW_BUFFERS if many and sends and getattr(cell, side) == "go-zeromq" else ""

    def path(self, told: str) -> Path:
        """Return what a path of a Windows program is here: its drives are links in the prefix."""
        drive, _, rest = told.partition(":")
        return self._prefix / "dosdevices" / f"{drive.lower()}:" / rest.replace("\\", "/").lstrip("/")

    def close(self) -> None:
        """Let go of Wine's services: they end with the last program."""
        self._holder.communicate()


def _told(table: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(table.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    if "prefix" not in told:
        raise Unsupported("Wine is not set up; run: python3 ci/bootstrap.py wine -- setup")
    return told
