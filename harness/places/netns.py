"""The place `netns`: a host in a network namespace of its own (Linux, as root), on a network that can be disturbed.

What a host drops, loses or delays it does in its own namespace: with nftables, whose drops nobody is told of, with
`tc tbf`, and with `tc netem` where the kernel has it. Nothing of that touches this machine's own network.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal

import psutil

from harness.errors import SetupFault, Unsupported
from harness.peers.manifest import Manifest
from harness.places.face import Family
from harness.places.lan import Lan, Namespace, Switch
from harness.places.local import LocalProcess

NAME: Final = "netns"
_DROP: Final = {"both": ("coming", "going"), "in": ("coming",), "out": ("going",)}


class NetnsPlace:
    """A host of a network of the run's own."""

    name = NAME

    def __init__(self, lan: Lan) -> None:
        self._lan = lan
        self._namespace = Namespace()
        try:
            self._number = lan.plug(self._namespace)
            self._settle(self._number)
        except BaseException:
            self._namespace.close()
            raise
        self.network = self.files = f"{NAME}-{self._namespace.pid}"
        self._disturbed = False
        self._open = True

    def _settle(self, number: int) -> None:
        own = self._lan.subnets.address(number)
        self._namespace.ip(
            f"address add {own['tcp4']}/24 dev eth0",
            f"address add {own['tcp6']}/64 dev eth0 nodad",
            "link set eth0 up",
        )
        self._number = number

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return the manifest: a namespace changes the network alone."""
        return manifest

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> LocalProcess:
        """Start a peer's command inside."""
        return LocalProcess([*self._namespace.entry, *command], folder, env)

    def address(self, family: Family) -> str:
        """Return this host's address."""
        return self._lan.subnets.address(self._number)[family]

    def gateway(self, family: Family) -> str:
        """Return this machine's address on the network."""
        return self._lan.subnets.address(1)[family]

    def outward(self, host: str, port: int) -> tuple[str, int]:
        """Return the same."""
        return host, port

    def cut(self, direction: Literal["both", "in", "out"] = "both") -> None:
        """Drop every packet that comes, goes, or both, until `heal`."""
        for chain in _DROP[direction]:
            self._rule(chain, "counter drop")

    def lose(self, percent: int) -> None:
        """Drop this share of the packets that come, at random, until `heal`."""
        if not 0 < percent <= 100:
            raise ValueError(f"a loss of {percent} %: must be 1 to 100")
        self._rule("coming", f"numgen random mod 100 < {percent} counter drop")

    def narrow(self, kilobits: int) -> None:
        """Let this many kilobits a second out, until `heal`."""
        self._namespace.run(*f"tc qdisc replace dev eth0 root tbf rate {kilobits}kbit burst 16kb latency 400ms".split())

    def disturb(self, how: str) -> None:
        """Do to what goes out what `tc netem` says, e.g. `delay 200ms 20ms` or `duplicate 5%`, until `heal`.

        Unsupported where the kernel has no netem: Toxiproxy can delay instead.
        """
        need_netem()
        self._namespace.run("tc", "qdisc", "replace", "dev", "eth0", "root", "netem", *how.split())

    def _rule(self, chain: str, what: str) -> None:
        rules = "".join(
            f"add table inet zi\nadd chain inet zi {name} {{ type filter hook {hook} priority 0; }}\n"
            for name, hook in (("coming", "input"), ("going", "output"))
        )
        way = "iifname" if chain == "coming" else "oifname"
        self._namespace.run("nft", "-f", "-", given=f"{rules}add rule inet zi {chain} {way} eth0 {what}\n")
        self._disturbed = True

    def dropped(self) -> int:
        """Return how many packets `cut` and `lose` have dropped since `heal`."""
        told = self._namespace.run("nft", "list", "table", "inet", "zi") if self._disturbed else ""
        return sum(int(count) for count in re.findall(r"counter packets (\d+)", told))

    def heal(self) -> None:
        """Let everything through again, as fast as it can."""
        if self._disturbed:
            self._namespace.run("nft", "delete", "table", "inet", "zi")
            self._disturbed = False
        with contextlib.suppress(SetupFault):  # there is nothing to delete where nothing was set
            self._namespace.run("tc", "qdisc", "delete", "dev", "eth0", "root")

    def move(self) -> None:
        """Take another address; the old one is gone at once."""
        assert isinstance(self._lan, Switch)
        self._namespace.ip("address flush dev eth0")
        self._settle(self._lan.spare())

    def mtu(self, size: int) -> None:
        """Send packets of at most this many bytes (1280 to 9000); the switch must carry them too."""
        self._namespace.ip(f"link set eth0 mtu {size}")

    def unplug(self) -> None:
        """Take the link down: nothing comes or goes any more, and nobody is told."""
        self._namespace.ip("link set eth0 down")

    def plug(self) -> None:
        """Take the link up again."""
        own = self._lan.subnets.address(self._number)
        self._namespace.ip(
            "link set eth0 up",
            f"address replace {own['tcp6']}/64 dev eth0 nodad",  # Linux forgets these with the link
        )

    def close(self) -> None:
        """End every process inside, and the namespace with them."""
        if self._open:
            self._open = False
            for pid in self._namespace.pids():
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(pid).kill()
            self._namespace.close()


@cache
def need_netem() -> None:
    """Raise Unsupported where this kernel has no netem."""
    probe = Namespace()
    try:
        probe.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    except SetupFault:
        raise Unsupported("this kernel has no netem (module sch_netem): no jitter, duplication or reordering") from None
    finally:
        probe.close()
