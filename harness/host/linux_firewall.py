"""The wall on Linux: nftables in a network namespace of the test's own, in which its peers talk over loopback.

This machine's own tables are never touched. The namespace ends with the process that holds it, so nothing is left.
Packets are dropped where they arrive: one that is dropped on its way out tells its sender so.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.errors import SetupFault, Unsupported
from harness.host.rules import Rule
from harness.peers.manifest import Manifest
from harness.places.face import LOCAL, Family
from harness.places.lan import Namespace, need
from harness.places.local import LocalProcess, OnLoopback

assert sys.platform == "linux"

_TABLE: Final = "inet zi"
_WAYS: Final = {"in": "dport", "out": "sport"}


def ruleset(rules: Sequence[Rule]) -> str:
    """Return nftables' commands that put exactly these rules in force. What is allowed goes before what is blocked."""
    lines = [f"add table {_TABLE}", f"delete table {_TABLE}", f"add table {_TABLE}"]
    lines.append(f"add chain {_TABLE} coming {{ type filter hook input priority 0; policy accept; }}")
    for rule in sorted(rules, key=lambda one: one.action != "allow"):
        if rule.program is not None or rule.profile != "any":
            raise Unsupported("nftables knows neither programs nor profiles: name an endpoint or a port")
        verdict = "accept" if rule.action == "allow" else "drop"
        ports = ", ".join(map(str, rule.ports))
        ways = [way for way in _WAYS if rule.direction in (way, "both")] if ports else ["in"]
        for way in ways:
            match = f"tcp {_WAYS[way]} {{ {ports} }}" if ports else "meta l4proto tcp"
            lines.append(f"add rule {_TABLE} coming {match} {verdict}")
    return "\n".join(lines) + "\n"


class WalledPlace(OnLoopback):
    """A namespace with loopback alone: both peers of a test run in it."""

    name = "walled"
    files = LOCAL

    def __init__(self) -> None:
        need()
        self.namespace = Namespace()
        self.network = f"walled-{self.namespace.pid}"

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return the manifest: a namespace changes the network alone."""
        return manifest

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> LocalProcess:
        """Start a peer's command inside."""
        return LocalProcess([*self.namespace.entry, *command], folder, env)

    def close(self) -> None:
        """Let go of the namespace; it ends with the last process inside."""
        self.namespace.close()


class NetnsWall:
    """nftables in a namespace of its own."""

    def __init__(self) -> None:
        self.place = WalledPlace()

    def put(self, rules: Sequence[Rule]) -> None:
        """Let exactly these rules be in force, all at once."""
        self.place.namespace.run("nft", "-f", "-", given=ruleset(rules))

    def socket(self, family: Family) -> socket.socket:
        """Return a TCP socket inside; it stays there, whoever uses it."""
        kind = socket.AF_INET if family == "tcp4" else socket.AF_INET6
        made: list[socket.socket] = []
        maker = threading.Thread(target=lambda: made.append(_inside(self.place.namespace.pid, kind)))
        maker.start()
        maker.join()
        if not made:
            raise Unsupported("this process may not enter a network namespace: run this as root with CAP_SYS_ADMIN")
        return made[0]

    def close(self) -> None:
        """Remove the namespace, and the rules with it."""
        self.place.close()


def _inside(pid: int, kind: socket.AddressFamily) -> socket.socket:
    """Make a socket in the namespace of a process. A thread that entered it is of no other use: it must end."""
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, 0):
            raise SetupFault(f"setns: {os.strerror(ctypes.get_errno())}")
        return socket.socket(kind, socket.SOCK_STREAM)
    finally:
        os.close(handle)
