"""What to do on this machine, decided from facts.

Pure: text and facts go in, a plan comes out. Nothing here starts a process, reads a file or looks at a
clock; `steps.py` and `toolchain.py` gather the facts and carry the plans out. `SetupError` is the one way to
say that a person must act.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal


class SetupError(Exception):
    """The machine is not ready. The text is one line: what is missing and what to run."""


# --- the command line -----------------------------------------------------------------------------

TAKES_MORE: Final = frozenset(
    {"interop", "test", "places", "bench", "stability", "prove", "wine", "doctor", "report", "peers", "ci-linux"}
)
"""Commands that hand what follows `--` to pytest or to zmq-interop."""

COMMANDS: Final[Mapping[str, str]] = {
    "setup": "make .venv, find or install Go and libzmq's development files",
    "interop": "the whole matrix: pytest -n auto tests/interop",
    "test": "the Go unit tests, then every Python test",
    "places": "peers in namespaces and containers: their own tests, and recovery and faults in each place",
    "lint": "ruff, mypy, gofmt, go vet, staticcheck, actionlint, and the workflows as they are rendered",
    "format": "ruff format and gofmt -w",
    "bench": "the speed of the whole matrix",
    "stability": "many full runs in a row",
    "prove": "every planted fault turns its check red",
    "wine": "the peers' Windows builds under Wine: the matrix both ways, then unit tests in a Windows Python",
    "doctor": "what this machine has, and what each peer says",
    "report": "the report of the latest run",
    "peers": "the peers, built and started",
    "ci-linux": "the linux job of CI, step by step on a bare Debian (root, debootstrap; part: -- logic)",
    "clean": "remove .venv, .build and the caches; reports stay",
}


def arguments(words: Sequence[str]) -> tuple[str, list[str]]:
    """Split `COMMAND [-- MORE …]` into the command and what belongs to pytest or zmq-interop."""
    usage = "usage: bootstrap.py " + "|".join(COMMANDS) + " [-- more arguments]"
    if not words:
        raise SetupError(f"no command; {usage}")
    command, rest = words[0], list(words[1:])
    if command not in COMMANDS:
        raise SetupError(f"no such command: {command!r}; {usage}")
    if rest and rest[0] != "--":
        raise SetupError(f"{rest[0]!r} is not understood; arguments for what {command!r} runs go after --")
    if rest[1:] and command not in TAKES_MORE:
        raise SetupError(f"{command!r} takes no more arguments, but got {rest[1]!r}")
    return command, rest[1:]


# --- Python ---------------------------------------------------------------------------------------

VenvPlan = Literal["make", "install", "ready"]


def venv_key(pyproject: str, constraints: str, python: str) -> str:
    """Return a digest that changes with whatever decides what belongs into the venv.

    Of `pyproject.toml` that is only what the installer reads: a changed lint rule installs nothing.
    """
    try:
        table = tomllib.loads(pyproject)
    except tomllib.TOMLDecodeError as fault:
        raise SetupError(f"pyproject.toml cannot be read: {fault}") from None
    read = [table.get("build-system"), table.get("project"), table.get("tool", {}).get("hatch")]
    return hashlib.sha256(json.dumps([read, constraints, python], sort_keys=True).encode()).hexdigest()[:16]


def venv_plan(*, whole: bool, interrupted: bool, stamp: Mapping[str, Any], key: str, root: str) -> VenvPlan:
    """Choose between making the venv anew, installing into it, and leaving it as it is.

    `whole`: its interpreter and its pip are there. `interrupted`: an installation began and did not end.
    A venv that was moved is made anew, for its scripts name their interpreter by its full path.
    """
    if not whole or interrupted or stamp.get("root", root) != root:
        return "make"
    return "ready" if stamp.get("key") == key else "install"


def python_of(pyvenv_cfg: str) -> tuple[int, int] | None:
    """Return the Python version that a venv's `pyvenv.cfg` names."""
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", pyvenv_cfg, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else None


_NETWORK_OF_PIP: Final = re.compile(
    r"PIP_((CLIENT_)?CERT|PROXY|RETRIES|(DEFAULT_)?TIMEOUT|TRUSTED_HOST|(EXTRA_)?INDEX_URL|NO_INDEX|FIND_LINKS|"
    r"(NO_)?CACHE_DIR|CONFIG_FILE|KEYRING_PROVIDER|USE_DEPRECATED|USE_FEATURE)"
)
_OURS_IN_PIP: Final = dict.fromkeys(
    ("PIP_USER", "PIP_NO_DEPS", "PIP_DRY_RUN", "PIP_REQUIRE_HASHES", "PIP_REQUIRE_VIRTUALENV"), "0"
)
# Without compiled files every peer would compile itself at every start, which costs more than most cells.
_OTHER_PYTHONS: Final = frozenset(
    {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE", "__PYVENV_LAUNCHER__"}
)


def child_environment(outside: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what leads the venv's Python to other packages, or slows it down."""
    return {name: value for name, value in outside.items() if name not in _OTHER_PYTHONS}


def pip_environment(outside: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for pip: where to fetch from is the user's, what to do and where to is ours.

    What is set here overrules a configuration file, too.
    """
    inside = {
        name: value
        for name, value in child_environment(outside).items()
        if not name.startswith("PIP_") or _NETWORK_OF_PIP.fullmatch(name)
    }
    return inside | _OURS_IN_PIP


def pinned(constraints: str, name: str) -> str:
    """Return the version to which a constraints file pins a package."""
    found = re.search(rf"^{re.escape(name)}==([^\s;]+)", constraints, re.MULTILINE | re.IGNORECASE)
    if not found:
        raise SetupError(f"ci/constraints.txt does not pin {name}")
    return found[1]


# --- Go -------------------------------------------------------------------------------------------

GoVersion = tuple[int, int, int]


def go_version(text: str) -> GoVersion | None:
    """Return the version in the words of `go version`, `go env GOVERSION` or a `go` line; None without one.

    A release candidate comes before its release: its patch number is -1.
    """
    found = re.search(r"\b(?:go)?(\d+)\.(\d+)(?:\.(\d+)|(rc|beta)\d+)?\b", text)
    if not found:
        return None
    return int(found[1]), int(found[2]), -1 if found[4] else int(found[3] or 0)


def go_line(go_mod: str) -> GoVersion:
    """Return the oldest Go that a `go.mod` accepts."""
    found = re.search(r"^go[ \t]+(\S+)", go_mod, re.MULTILINE)
    version = go_version(found[1]) if found else None
    if version is None:
        raise SetupError("peers/go/go.mod has no go line")
    return version


def go_plan(
    needed: GoVersion, on_path: GoVersion | None, in_venv: GoVersion | None
) -> Literal["path", "venv", "install"]:
    """Choose the Go on PATH if it is new enough, else the one in the venv, else have that installed."""
    if on_path and on_path >= needed:
        return "path"
    return "venv" if in_venv and in_venv >= needed else "install"


def go_flags(outside: str) -> str:
    """Return GOFLAGS for Go's own tools: the user's, but modules as go.mod says and no version-control stamp.

    The stamp would fail in a checkout that belongs to somebody else, as it does in containers.
    """
    kept = [flag for flag in outside.split() if not re.match(r"--?(mod|buildvcs)\b", flag)]
    return " ".join([*kept, "-buildvcs=false"])


# --- libzmq ---------------------------------------------------------------------------------------

APT_PACKAGES: Final = ("libzmq3-dev", "pkg-config", "gcc", "libc6-dev")

_BY_HAND: Final[Mapping[str, str]] = {
    "apt-get": "apt-get install " + " ".join(APT_PACKAGES),
    "brew": "brew install zeromq pkg-config",
    "vcpkg": "vcpkg install zeromq:x64-windows",
    "dnf": "dnf install zeromq-devel pkgconf-pkg-config gcc",
    "zypper": "zypper install zeromq-devel pkg-config gcc",
    "pacman": "pacman -S zeromq pkgconf gcc",
    "apk": "apk add zeromq-dev pkgconf gcc musl-dev",
}
PACKAGE_MANAGERS: Final = tuple(_BY_HAND)


@dataclass(frozen=True)
class Host:
    """What decides whether packages of the operating system may be installed, and by whom."""

    managers: tuple[str, ...]
    """Those of `PACKAGE_MANAGERS` that are here, most fitting first."""
    root: bool = False
    sudo: bool = False
    """`sudo` works without a password."""
    ci: bool = False
    vcpkg: str = "vcpkg"
    """vcpkg's program."""

    @property
    def may_install(self) -> bool:
        """Whether the machine is ours to install on."""
        return self.root or self.sudo or self.ci


@dataclass(frozen=True)
class Installation:
    """A command that installs, and one that refreshes the lists it installs from if it fails."""

    install: tuple[str, ...]
    refresh: tuple[str, ...] = ()


def apt_plan(host: Host, packages: Sequence[str]) -> Installation:
    """Return how apt-get installs these packages here."""
    before = () if host.root or not host.sudo else ("sudo", "-n")
    apt = (*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-o", "DPkg::Lock::Timeout=120")
    return Installation((*apt, "install", "--no-install-recommends", *packages), (*apt, "update"))


def ensurepip_plan(host: Host, python: tuple[int, int]) -> Installation:
    """Return how to get the part of Python that Debian packs apart and that making a venv needs."""
    package = f"python{python[0]}.{python[1]}-venv"
    if "apt-get" not in host.managers:
        raise SetupError("this Python can make no venv (no ensurepip); install a complete Python 3.11 or newer")
    if not host.may_install:
        raise SetupError(f"this Python can make no venv; run as root: apt-get install {package}")
    return apt_plan(host, [package])


def libzmq_plan(host: Host, missing: str) -> Installation:
    """Return how to install libzmq's development files; `missing` says what was looked for in vain."""
    lacks = f"the cgo peer cannot be built, for there is no {missing}"
    if not host.managers:
        raise SetupError(f"{lacks}; install libzmq's development files, pkg-config and a C compiler")
    manager = host.managers[0]
    by_hand = SetupError(f"{lacks}; run: {_BY_HAND[manager]}")
    if not host.may_install:
        raise by_hand
    if manager == "apt-get":
        return apt_plan(host, APT_PACKAGES)
    if manager == "brew" and not host.root:  # brew refuses to run as root
        return Installation(("brew", "install", "zeromq", "pkg-config"))
    if manager == "vcpkg":
        return Installation((host.vcpkg, "install", "zeromq:x64-windows"))
    raise by_hand


BROWSER_PACKAGES: Final = ("chromium", "chromium-driver")


def browser_plan(host: Host) -> Installation | None:
    """Return how to install the browser that the page's tests drive; None where a person has to.

    It is for those tests only, so its absence is no fault of the set-up: the tests themselves say what to install.
    """
    if host.may_install and host.managers[:1] == ("apt-get",):
        return apt_plan(host, BROWSER_PACKAGES)
    return None


PLACE_TOOLS: Final[Mapping[str, str]] = {
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "debootstrap": "debootstrap",
    "libfaketime": "libfaketime",
    "sshd": "openssh-server",
    "dockerd": "docker.io",
}
"""What the lane of places uses, and the packages that have it."""

_SERVERS: Final = frozenset({"openssh-server", "docker.io"})
"""Packages that also start a server of the machine's own, which is for a person to decide, or for CI."""


def places_packages(host: Host, missing: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the packages with what of `PLACE_TOOLS` is missing: those to install, and those that are left to a person.

    Only root can make most places, so nothing is installed for anybody else. What is not there makes its cells and
    tests `unsupported`; so its absence is no fault of the set-up.
    """
    wanted = list(dict.fromkeys(PLACE_TOOLS[tool] for tool in missing))
    if not host.root or host.managers[:1] != ("apt-get",):
        return [], wanted
    ours = [name for name in wanted if host.ci or name not in _SERVERS]
    return ours, [name for name in wanted if name not in ours]


def vcpkg_flags(
    prefix: str, libraries: Sequence[str], dlls: Sequence[str], outside: Mapping[str, str]
) -> dict[str, str]:
    """Return CGO_CFLAGS and CGO_LDFLAGS for a vcpkg triplet's folder, in front of the user's.

    The names carry toolset and version (`libzmq-mt-4_3_5.lib`), and a debug build's carry `gd`.
    """
    release = sorted(name for name in libraries if "gd-" not in name)
    if not release or not dlls:
        raise SetupError(f"{prefix} has no libzmq*.lib with a libzmq*.dll; run: {_BY_HAND['vcpkg']}")
    prefix = prefix.replace("\\", "/")
    compile_flags = _quoted(f"-I{prefix}/include")
    link_flags = f"{_quoted(f'-L{prefix}/lib')} -l:{release[-1]}"
    return {
        "CGO_CFLAGS": f"{compile_flags} {outside.get('CGO_CFLAGS', '')}".strip(),
        "CGO_LDFLAGS": f"{link_flags} {outside.get('CGO_LDFLAGS', '')}".strip(),
    }


def _quoted(flag: str) -> str:
    return f'"{flag}"' if " " in flag else flag


# --- failures -------------------------------------------------------------------------------------

_CAUSES: Final = (
    (r"No space left on device|Errno 28|not enough space on the disk", "the disk is full"),
    (r"dpkg was interrupted", "dpkg was interrupted earlier; run: dpkg --configure -a"),
    (r"are you root\?|Permission denied|a password is required", "it must be run by root"),
    (r"Could not get lock|Unable to acquire the dpkg", "another package manager is at work"),
    (
        r"Temporary failure (in name resolution|resolving)|Name or service not known|nodename nor servname|"
        r"getaddrinfo failed|no such host|NewConnectionError|ConnectTimeout|ProxyError|Max retries exceeded|"
        r"Network is unreachable|[Cc]onnection refused|Could not (resolve|connect)|Failed to fetch",
        "the network or the package index cannot be reached",
    ),
)


def title(words: Sequence[str]) -> str:
    """Return what a command is called in a complaint."""
    known = ("pip install", "venv", "apt-get update", "apt-get", "brew install", "vcpkg", "go install")
    line = " ".join(word for word in words if not word.startswith("-"))
    return next((name for name in known if name in line), words[0])


def cause(log: str) -> str:
    """Return why a command failed, in a few words, from what it printed."""
    for pattern, words in _CAUSES:
        if re.search(pattern, log):
            return words
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(error|e|fatal|go)\b:", line, re.IGNORECASE)]
    return (errors or lines or ["it said nothing"])[-1][:200]
