"""Container images for peers, made without pulling anything.

A static program gets an image `FROM scratch`. One that needs libraries, and Python's peers, get one on top of a root
file system that debootstrap makes of this machine's own Debian, with the packages that they need; it is kept below
`.build`, and made anew when what decides its contents changes. An image's tag is the digest of what is in it, so that
nothing is built twice, and older ones of the same peer are removed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
import docker.errors
from filelock import FileLock

from harness.errors import SetupFault, Unsupported

CACHE: Final = Path(__file__).resolve().parent.parent.parent / ".build" / "docker"
PREFIX: Final = "zmq-interop"
KIND: Final = "zmq-interop.peer"
"""The label that says for which program an image was made."""

_DEADLINE: Final = 1200
"""Seconds that the root file system may take: it is fetched package by package."""

_PACKAGES: Final = ("libzmq5", "python3", "python3-minimal")
_WHEELS: Final = ("pyzmq", "hdrhistogram")
_HOME: Final = "/peer"


@dataclass(frozen=True, slots=True)
class Boxed:
    """A command as it runs in a container of an image."""

    image: str
    command: tuple[str, ...]
    folder: str


def boxed(client: docker.DockerClient, command: Sequence[str], folder: Path) -> Boxed:
    """Return the image for a command, building it if the engine lacks it. SetupFault, Unsupported."""
    program = Path(command[0])
    words = [word.replace(str(folder), _HOME) for word in command[1:]]
    if command[0] == sys.executable:
        files = {
            f"app/{file.relative_to(folder)}": file.read_bytes()
            for file in sorted(folder.rglob("*.py"))
            if not any(part.startswith(".") for part in file.relative_to(folder).parts)
        }
        image = _built(client, folder.name, files, root=True, copies=f"COPY app {_HOME}\n")
        return Boxed(image, ("/usr/bin/python3", *words), _HOME)
    content = program.read_bytes()
    if content[:4] != b"\x7fELF":
        raise Unsupported(f"{program} is no Linux program: a container cannot run it")
    image = _built(
        client, program.name, {"program": content}, root=not static(content), copies="COPY program /program\n"
    )
    return Boxed(image, ("/program", *words), "/")


def static(program: bytes) -> bool:
    """Whether an ELF program needs no loader: it has no program header of the type PT_INTERP."""
    wide, order = program[4] == 2, "little" if program[5] == 1 else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(program[at : at + size], "little" if order == "little" else "big")

    start = number(32, 8) if wide else number(28, 4)
    size, count = (number(54, 2), number(56, 2)) if wide else (number(42, 2), number(44, 2))
    return all(number(start + index * size, 4) != 3 for index in range(count))


def _built(client: docker.DockerClient, name: str, files: Mapping[str, bytes], *, root: bool, copies: str) -> str:
    base = _root(client) if root else "scratch"
    recipe = f"FROM {base}\n{copies}" + ("" if root else "COPY tmp /tmp\n")
    digest = hashlib.sha256(recipe.encode())
    for file, content in files.items():
        digest.update(f"{file}:{len(content)}:".encode() + content)
    tag = f"{PREFIX}/{re.sub('[^a-z0-9]+', '-', name.lower())}:{digest.hexdigest()[:16]}"
    if _there(client, tag):
        return tag
    with _lock(tag):
        if not _there(client, tag):
            context = _context({"Dockerfile": recipe.encode(), **files})
            try:
                client.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, labels={KIND: name})
            except docker.errors.DockerException as error:
                raise SetupFault(f"image {tag}: cannot be built: {error}") from None
            _forget_older(client, tag, name)
    return tag


def _context(files: Mapping[str, bytes]) -> io.BytesIO:
    """Pack files; all belong to root, are programs, and are as old as each other, so that layers are kept."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed


def _there(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def _forget_older(client: docker.DockerClient, tag: str, name: str) -> None:
    for image in client.images.list(filters={"label": f"{KIND}={name}"}):
        if tag not in image.tags:
            try:
                client.api.remove_image(str(image.id), force=True)
            except docker.errors.APIError:
                continue  # another run still uses it


def _lock(what: str) -> FileLock:
    CACHE.mkdir(parents=True, exist_ok=True)
    return FileLock(CACHE / f"{re.sub('[^a-z0-9]+', '-', what)}.lock", timeout=_DEADLINE)


# --- the root file system ----------------------------------------------------------------------------


def _suite() -> str:
    """Return the name of this machine's Debian; Unsupported elsewhere."""
    try:
        name = platform.freedesktop_os_release()
    except OSError:
        name = {}
    if name.get("ID") != "debian" or not name.get("VERSION_CODENAME"):
        raise Unsupported("images for peers that need libraries are made from Debian: run this on Debian")
    return name["VERSION_CODENAME"]


def _root(client: docker.DockerClient) -> str:
    """Return the image of the root file system, making and importing it if need be."""
    suite = _suite()
    wheels = [f"{name}=={importlib.metadata.version(name)}" for name in _WHEELS]
    key = hashlib.sha256(repr((suite, platform.machine(), _PACKAGES, wheels, _HOME)).encode()).hexdigest()[:16]
    tag = f"{PREFIX}/root:{key}"
    if _there(client, tag):
        return tag
    with _lock("root"):
        archive = CACHE / f"root-{key}.tar"
        if not archive.exists():
            for old in CACHE.glob("root-*.tar"):
                old.unlink()
            _make_root(archive, suite, wheels)
        if not _there(client, tag):
            client.api.import_image_from_file(
                str(archive), f"{PREFIX}/root", key, [f"LABEL {KIND}=root", f"ENV PYTHONPATH={_HOME}:/wheels"]
            )
    return tag


def _make_root(archive: Path, suite: str, wheels: Sequence[str]) -> None:
    if shutil.which("debootstrap") is None:
        raise Unsupported("images for peers that need libraries need debootstrap: apt-get install debootstrap")
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as folder:
        root = Path(folder) / "root"
        packages = ",".join(_PACKAGES)
        _run("debootstrap", "--variant=minbase", f"--include={packages}", suite, str(root))
        version = _run(
            "chroot", str(root), "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"
        ).strip()
        platforms = [f"--platform={kind}_{platform.machine()}" for kind in ("manylinux_2_28", "manylinux2014")]
        _run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"),
            *(f"--python-version={version}", *platforms, f"--target={root / 'wheels'}", *wheels),
        )
        for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
            shutil.rmtree(root / waste, ignore_errors=True)
        packed = Path(folder) / "root.tar"
        _run("tar", "--create", f"--file={packed}", f"--directory={root}", "--exclude=./dev/*", ".")
        packed.replace(archive)


def _run(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        raise SetupFault(f"{words[0]} took more than {_DEADLINE} s; see whether packages can be fetched") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SetupFault(f"{' '.join(words)} failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout
