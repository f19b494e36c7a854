"""Looks at a Windows machine for what `windows_setup.py` judges."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import zmq

from harness.host import pe
from harness.host.windows_setup import Dll, Setup, version

_FILE_SYSTEM: Final = r"SYSTEM\CurrentControlSet\Control\FileSystem"
_HEAD: Final = 4096


def look(root: Path) -> Setup:
    """Gather the facts; `root` is the checkout."""
    compiler = _ask(["go", "env", "CC"]) or "gcc"
    found = shutil.which(compiler.strip('"'))
    peer = next(iter(sorted((root / ".build" / "peers").glob("**/*pebbe*.exe"))), None)
    folders = [peer.parent] if peer else []
    return Setup(
        go=_ask(["go", "version"]),
        compiler=found or f"?{compiler}",
        compiler_target=_ask([found, "-dumpmachine"]) if found else "",
        vcpkg=_first("VCPKG_INSTALLATION_ROOT", "VCPKG_ROOT"),
        msys2=_first("MSYSTEM_PREFIX") and str(Path(_first("MSYSTEM_PREFIX"))),
        cflags=os.environ.get("CGO_CFLAGS", ""),
        ldflags=os.environ.get("CGO_LDFLAGS", ""),
        dlls=tuple(dlls([*folders, *map(Path, filter(None, os.environ.get("PATH", "").split(os.pathsep)))])),
        peer_imports=pe.imports(peer.read_bytes()) if peer else None,
        long_paths=_long_paths(),
        root=str(root),
        temp=tempfile.gettempdir(),
        user=getpass.getuser(),
        has_ipc=zmq.has("ipc"),
        loop=event_loop(),
    )


def dlls(folders: Sequence[Path]) -> Iterator[Dll]:
    """Yield every libzmq DLL in these folders, each once, in their order. Its name carries toolset and version."""
    seen = set()
    for folder in folders:
        try:
            files = sorted(file for file in folder.glob("*zmq*.dll") if file.name.lower().startswith(("libzmq", "zmq")))
        except OSError:
            continue
        for file in files:
            if file not in seen:
                seen.add(file)
                yield Dll(str(file), _architecture(file), version(file.name))


def _architecture(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return pe.machine(opened.read(_HEAD))
    except (OSError, ValueError):
        return ""


def event_loop() -> str:
    """Return the class of the event loop that asyncio makes here by default."""
    loop = asyncio.new_event_loop()
    loop.close()
    return type(loop).__name__


def _first(*names: str) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _ask(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _long_paths() -> bool:
    if sys.platform == "win32":
        from harness.host.windows_facts import registry

        return registry(_FILE_SYSTEM, "LongPathsEnabled") == "1"
    return True
