"""Building peers: once, on demand, under a cross-process lock.

A built program's folder carries the hash of its manifest, its sources, its toolchain's own words and the flags that the
environment adds; if that folder holds the program, nothing is run. A build goes to a temporary name and is renamed
when it is whole, so that a killed build leaves nothing that looks like one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from harness.errors import SetupFault
from harness.peers.manifest import Manifest

BUILD_DEADLINE: Final = 900
"""Seconds that one build may take, downloads of modules included."""

KEPT: Final = 86_400
"""Seconds after its last use in which a build is kept: another run of the checkout may start it yet."""

_REMEDY: Final = "run ci/bootstrap.py setup, or leave the peer out"
_FLAGS: Final = ("CC", "CGO_CFLAGS", "CGO_LDFLAGS", "GOFLAGS", "GOOS", "GOARCH", "PKG_CONFIG_PATH")


def command(manifest: Manifest, cache: Path) -> list[str]:
    """Return the command that runs the peer, building it first if its folder in `cache` lacks it."""
    holes = _holes(manifest)
    if manifest.build:
        holes["{output}"] = str(_built(manifest, cache.resolve(), holes))
    words = [_fill(word, holes) for word in manifest.run]
    program = shutil.which(words[0], path=environment(manifest).get("PATH"))
    if program is None:
        raise SetupFault(f"{manifest.file}: key 'run': there is no program {words[0]!r}; install it or correct the key")
    return [program, *words[1:]]


def _holes(manifest: Manifest) -> dict[str, str]:
    return {"{python}": sys.executable, "{here}": str(manifest.here)}


def environment(manifest: Manifest) -> dict[str, str]:
    """Return the environment for building and running the peer: this process's, the set-up's tools, the manifest's."""
    tools = _tools()
    env = {**os.environ, **tools.get("env", {}), **dict(manifest.env)}
    env["PATH"] = os.pathsep.join([*tools.get("path", []), env.get("PATH", os.defpath)])
    return env


@cache
def _tools() -> dict[str, Any]:
    """Return what ci/bootstrap.py found or installed for building: folders for PATH, and variables."""
    try:
        found: dict[str, Any] = json.loads((Path(sys.prefix) / "toolchain.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _fill(word: str, holes: Mapping[str, str]) -> str:
    for hole, value in holes.items():
        word = word.replace(hole, value)
    return word


def _built(manifest: Manifest, cache: Path, holes: Mapping[str, str]) -> Path:
    suffix = ".exe" if sys.platform == "win32" else ""
    program = cache / f"{manifest.name}-{build_key(manifest)}" / f"{manifest.name}{suffix}"
    if program.exists():
        os.utime(program.parent)
        return program
    with turn(cache / f"{manifest.name}.lock", str(manifest.file)):
        if not program.exists():
            _build(manifest, program, holes)
    return program


@contextmanager
def turn(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock that other processes wait for, its folder made; SetupFault if another one keeps it too long."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=BUILD_DEADLINE):
            yield
    except Timeout:
        raise SetupFault(f"{what}: another process has been building it for {BUILD_DEADLINE} s") from None


def _build(manifest: Manifest, program: Path, holes: Mapping[str, str]) -> None:
    for old in program.parent.parent.glob(f"{manifest.name}-*"):
        if _same_peer(old, manifest.name) and _unused(old):
            shutil.rmtree(old, ignore_errors=True)
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent, prefix="unfinished-") as folder:
        output = Path(folder) / program.name
        words = [_fill(word, {**holes, "{output}": str(output)}) for word in manifest.build]
        done = _run(manifest, words, "build", BUILD_DEADLINE)
        if done.returncode or not output.exists():
            said = (done.stderr or done.stdout).strip()[-2000:] or f"exit code {done.returncode} and no output"
            tried = " ".join(words).replace(str(output), str(program))  # the same words from every worker
            raise SetupFault(
                f"{manifest.file}: key 'build': {tried} failed:\n{said}\n"
                f"mend it, or leave the peer out with --exclude {manifest.name}"
            )
        output.replace(program)


def _unused(folder: Path) -> bool:
    """Whether no run has asked for this build for so long that none can still start it."""
    return time.time() - folder.stat().st_mtime > KEPT


def _same_peer(folder: Path, name: str) -> bool:
    key = folder.name.removeprefix(f"{name}-")
    return len(key) == 16 and all(sign in "0123456789abcdef" for sign in key)


def build_key(manifest: Manifest) -> str:
    """Return 16 hex digits that change with anything that could change the built program."""
    digest = hashlib.sha256(repr((manifest.build, manifest.env)).encode())
    for flag in _FLAGS:
        digest.update(f"{flag}={os.environ.get(flag)}".encode())
    files = sorted({file for pattern in manifest.sources for file in manifest.here.glob(pattern) if file.is_file()})
    if manifest.sources and not files:
        raise SetupFault(f"{manifest.file}: key 'sources': no file matches {', '.join(manifest.sources)}")
    for file in files:
        digest.update(str(file.relative_to(manifest.here)).encode() + b"\0" + file.read_bytes())
    for words in manifest.toolchain:
        done = _run(manifest, [_fill(word, _holes(manifest)) for word in words], "toolchain", 60)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-400:] or f"exit code {done.returncode}"
            raise SetupFault(f"{manifest.file}: key 'toolchain': {' '.join(words)} failed: {said}; {_REMEDY}")
        digest.update(done.stdout.encode())
    return digest.hexdigest()[:16]


def _run(manifest: Manifest, words: Sequence[str], key: str, deadline: float) -> subprocess.CompletedProcess[str]:
    env = environment(manifest)
    program = shutil.which(words[0], path=env.get("PATH"))
    if program is None:
        raise SetupFault(
            f"{manifest.file}: key {key!r}: there is no program {words[0]!r} on PATH; "
            f"install it, {_REMEDY} with --exclude {manifest.name}"
        )
    try:
        return subprocess.run(
            [program, *words[1:]],
            cwd=manifest.here,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=deadline,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupFault(f"{manifest.file}: key {key!r}: {' '.join(words)} took more than {deadline:g} s") from None
