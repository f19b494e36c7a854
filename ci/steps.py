"""Running commands, and the first step of the set-up: the venv.

A step prints one line with its time. What a command prints goes to `.build/bootstrap.log`; of a failure the
screen shows the cause in one line. Installing into the venv happens between two marks, so that a run that was
killed in between is noticed by the next one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import plans
from plans import SetupError

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
BUILD: Final = ROOT / ".build"
LOG: Final = BUILD / "bootstrap.log"
CONSTRAINTS: Final = ROOT / "ci" / "constraints.txt"
WINDOWS: Final = sys.platform == "win32"
PYTHON: Final = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")

_CONFIG: Final = VENV / "pyvenv.cfg"
_STAMP: Final = VENV / "bootstrap.json"
_UNFINISHED: Final = BUILD / "venv.unfinished"
_GRACE: Final = 10
"""Seconds that an interrupted command has for ending by itself."""


def say(text: str) -> None:
    """Write to the screen at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


@contextmanager
def step(name: str) -> Iterator[Callable[[str], None]]:
    """Print one line: a name, what is being done while it is being done, and the seconds it took."""
    start = time.monotonic()
    say(f"{name:<7}")
    try:
        yield lambda note: say(f" {note}")
    except BaseException:
        say("\n")
        raise
    say(f" ({time.monotonic() - start:.1f} s)\n")


# --- files ------------------------------------------------------------------------------------------


def read(file: Path) -> str:
    """Return a file's text, "" if there is none."""
    try:
        return file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def read_table(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one if there is none or the file is torn."""
    try:
        table = json.loads(read(file))
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}


def write_table(file: Path, table: Mapping[str, object]) -> None:
    """Write a JSON file, whole or not at all."""
    whole = file.with_suffix(".new")
    whole.write_text(json.dumps(table), encoding="utf-8")
    whole.replace(file)


# --- commands ---------------------------------------------------------------------------------------


def ask(words: Sequence[str], env: Mapping[str, str] | None = None, stdin: str = "") -> str | None:
    """Return what a short command prints, None if it fails or does not exist."""
    try:
        done = subprocess.run(words, env=env, cwd=ROOT, input=stdin.encode(), capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else done.stdout.decode(errors="replace").strip()


def finish(process: subprocess.Popen[bytes]) -> int:
    """Wait for a command and return its exit code; interrupted, ask it to end and wait for that."""
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def run(words: Sequence[str], env: Mapping[str, str], keep: Sequence[int] = ()) -> None:
    """Run a command whose output goes to the log; `SetupError` with the cause if it fails.

    `keep`: file descriptors that it inherits.
    """
    BUILD.mkdir(exist_ok=True)
    with LOG.open("a+b") as log:
        log.write(f"\n$ {shlex.join(words)}\n".encode())
        log.flush()
        begin = log.tell()
        try:
            process = subprocess.Popen(
                words, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=keep
            )
        except OSError as fault:
            raise SetupError(f"{words[0]} cannot be started: {fault.strerror}") from None
        if finish(process):
            log.seek(begin)
            why = plans.cause(log.read().decode(errors="replace"))
            raise SetupError(f"{plans.title(words)} failed: {why} (details: {LOG.relative_to(ROOT)})")


def carry_out(plan: plans.Installation) -> None:
    """Install; if that fails, refresh the lists first and try once more."""
    try:
        run(plan.install, os.environ)
    except SetupError:
        if not plan.refresh:
            raise
        with suppress(SetupError):  # one source out of many may fail: the installation itself decides
            run(plan.refresh, os.environ)
        run(plan.install, os.environ)


def host() -> plans.Host:
    """Look who we are and which package managers are here."""
    ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    if sys.platform == "win32":
        folder = vcpkg()
        return plans.Host(("vcpkg",), ci=ci, vcpkg=str(folder / "vcpkg")) if folder else plans.Host(())
    managers = tuple(name for name in plans.PACKAGE_MANAGERS if name != "vcpkg" and shutil.which(name))
    root = os.geteuid() == 0
    sudo = not root and ask(["sudo", "-n", "true"]) is not None
    return plans.Host(managers, root=root, sudo=sudo, ci=ci)


def vcpkg() -> Path | None:
    """Return the folder of vcpkg, which is for Windows."""
    told = os.environ.get("VCPKG_INSTALLATION_ROOT") or os.environ.get("VCPKG_ROOT")
    if told and Path(told).is_dir():
        return Path(told)
    program = shutil.which("vcpkg")
    return Path(program).resolve().parent if program else None


# --- the venv ---------------------------------------------------------------------------------------


@contextmanager
def _changing_venv(*, whole: bool) -> Iterator[None]:
    """Mark the venv as unfinished until the block has ended.

    `whole`: it was usable before. If pip then fails before it has touched anything, it still is.
    """
    BUILD.mkdir(exist_ok=True)
    _UNFINISHED.touch()
    try:
        yield
    except SetupError:
        if whole and "Installing collected packages" not in read(LOG):
            _UNFINISHED.unlink()
        raise
    _UNFINISHED.unlink()


def _pip(lock: int, *words: str) -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    keep = [] if WINDOWS else [lock]
    run([*pip, "-c", str(CONSTRAINTS), *words], plans.pip_environment(os.environ), keep)


def pip_install(lock: int, *words: str) -> None:
    """Install into the venv."""
    with _changing_venv(whole=True):
        _pip(lock, *words)


def _key() -> str:
    """Return what the stamp of a venv with everything in it says now."""
    python = plans.python_of(read(_CONFIG))
    return plans.venv_key(read(ROOT / "pyproject.toml"), read(CONSTRAINTS), repr(python))


def _is_whole() -> bool:
    """Say whether the venv has a Python and a pip; a stamp is proof enough."""
    version = plans.python_of(read(_CONFIG))
    if version is None or not os.access(PYTHON, os.X_OK):
        return False
    if version < (3, 11):
        raise SetupError(f".venv has Python {version[0]}.{version[1]}, 3.11 is needed; delete the folder .venv")
    return _STAMP.exists() or ask([str(PYTHON), "-m", "pip", "--version"]) is not None


def prepare_venv(lock: int) -> None:
    """Make `.venv` and install the package with its extras into it, as far as that has not been done.

    `lock`: the descriptor of the set-up's lock. pip inherits it: should this process be killed, the next
    run waits for the end of a pip that is still at work.
    """
    with step("python") as note:
        stamp = read_table(_STAMP)
        interrupted = _UNFINISHED.exists()
        plan = plans.venv_plan(whole=_is_whole(), interrupted=interrupted, stamp=stamp, key=_key(), root=str(ROOT))
        if plan == "ready":
            note(".venv is up to date")
            return
        if plan == "make" and importlib.util.find_spec("ensurepip") is None:
            missing = plans.ensurepip_plan(host(), sys.version_info[:2])
            note("installing ensurepip,")
            carry_out(missing)
        with _changing_venv(whole=plan == "install"):
            if plan == "make":
                note("making .venv,")
                base = getattr(sys, "_base_executable", "") or sys.executable
                run([base, "-m", "venv", "--clear", str(VENV)], plans.child_environment(os.environ))
            note("installing packages")
            _pip(lock, "hatchling", "editables")  # pinned too, which a build in isolation would not be
            _pip(lock, "--no-build-isolation", "-e", ".[test,dev]")
            write_table(_STAMP, {"key": _key(), "root": str(ROOT)})
