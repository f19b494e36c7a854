"""Throughput: floods from one peer to another, message by message accounted for, in blocks beside a reference.

Each flood has a source number of its own. Where a pattern may lose messages, a few more follow it until the receiver
has as many as it waits for, so that nobody waits for what never comes; they have the source number 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.measure import paired
from harness.peers.client import PendingCall
from harness.peers.sockets import RemoteSocket

BLOCKS: Final = 7
_LATE: Final = 0.05  # s after the end of a flood that its last message may take before more follow it
_FILLING, _FILLER = 200, 64
"""Messages, and their bytes, that follow a flood at once, again and again while some are missing."""

_ENDS: Final = 4


@dataclass(frozen=True, slots=True)
class Block:
    """What came of one flood: how many messages a second came, and what happened to the others."""

    rate: float
    lost: int
    wrong: Mapping[str, int]
    """`missing`, `doubled`, `reordered` and `foreign` (of an earlier flood), those that are not 0."""


@dataclass(slots=True)
class Pipe:
    """A socket that floods and one that drains. `lossy` if the pattern may drop what comes too fast."""

    sender: RemoteSocket
    receiver: RemoteSocket
    lossy: bool = False
    _floods: int = 0

    def block(self, count: int, size: int) -> Block:
        """Flood `count` messages of `size` bytes; a PeerFault if they are not all received, lost ones aside."""
        self._floods += 1
        draining = self.receiver.work("drain", count=count)
        self.sender.work("flood", count=count, size=size, source=self._floods).result()
        filled = self.lossy and self._fill(draining)
        result = draining.result()
        if filled:
            self._flush()
        return account(result, count, self._floods, lossy=self.lossy)

    def _fill(self, draining: PendingCall) -> bool:
        """Send more until the receiver has enough; returns whether that was needed."""
        needed = False
        while not draining.done(_LATE):
            needed = True
            self.sender.work("flood", count=_FILLING, size=_FILLER, source=0).result()
        return needed

    def _flush(self) -> None:
        """Receive what is left of the filling: all before the last of some numbered ends, of which few get lost."""
        waiting = self.receiver.recv_later()
        for end in range(_ENDS):
            self.sender.send("end", str(end))
            while waiting.done(self.receiver.peer.wait_ms / 1000 / _ENDS):
                if waiting.messages()[0] == ["end", str(end)]:
                    return
                waiting = self.receiver.recv_later()
        waiting.messages()  # nothing comes any more: its error says so


def account(result: Mapping[str, Any], count: int, flood: int, *, lossy: bool) -> Block:
    """Read the answer to `drain`. What a lossy pattern dropped, and what filled the gap, is not wrong."""
    sources: dict[str, Mapping[str, int]] = dict(result["sources"])
    own = sources.pop(str(flood), {"received": 0, "missing": 0, "doubled": 0, "reordered": 0})
    if lossy:
        sources.pop("0", None)
    wrong = {name: own[name] for name in ("missing", "doubled", "reordered") if own[name]}
    if foreign := sum(source["received"] for source in sources.values()):
        wrong["foreign"] = foreign
    lost = count - (own["received"] - own["doubled"])
    if lossy:
        wrong.pop("missing", None)
    return Block(own["received"] / (result["ns"] / 1e9), lost, wrong)


def interleaved(pipes: Mapping[str, Pipe], blocks: int, count: int, size: int) -> dict[str, list[Block]]:
    """Flood every pipe in turn; the order turns round from block to block. One block each warms up."""
    rows: dict[str, list[Block]] = {name: [] for name in pipes}
    order = list(pipes)
    for pipe in pipes.values():
        pipe.block(max(1, count // 10), size)
    for _ in range(blocks):
        for name in order:
            rows[name].append(pipes[name].block(count, size))
        order.reverse()
    return rows


def figures(subject: Sequence[Block], reference: Sequence[Block], size: int) -> dict[str, float]:
    """Return messages a second and MB/s, with the multiple of a reference. More is better: names end with `/s`."""
    found: dict[str, float] = {}
    rate = paired.median_interval([block.rate for block in subject])
    rows = {"messages/s": rate}
    if reference:
        pairs = paired.ratios([block.rate for block in subject], [block.rate for block in reference])
        rows["×pyzmq>pyzmq messages/s"] = paired.median_interval(pairs)
    for name, interval in rows.items():
        found |= {name: interval.mid, f"{name} low": interval.low, f"{name} high": interval.high}
    found["MB/s"] = rate.mid * size / 1e6
    return {name: float(f"{value:.4g}") for name, value in found.items()}
