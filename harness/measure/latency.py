"""Round trips between two peers, measured in blocks that alternate with blocks of a floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.measure.histogram import Latency, latency
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer, RemoteSocket

WARMUP: Final = 50

DEADLINE_MS: Final = 60_000.0
"""For one block: far beyond anything that is still worth measuring."""


@dataclass(frozen=True, slots=True)
class Rig:
    """Two connected sockets: one pings, the other echoes."""

    pings: RemoteSocket
    echoes: RemoteSocket
    echo_params: Mapping[str, Any] = field(default_factory=dict)

    def block(self, count: int, size: int, rate: float | None = None) -> Latency:
        """Send `count` messages there and back after a warm-up; lock-step, or `rate` a second."""
        planned = {} if rate is None else {"rate": rate}
        echoing = self.echoes.work("echo", timeout=DEADLINE_MS, count=count + WARMUP, **self.echo_params)
        pinging = self.pings.work("ping", timeout=DEADLINE_MS, count=count, size=size, warmup=WARMUP, **planned)
        result = pinging.result()
        echoing.result()
        return latency(result)


def subject(left: Peer, right: Peer, link: Link, pattern: Pattern) -> Rig:
    """Connect a left that pings and a right that echoes, by the pattern's own sockets."""
    return Rig(*link.open((left, pattern.left), (right, pattern.right)))


def raw(left: Peer, right: Peer, link: Link, size: int) -> Rig:
    """Connect the same two processes by plain sockets."""
    return Rig(*link.open((left, "RAW"), (right, "RAW")), {"size": size})


def interleaved(
    rigs: Mapping[str, Rig], blocks: int, count: int, size: int, rate: float | None = None
) -> dict[str, list[Latency]]:
    """Measure blocks of every rig in turn; the order turns round from block to block."""
    rows: dict[str, list[Latency]] = {name: [] for name in rigs}
    order = list(rigs)
    for _ in range(blocks):
        for name in order:
            rows[name].append(rigs[name].block(count, size, rate))
        order.reverse()
    return rows
