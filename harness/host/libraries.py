"""Which library files a peer's process has loaded: a version does not say which of several libzmqs it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import psutil

from harness.peers.sockets import Peer

_OURS: Final = re.compile(r"zmq|sodium", re.IGNORECASE)


def loaded(pid: int) -> list[str]:
    """Return the files of libzmq, its bindings and libsodium that a process has mapped; empty if none, or untold."""
    try:
        if sys.platform == "linux":
            lines = Path(f"/proc/{pid}/maps").read_text("utf-8", "surrogateescape").splitlines()
            paths = [words[5] for line in lines if len(words := line.split(maxsplit=5)) == 6]
        else:
            paths = [one.path for one in psutil.Process(pid).memory_maps()]
    except (OSError, psutil.Error):
        return []
    return libraries(paths)


def libraries(paths: Iterable[str]) -> list[str]:
    """Return those of a process's mapped files that are such libraries, each once."""
    return sorted({path for path in paths if _is_library(path.replace("\\", "/").rpartition("/")[2])})


def _is_library(name: str) -> bool:
    return bool(_OURS.search(name)) and bool(re.search(r"\.(so|dylib|dll|pyd)\b", name, re.IGNORECASE))


def of_peers(peers: Iterable[Peer]) -> dict[str, dict[str, Any]]:
    """Return what implementations say of themselves and their libraries, and whose files, for peers on this machine."""
    found: dict[str, dict[str, Any]] = {}
    for peer in peers:
        if not peer.client.ended and peer.client.hello["pid"] == peer.client.pid:
            told = {"peer": peer.description, "library": peer.library, "files": loaded(peer.client.pid)}
            found.setdefault(peer.implementation, told)
    return found
