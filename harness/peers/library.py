"""Exchanging the library that a peer is built on: another version, or a folder with somebody's changes.

`--library go-zeromq=../zmq4` takes the place of what the peer's own sources ask for; nothing in the checkout is
changed. Go builds with a go.mod of the harness's own that replaces the module; Python finds the package first in a
folder that pip filled. Either is made once for each version, or for each content of a folder.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.errors import SetupFault
from harness.peers import build
from harness.peers.manifest import Manifest

NEAR: Final = ("", "local", "netns")
"""Places whose Python peers run with the harness's own Python."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A peer's name, and what its library is exchanged for: a folder (absolute) or a version."""

    peer: str
    folder: Path | None
    version: str = ""

    def __str__(self) -> str:
        return f"--library={self.peer}={self.folder or self.version}"

    @classmethod
    def parse(cls, text: str, manifests: Mapping[str, Manifest]) -> Exchange:
        """Read PEER=FOLDER or PEER=VERSION; SetupFault says what is wrong."""
        peer, mark, what = text.partition("=")
        if not mark or not what:
            raise SetupFault(f"--library {text}: say PEER=FOLDER or PEER=VERSION, such as pyzmq=25.1.2")
        if peer not in manifests:
            raise SetupFault(f"--library {text}: there is no peer {peer!r}; there are {', '.join(manifests)}")
        found = manifests[peer]
        if not found.library or found.language not in _TAKES:
            raise SetupFault(
                f"--library {text}: {found.file} does not say which library it is about (key 'library', for "
                f"{' or '.join(_TAKES)})"
            )
        folder = Path(what).expanduser()
        if folder.is_dir():
            return cls(peer, folder.resolve())
        if folder.is_absolute() or "/" in what or os.sep in what or what.startswith("."):
            raise SetupFault(f"--library {text}: there is no folder {what}")
        return cls(peer, None, what)

    def check(self, manifest: Manifest, places: Iterable[str]) -> None:
        """Refuse what cannot be built, and a Python package for peers that do not run with this machine's Python.

        `places` are pairs such as `docker>local`, "" for this machine. Raises SetupFault.
        """
        far = [side for pair in places for side in pair.split(">") if side.partition(":")[0] not in NEAR]
        if manifest.language == "python" and far:
            raise SetupFault(f"{self}: Python's peers in {far[0]} have the packages of that place; exchange it there")
        if manifest.language == "go" and self.folder and not (self.folder / "go.mod").exists():
            raise SetupFault(f"{self}: there is no go.mod in this folder")

    def key(self) -> str:
        """Return 16 hex digits that change with the version, or with any file of the folder, which is read."""
        digest = hashlib.sha256(f"{self.folder} {self.version}".encode())
        for file in _files(self.folder) if self.folder else ():
            digest.update(f"{file}\0".encode() + file.read_bytes())
        return digest.hexdigest()[:16]


def exchanged(manifests: Mapping[str, Manifest], asked: Iterable[Exchange], cache: Path) -> dict[str, Manifest]:
    """Return the manifests with the libraries that were asked for, each in all peers that use it.

    What that needs is kept below `cache`. SetupFault for what cannot be installed.
    """
    changed = dict(manifests)
    taken: dict[str, Exchange] = {}
    for exchange in asked:
        library = manifests[exchange.peer].library
        if library in taken:
            raise SetupFault(f"{exchange}: {taken[library]} exchanges {library} already")
        taken[library] = exchange
        key = exchange.key()
        for name, found in manifests.items():
            if (found.language, found.library) == (manifests[exchange.peer].language, library):
                changed[name] = _TAKES[found.language](found, exchange, key, cache.resolve())
    return changed


def go_mod(text: str, module: str, exchange: Exchange) -> str:
    """Return a go.mod in which the module is another version of itself, or a folder."""
    place = f'"{exchange.folder.as_posix()}"' if exchange.folder else f"{module} v{exchange.version.removeprefix('v')}"
    return f"{text.rstrip()}\n\nreplace {module} => {place}\n"


def _go(manifest: Manifest, exchange: Exchange, key: str, cache: Path) -> Manifest:
    """Return the manifest with a build by another go.mod, which Go may complete."""
    text = (manifest.here / "go.mod").read_text(encoding="utf-8")
    sums = (manifest.here / "go.sum").read_text(encoding="utf-8")

    def fill(folder: Path) -> None:
        (folder / "go.mod").write_text(go_mod(text, manifest.library, exchange), encoding="utf-8")
        (folder / "go.sum").write_text(sums, encoding="utf-8")

    name = f"{manifest.name}-{_digest(text, sums, key)}"
    words = ("-mod=mod", f"-modfile={_made(cache / name, fill) / 'go.mod'}")
    at = manifest.build.index("build") + 1
    return replace(manifest, build=(*manifest.build[:at], *words, *manifest.build[at:]))


def _python(manifest: Manifest, exchange: Exchange, key: str, cache: Path) -> Manifest:
    """Return the manifest with a folder in front of the packages of the harness's Python."""
    wanted = str(exchange.folder) if exchange.folder else f"{manifest.library}=={exchange.version}"

    def fill(folder: Path) -> None:
        options = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--target", str(folder))
        done = _run((sys.executable, "-m", "pip", "install", *options, wanted), exchange)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
            raise SetupFault(f"{exchange}: pip install {wanted} failed: {' '.join(errors) or done.stderr[-2000:]}")

    site = _made(cache / f"{manifest.library}-{_digest(sys.version, key)}", fill)
    env = dict(manifest.env)
    env["PYTHONPATH"] = os.pathsep.join([str(site), *filter(None, [env.get("PYTHONPATH")])])
    return replace(manifest, env=tuple(sorted(env.items())))


_TAKES: Final[Mapping[str, Callable[[Manifest, Exchange, str, Path], Manifest]]] = {"go": _go, "python": _python}


def _made(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Return the folder, filled by one process at a time, and there only when it is whole."""
    with build.turn(folder.with_name(f"{folder.name}.lock"), str(folder)):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unfinished-") as unfinished:
                whole = Path(unfinished) / "whole"
                whole.mkdir()
                fill(whole)
                whole.rename(folder)
    return folder


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder that may matter to a build: none of version control's, none compiled."""
    found = folder.rglob("*")
    parts = ((one, one.relative_to(folder).parts) for one in found if one.is_file())
    return sorted(one for one, names in parts if not any(name[0] == "." or name == "__pycache__" for name in names))


def _run(words: Sequence[str], exchange: Exchange) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=build.BUILD_DEADLINE)
    except subprocess.TimeoutExpired:
        raise SetupFault(f"{exchange}: pip was not ready after {build.BUILD_DEADLINE} s") from None
