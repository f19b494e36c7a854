"""The tuning study itself, thin: blocks of both sides in turn, for each peer and factor.

A factor's blocks hold the machine alone (`harness.measure.alone`); between two factors others get their turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from harness.errors import Inconclusive, PeerFault, Unsupported
from harness.host import affinity
from harness.measure import alone
from harness.measure.paired import FEWEST
from harness.measure.tune import factors as table
from harness.measure.tune import rig
from harness.measure.tune.effects import Effect, effects
from harness.measure.tune.factors import Factor
from harness.measure.tune.rig import Load, Side, Start
from harness.peers.pool import Pool
from harness.peers.sockets import Peer

BLOCKS: Final = 10
QUICK_BLOCKS: Final = 5
PEERS: Final = ("go-zeromq", "pebbe")
"""What is studied by default: the Go libraries, which all three steps are about."""


@dataclass(slots=True)
class Result:
    """What was found of one factor with one peer on both ends, and the seconds that took, without waiting.

    `skipped` says why there is nothing, or not all.
    """

    peer: str
    factor: Factor
    skipped: str = ""
    seconds: float = 0.0
    default: dict[str, list[float]] = field(default_factory=dict)
    changed: dict[str, list[float]] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)

    @property
    def blocks(self) -> int:
        """Blocks that both sides have."""
        return min((len(row) for row in (*self.default.values(), *self.changed.values())), default=0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: a list of (peer, factor) in order, and how much of it."""

    rows: Sequence[tuple[str, Factor]]
    blocks: int
    load: Load


def plan(
    step: str,
    names: Sequence[str],
    blocks: str | None,
    quick: bool,
    known: Sequence[str],
    changes: Sequence[str] = (),
) -> Plan:
    """Read the command's options; ValueError is one line that says which one is wrong and what is right."""
    for name in names:
        if name not in known:
            raise ValueError(f"--peer {name}: no such peer; there are {', '.join(known)}")
    chosen = table.with_placebos(table.select(step, changes))
    count = QUICK_BLOCKS if quick else BLOCKS
    if blocks is not None:
        if not blocks.isascii() or not blocks.isdigit() or not FEWEST <= int(blocks) <= 1000:
            raise ValueError(f"--blocks {blocks}: must be a number from {FEWEST} to 1000")
        count = int(blocks)
    wanted = dict.fromkeys(names) or [name for name in PEERS if name in known]
    if not wanted:
        raise ValueError(f"--peer: none of {', '.join(PEERS)} is here; name one of {', '.join(known)}")
    return Plan([(name, factor) for name in wanted for factor in chosen], count, rig.QUICK if quick else rig.FULL)


def interleaved(default: Start, changed: Start, blocks: int, load: Load, into: Result) -> None:
    """Measure both sides of a factor in turn into `into`; the order turns round from block to block.

    Raises PeerFault and Unsupported. Only whole blocks are kept, so that an interrupted study has pairs.
    """
    factor = into.factor
    sides = [(Side(default, factor.default), into.default), (Side(changed, factor.changed), into.changed)]
    for _ in range(blocks):
        found = rig.block([side for side, _ in sides], factor, load)
        for (_, rows), values in zip(sides, found, strict=True):
            for name, value in values.items():
                rows.setdefault(name, []).append(value)
        sides.reverse()


class Study:
    """A run under way: `results` holds what was found so far, whatever ends it. `tell` is told what it is doing."""

    def __init__(self, pool: Pool, plan: Plan, tell: Callable[[str], object]) -> None:
        self._pool = pool
        self._plan = plan
        self._tell = tell
        self.results: list[Result] = []
        self.peers: dict[str, str] = {}
        self.timers: dict[str, float] = {}
        self.whole = False
        self._capabilities: dict[str, Mapping[str, Sequence[str]]] = {}

    def run(self) -> None:
        """Work the plan. Raises SetupFault for a peer that can't start.

        Ctrl-C ends it early: what was measured until then stays, and `whole` is false.
        """
        try:
            for number, (name, factor) in enumerate(self._plan.rows, 1):
                what = f"{number} of {len(self._plan.rows)}: {name}, {factor.name}"
                if name not in self._capabilities:
                    self._tell(f"{what}: starting {name}")
                    self._meet(name)
                result = Result(name, factor)
                self.results.append(result)
                self._measure(result, what)
            self.whole = True
        except KeyboardInterrupt:
            return

    def _meet(self, name: str) -> None:
        peer = self._pool.start(name)
        try:
            self.peers[name] = peer.description
            self._capabilities[name] = peer.capabilities
            if peer.can("features", "timer"):
                self.timers[name] = sorted(peer.timer(1) for _ in range(5))[2]
        finally:
            peer.client.stop()

    def _measure(self, result: Result, what: str) -> None:
        name, factor = result.peer, result.factor
        language = self._pool.manifests[name].language
        result.skipped = table.lacks(factor, self._capabilities[name], language, _cores())
        if result.skipped:
            return
        start: Callable[[Mapping[str, str]], Peer] = partial(self._pool.start, name)
        started = time.perf_counter()
        try:
            self._tell(f"{what}: waiting for other measurements to end")
            with alone.turn(alone=True):
                self._tell(what)
                started = time.perf_counter()
                interleaved(start, start, self._plan.blocks, self._plan.load, result)
        except (PeerFault, Unsupported, Inconclusive) as error:
            result.skipped = str(error).splitlines()[0]
        finally:
            result.seconds = time.perf_counter() - started
            result.effects = effects(result.default, result.changed, self._placebo(result))

    def _placebo(self, result: Result) -> Mapping[str, Effect] | None:
        mine = table.PLACEBOS[table.placebo(result.factor)]
        if result.factor is mine:
            return effects(result.default, result.changed)  # nothing is beyond itself
        return next((row.effects for row in self.results if row.peer == result.peer and row.factor is mine), None)


def _cores() -> int:
    try:
        return len(affinity.cores())
    except Unsupported:
        return 1
