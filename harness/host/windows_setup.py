"""Is a Windows machine ready for the cgo peer? What is wrong, why it matters, and what to run. Pure: facts go in.

`windows_look.py` gathers the facts on a real machine; tests make them up.
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.host.exits import EXITS

VCPKG: Final = "vcpkg install zeromq:x64-windows"
MSYS2: Final = "pacman -S mingw-w64-ucrt-x86_64-zeromq mingw-w64-ucrt-x86_64-gcc"
LONG: Final = 200
"""Characters of a folder's path from which on files below it may pass the limit of 260 without long paths."""

_VERSION: Final = re.compile(r"libzmq.*?(\d+)[._](\d+)[._](\d+)", re.IGNORECASE)
_OLDEST: Final = (4, 0, 1)
_ARCHITECTURES: Final = {"amd64": "x64", "x86_64": "x64", "386": "x86", "arm64": "arm64", "x64": "x64"}


@dataclass(frozen=True, slots=True)
class Dll:
    """A libzmq DLL that was found. `architecture` is "" where the file is no DLL at all."""

    path: str
    architecture: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What was found. Texts are empty for what is not there."""

    go: str = ""
    """What `go version` says."""
    compiler: str = ""
    """The C compiler's path, or the name that was looked for in vain with a ? before it."""
    compiler_target: str = ""
    """What `gcc -dumpmachine` says."""
    vcpkg: str = ""
    msys2: str = ""
    cflags: str = ""
    ldflags: str = ""
    dlls: Sequence[Dll] = ()
    """In the order in which Windows looks: beside the program, then along PATH."""
    peer_imports: Sequence[str] | None = None
    """DLLs that the built pebbe peer needs; None if it is not built yet."""
    long_paths: bool = False
    root: str = ""
    temp: str = ""
    user: str = ""
    has_ipc: bool = False
    loop: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `good` is None for what is not needed, or only worth knowing."""

    good: bool | None
    text: str


def findings(setup: Setup) -> Iterator[tuple[str, Finding]]:
    """Yield every check's name and finding."""
    yield "Go's architecture", _go(setup)
    yield "C compiler of cgo", _compiler(setup)
    yield "libzmq's headers and import library", _libzmq(setup)
    yield "libzmq's DLL", _dll(setup)
    yield "linking of peer-pebbe", _linking(setup)
    yield "long paths", _long_paths(setup)
    yield "names of user and temporary folder", _names(setup)
    yield "ipc between Go and Python", _ipc(setup)
    yield "asyncio's event loop", _loop(setup)


def _go(setup: Setup) -> Finding:
    if not setup.go:
        return Finding(False, "no go on PATH; install Go, or run: py ci\\bootstrap.py setup")
    return Finding(True, f"{architecture(setup.go) or 'unknown'} ({setup.go})")


def architecture(text: str) -> str:
    """Return x64, x86 or arm64, as `go version` or `gcc -dumpmachine` spell it; "" if they do not say."""
    words = re.findall(r"amd64|x86_64|arm64|aarch64|i686|\b386\b|\bx64\b", text)
    known = {**_ARCHITECTURES, "aarch64": "arm64", "i686": "x86"}
    return known[words[-1]] if words else ""


def _compiler(setup: Setup) -> Finding:
    if not setup.compiler or setup.compiler.startswith("?"):
        name = setup.compiler[1:] or "gcc"
        return Finding(
            False, f"there is no {name}, without which CGO_ENABLED=1 builds nothing; install MinGW-w64: {MSYS2}"
        )
    if "msvc" in setup.compiler_target or ntpath.basename(setup.compiler).lower() in ("cl", "cl.exe"):
        return Finding(False, f"{setup.compiler}: cgo cannot use Microsoft's compiler; install MinGW-w64: {MSYS2}")
    own, go = architecture(setup.compiler_target), architecture(setup.go)
    if own and go and own != go:
        return Finding(False, f"{setup.compiler} is for {own}, Go for {go}: linking would fail; take a gcc for {go}")
    return Finding(True, f"{setup.compiler} for {setup.compiler_target or 'an unknown target'}")


def _libzmq(setup: Setup) -> Finding:
    if "zmq" in setup.ldflags:
        if not re.search(r"-I", setup.cflags):
            return Finding(False, "CGO_LDFLAGS names libzmq, CGO_CFLAGS has no -I: set it to the folder of zmq.h")
        return Finding(True, f"as CGO_CFLAGS={setup.cflags} and CGO_LDFLAGS={setup.ldflags} say")
    if setup.vcpkg:
        return Finding(True, f"from vcpkg at {setup.vcpkg}; the set-up finds the flags itself")
    if setup.msys2:
        return Finding(
            False,
            f"MSYS2 at {setup.msys2} is not looked through: set CGO_CFLAGS=-I{setup.msys2}\\include and "
            f"CGO_LDFLAGS=-L{setup.msys2}\\lib -lzmq, after: {MSYS2}",
        )
    return Finding(False, f"neither CGO_LDFLAGS, nor vcpkg, nor MSYS2: set VCPKG_INSTALLATION_ROOT and run: {VCPKG}")


def version(name: str) -> str:
    """Return the version in a DLL's name, such as `libzmq-mt-4_3_5.dll`; "" if it has none."""
    found = _VERSION.search(ntpath.basename(name))
    return ".".join(found.groups()) if found else ""


def _dll(setup: Setup) -> Finding:
    wanted = architecture(setup.go) or "x64"
    if not setup.dlls:
        return Finding(
            None if _static(setup) else False,
            "no libzmq*.dll beside the program or on PATH"
            + (
                "; the peer needs none"
                if _static(setup)
                else f": it would end with 0xC0000135 ({EXITS[0xC0000135]}); "
                "add vcpkg's installed\\x64-windows\\bin or MSYS2's ucrt64\\bin to PATH"
            ),
        )
    first = setup.dlls[0]
    if not first.architecture:
        return Finding(False, f"{first.path} is no DLL, and Windows would take it first; remove it")
    if first.architecture != wanted:
        return Finding(
            False,
            f"{first.path} is for {first.architecture}, and Windows would take it first: the peer would end with "
            f"0xC000007B ({EXITS[0xC000007B]}); put the folder of one for {wanted} before it on PATH",
        )
    told = first.version or version(first.path) or "of unknown version"
    if re.fullmatch(r"[\d.]+", told) and tuple(map(int, told.split(".")))[:3] < _OLDEST:
        return Finding(False, f"{first.path} is {told}; pebbe/zmq4 needs 4.0.1 or later: {VCPKG}")
    others = {dll.version or version(dll.path) for dll in setup.dlls[1:]} - {told}
    more = f"; others on PATH, not taken: {', '.join(sorted(filter(None, others)))}" if any(others) else ""
    if "gd-" in first.path:
        return Finding(False, f"{first.path} is a debug build, which needs Visual Studio's debug runtime{more}")
    return Finding(True, f"{told} for {first.architecture} at {first.path}{more}")


def _static(setup: Setup) -> bool:
    return setup.peer_imports is not None and not any("zmq" in name.lower() for name in setup.peer_imports)


def _linking(setup: Setup) -> Finding:
    if setup.peer_imports is None:
        return Finding(None, "not built yet; doctor builds it below")
    if _static(setup):
        return Finding(True, "static: libzmq is in the program, and no DLL is looked for")
    needed = [name for name in setup.peer_imports if "zmq" in name.lower()]
    found = {ntpath.basename(dll.path).lower() for dll in setup.dlls}
    if missing := [name for name in needed if name.lower() not in found]:
        return Finding(
            False,
            f"dynamic, against {missing[0]}, which is neither beside the program nor on PATH: exit code 0xC0000135",
        )
    return Finding(True, f"dynamic, against {', '.join(needed)}")


def _long_paths(setup: Setup) -> Finding:
    if setup.long_paths:
        return Finding(True, "enabled")
    longest = max((setup.root, setup.temp), key=len)
    if len(longest) > LONG:
        return Finding(
            False, f"disabled, and {longest} has {len(longest)} characters of 260; set LongPathsEnabled, or move it up"
        )
    return Finding(None, "disabled; fine for folders as short as these")


def _names(setup: Setup) -> Finding:
    odd = [text for text in (setup.user, setup.temp, setup.root) if not text.isascii()]
    if not odd:
        return Finding(True, f"{setup.user}, {setup.temp}")
    return Finding(
        None,
        f"{odd[0]}: not all ASCII. Python and Go manage; C libraries that take paths in the system's code page may "
        "not. If a peer cannot start, set TEMP to a folder such as C:\\Temp",
    )


def _ipc(setup: Setup) -> Finding:
    if setup.has_ipc:
        return Finding(True, 'zmq.has("ipc") is true')
    return Finding(None, 'zmq.has("ipc") is false, as in all Windows wheels of pyzmq: cells over ipc are unsupported')


def _loop(setup: Setup) -> Finding:
    if "Proactor" in setup.loop:
        return Finding(
            None,
            f"{setup.loop} is the default, and zmq.asyncio needs a selector loop: the asyncio peer makes its own; your "
            "programs: asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)",
        )
    return Finding(True, setup.loop)
