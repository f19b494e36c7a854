"""A network of a run's own on this machine: a switch that hosts are plugged into, and this machine as their gateway.

The switch is a bridge in a network namespace of its own, so that no firewall of this machine has a say in what passes
it, and this machine's own rules and forwarding stay as they are. A namespace has no name: a process holds it, which
waits for the end of its stdin. That comes with the end of the harness, whatever ends it; then the kernel removes the
namespace with all its links, addresses and rules. So nothing has to be swept.

Addresses are of the ranges set aside for tests of network devices (RFC 2544: 198.18.0.0/15) and for private use (RFC
4193: fd00::/8). Which part of them is free is decided under a lock that all runs on this machine share.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Final, Protocol

from filelock import FileLock

from harness.errors import SetupFault, Unsupported
from harness.places.face import Family

DEADLINE: Final = 30.0
"""Seconds that a command which sets up a network may take."""

LINKS: Final = "zi"
"""What the names of our links on this machine begin with; the process id of their owner follows, in hex."""

_TOOLS: Final = {
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
_NETWORKS: Final = 512
_numbers = itertools.count(1)


def need() -> None:
    """Raise Unsupported where this machine has no network namespaces for us; it says what to install."""
    if sys.platform != "linux":
        raise Unsupported("network namespaces are Linux's: run this on Linux")
    if os.geteuid() != 0:
        raise Unsupported("network namespaces need root: run this as root")
    missing = sorted({package for tool, package in _TOOLS.items() if shutil.which(tool) is None})
    if missing:
        raise Unsupported(f"network namespaces need {', '.join(missing)}: apt-get install {' '.join(missing)}")


def run(*words: str, given: str = "") -> str:
    """Run a command that sets something up, and return what it prints. SetupFault says what it says."""
    try:
        done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        raise SetupFault(f"{' '.join(words)} took more than {DEADLINE:g} s; run it again") from None
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise SetupFault(f"{' '.join(words)} {f'({given.strip()}) ' if given else ''}failed: {said}")
    return done.stdout


class Namespace:
    """A network namespace, for as long as a process of ours holds it."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        try:
            self._holder.stdin.write(b"\n")
            self._holder.stdin.flush()
            if not self._holder.stdout.readline():
                raise Unsupported("this system makes no network namespace: run this as root with CAP_SYS_ADMIN")
        except BaseException:
            self.close()
            raise
        self.pid = self._holder.pid
        self.ip("link set lo up")

    @property
    def entry(self) -> list[str]:
        """The words before a command that run it inside. The command takes the place of what they start."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net"]

    def run(self, *words: str, given: str = "") -> str:
        """Run a command inside."""
        return run(*self.entry, *words, given=given)

    def ip(self, *lines: str) -> None:
        """Run commands of iproute2 inside."""
        self.run("ip", "-batch", "-", given="\n".join(lines) + "\n")

    def pids(self) -> list[int]:
        """Return the processes inside, without the holder."""
        inside = os.stat(f"/proc/{self.pid}/ns/net").st_ino
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and int(folder.name) != self.pid:
                try:
                    if os.stat(folder / "ns" / "net").st_ino == inside:
                        found.append(int(folder.name))
                except OSError:
                    continue
        return found

    def close(self) -> None:
        """Let go of it; it ends with the last process inside."""
        for pipe in (self._holder.stdin, self._holder.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._holder.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait()


@dataclass(frozen=True, slots=True)
class Subnets:
    """One part of the ranges: a /24 and a /64. The first address of each is the gateway's."""

    number: int

    @property
    def v4(self) -> IPv4Network:
        """The addresses of IPv4."""
        return IPv4Network(f"198.{18 + self.number // 256}.{self.number % 256}.0/24")

    def address(self, host: int) -> Mapping[Family, str]:
        """Return the addresses of host 1 (the gateway) to 254."""
        if not 1 <= host <= 254:
            raise SetupFault(f"a network has 254 addresses; there is no host {host}")
        return {"tcp4": str(self.v4[host]), "tcp6": f"fd5a:4d51:{self.number:x}::{host:x}"}

    @property
    def v6(self) -> str:
        """The addresses of IPv6."""
        return f"fd5a:4d51:{self.number:x}::/64"


@contextmanager
def free_subnets() -> Iterator[Subnets]:
    """Yield addresses that nobody on this machine uses. They are ours once a link has them, by the end of the block."""
    with FileLock(Path(tempfile.gettempdir()) / "zmq-interop-subnets.lock", timeout=DEADLINE):
        used = [
            ip_network(f"{one['local']}/{one['prefixlen']}", strict=False)
            for link in json.loads(run("ip", "-json", "-4", "address", "show"))
            for one in link.get("addr_info", [])
        ]
        routed = [word["dst"] for word in json.loads(run("ip", "-json", "-4", "route", "show", "table", "all"))]
        used += [ip_network(one, strict=False) for one in routed if one[0].isdecimal()]
        for offset in range(_NETWORKS):
            subnets = Subnets((os.getpid() + offset) % _NETWORKS)
            if not any(subnets.v4.overlaps(one) for one in used if isinstance(one, IPv4Network)):
                yield subnets
                return
        raise SetupFault("all 512 networks of 198.18.0.0/15 are in use on this machine: end other runs")


class Lan(Protocol):
    """What hosts are plugged into."""

    subnets: Subnets

    def plug(self, host: Namespace) -> int:
        """Give a namespace a link `eth0` to this network, still without address; returns the host's number."""


class Switch:
    """A bridge in its own namespace; this machine is host 1, by a link named after its process."""

    def __init__(self) -> None:
        need()
        self._namespace = Namespace()
        self._hosts = itertools.count(2)
        self.link = f"{LINKS}{os.getpid():x}-{next(_numbers)}"
        try:
            self._namespace.ip("link add switch type bridge", "link set switch up")
            run(*f"ip link add {self.link} type veth peer name uplink netns {self._namespace.pid}".split())
            self._namespace.ip("link set uplink master switch", "link set uplink up")
            with free_subnets() as self.subnets:
                own = self.subnets.address(1)
                lines = (
                    f"address add {own['tcp4']}/24 dev {self.link}",
                    f"address add {own['tcp6']}/64 dev {self.link} nodad",
                    f"link set {self.link} up",
                )
                run("ip", "-batch", "-", given="\n".join(lines) + "\n")
        except BaseException:
            self.close()
            raise

    def plug(self, host: Namespace) -> int:
        """Give a namespace a link `eth0` to this network, still without address; returns the host's number."""
        number = next(self._hosts)
        self._namespace.ip(
            f"link add port{number} type veth peer name eth0 netns {host.pid}",
            f"link set port{number} master switch",
            f"link set port{number} up",
        )
        return number

    def spare(self) -> int:
        """Return the number of a host that is not plugged in: an address to move to."""
        return next(self._hosts)

    def mtu(self, size: int) -> None:
        """Let this machine and the switch carry packets of at most this many bytes (1280 to 9000)."""
        ports = [one["ifname"] for one in json.loads(self._namespace.run("ip", "-json", "link", "show"))]
        self._namespace.ip(*(f"link set {port} mtu {size}" for port in ports if port != "lo"))
        run("ip", "link", "set", self.link, "mtu", str(size))

    def close(self) -> None:
        """Remove it."""
        subprocess.run(["ip", "link", "delete", self.link], capture_output=True, timeout=DEADLINE, check=False)
        self._namespace.close()
