"""What each open file descriptor is, for ``dump``: where the system tells, which is Linux."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator

# include/net/tcp_states.h
_TCP = [
    *("ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"),
    *("CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV"),
]

# include/uapi/linux/net.h; and the flag of a listener
_UNIX = {"01": "UNCONNECTED", "02": "CONNECTING", "03": "CONNECTED", "04": "DISCONNECTING"}
_ACCEPTS = 0x10000


def describe() -> list[str] | None:
    """Give a text for each open descriptor, in their order; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    known = _sockets()
    texts = []
    for number in sorted(map(int, os.listdir("/proc/self/fd"))):
        with contextlib.suppress(OSError):  # the one that read the directory is gone
            target = os.readlink(f"/proc/self/fd/{number}")
            inode = target.removeprefix("socket:[").removesuffix("]")
            texts.append(f"{number} {known.get(inode, target) if inode != target else target}")
    return texts


def _sockets() -> dict[str, str]:
    """Describe the sockets of this network namespace by inode."""
    found = {}
    for name in ("tcp", "tcp6"):
        for _, local, remote, state, *rest in _rows(name):
            ends = f"{_address(local)}>{_address(remote)}"
            number = int(state, 16) - 1
            found[rest[5]] = f"socket {name} {ends} {_TCP[number] if number < len(_TCP) else state}"
    for _, _, _, flags, _, state, inode, *path in _rows("unix"):
        listens = int(flags, 16) & _ACCEPTS
        words = ["socket unix", *path, "LISTEN" if listens else _UNIX.get(state, state)]
        found[inode] = " ".join(words)
    return found


def _rows(name: str) -> Iterator[list[str]]:
    with contextlib.suppress(OSError), open(f"/proc/self/net/{name}", encoding="utf-8", errors="replace") as file:
        next(file, None)
        for line in file:
            yield line.split()


def _address(text: str) -> str:
    """Read the kernel's form: words of 4 bytes in the machine's order, in hex, and the port."""
    host, port = text.split(":")
    words = [int(host[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(host), 8)]
    packed = b"".join(words)
    if len(packed) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, packed)}:{int(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, packed)}]:{int(port, 16)}"
