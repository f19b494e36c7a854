"""Judging one cell: run its check on two peers, close everything, and say what came of it.

The check is a test function; what it needs is handed to it by name (`left`, `right`, `link`, `payload`, `cell`,
`peers`). This file turns how it ended into a verdict, holds failures against the known issues, and finds out whom
to blame by running the same check left↔left and right↔right. It knows neither pytest's reports nor the run store.
"""

from __future__ import annotations

import inspect
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import pytest

from harness.errors import CallFailed, ContractBreach, Inconclusive, PeerFault, PeerHang, SetupFault, Unsupported
from harness.model.figures import Figures
from harness.model.known import KnownIssue, expected
from harness.model.matrix import Cell
from harness.model.patterns import MIXED, PATTERNS
from harness.model.verdicts import Verdict, blame, worst
from harness.peers.pool import Pool
from harness.peers.sockets import Link, Peer
from harness.places.face import Place
from harness.wire.record import Recording
from harness.wire.straight import Straight
from harness.wire.tap import Tap

SYSTEM: Final = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}.get(platform.system(), "other")


class Record(StrEnum):
    """Which cells run under the recorder: none, those that failed unexpectedly (once more), or all."""

    NONE = "none"
    FAILURES = "failures"
    ALL = "all"

    @classmethod
    def named(cls, text: str) -> Record:
        """Return the choice that a user made; ValueError says what there is."""
        try:
            return cls(text)
        except ValueError:
            raise ValueError(f"--record {text}: no such choice; there are {', '.join(cls)}") from None


@dataclass(slots=True)
class Wire:
    """What a recorder saw of a cell's run, and how that run ended (None: there was none).

    `again` says that it was a second run; `notes` say what was not recorded and why, `files` where the record lies.
    """

    recordings: list[Recording] = field(default_factory=list)
    verdict: Verdict | None = None
    reason: str = ""
    again: bool = False
    notes: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def about(self) -> list[str]:
        """Say how the recorded run ended, and what is not recorded and why, in lines."""
        if self.verdict is None:
            return self.notes
        run = "run again under the recorder it" if self.again else "run under the recorder it"
        what = "did not fail" if self.again and self.verdict is Verdict.PASS else "ended as"
        ended = f"{self.verdict}: {self.reason}" if self.reason else str(self.verdict)
        return [" ".join(f"{run} {what}{':' if what == 'did not fail' else ''} {ended}".split()), *self.notes]


@dataclass(slots=True)
class Outcome:
    """How a check ended."""

    verdict: Verdict
    reason: str = ""
    error: BaseException | None = None
    seconds: float = 0.0
    issue: KnownIssue | None = None
    blame: str = ""
    figures: Figures = field(default_factory=Figures)
    peers: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    wire: Wire | None = None


class Crowd:
    """Hands peers to topologies: as many processes as asked for, of the cell's own implementations."""

    def __init__(self, run: CellRun) -> None:
        self._run = run

    def left(self, count: int) -> list[Peer]:
        """Return `count` peers for the left role; of all implementations in turn if the cell says `mixed`."""
        return self._some("left", self._run.cell.left, count)

    def right(self, count: int) -> list[Peer]:
        """Return `count` peers for the right role."""
        return self._some("right", self._run.cell.right, count)

    def fresh(self, side: str, place: Place | None = None) -> Peer:
        """Start a process of this cell's own for a side, to pause, kill or abuse; it ends with the cell.

        `place` is where, if not where the cell says: that of a firewall.
        """
        return self._run.start(getattr(self._run.cell, side), side, place)

    def other(self, name: str) -> Peer | None:
        """Start a process of some implementation, for comparison; None where this run leaves it out."""
        return self._run.start(name) if name in self._run.pool.manifests else None

    def _some(self, side: str, name: str, count: int) -> list[Peer]:
        if name != MIXED:
            return [self._run.take(name, side)] * count
        names = list(self._run.pool.manifests)
        return [self._run.take(other, side) for other in islice(cycle(names), count)]


class CellRun:
    """One attempt at a cell: the peers it took from the pool, and how they are given back."""

    def __init__(self, cell: Cell, pool: Pool, tap: Straight | None = None) -> None:
        self.cell = cell
        self._tap = tap or Straight()
        self._patience = pool.patience
        self._grace = 2 * pool.patience
        self.pool = pool
        self.pattern = PATTERNS[cell.pattern]
        self.taken: dict[Peer, str] = {}
        self._before: dict[Peer, Mapping[str, Any]] = {}
        self.fresh: list[Peer] = []
        self.figures = Figures()

    def take(self, name: str, side: str) -> Peer:
        """Take a peer for this cell. Both ends of an inproc link live in one process."""
        peer = self.pool.peer(name, "left" if self.link.transport.one_peer else side, self.cell.places)
        if peer not in self.taken:
            self._prepare(peer, side)
        return peer

    def start(self, name: str, side: str = "left", place: Place | None = None) -> Peer:
        """Start a peer that no other cell uses."""
        own = self.pool.start_in(place, name) if place else None
        peer = own or self.pool.start(name, slot=side, places=self.cell.places)
        self.fresh.append(peer)
        self._prepare(peer, "fresh")
        return peer

    def _prepare(self, peer: Peer, side: str) -> None:
        self.taken[peer] = side
        self._before.setdefault(peer, peer.counted)
        peer.client.patience = self._patience
        peer.client.grace = self._grace
        peer.tap = self._tap

    @property
    def link(self) -> Link:
        """The cell's link."""
        return Link(self.cell.transport, self.cell.binds, context=self.cell.id)

    def arguments(self, names: Sequence[str]) -> dict[str, Any]:
        """Return what a check asks for, by its parameters' names. Unsupported before anything is opened."""
        makers: dict[str, Callable[[], Any]] = {
            "cell": lambda: self.cell,
            "pattern": lambda: self.pattern,
            "link": lambda: self.link,
            "payload": lambda: self.cell.payload,
            "peers": lambda: Crowd(self),
            "figures": lambda: self.figures,
            "left": lambda: self.take(self.cell.left, "left"),
            "right": lambda: self.take(self.cell.right, "right"),
        }
        self.pool.quarters.admit(self.cell)
        given = {name: makers[name]() for name in names if name in makers}
        for side in ("left", "right"):
            if side in given:
                given[side].need("socket_types", getattr(self.pattern, side))
                given[side].need("transports", self.link.transport.capability)
        return given

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the implementations that play, and of libzmq below them, as `pebbe/libzmq`."""
        versions = {peer.implementation: peer.version for peer in self.taken}
        for peer in self.taken:
            name, _, version = peer.library.partition(" ")
            if name == "libzmq":
                versions[f"{peer.implementation}/{name}"] = version
        return versions

    def hasten(self, verdict: Verdict) -> None:
        """Wait only briefly for messages from now on, as this verdict is expected; for answers, if it is a hang."""
        self._patience = min(self._patience, KNOWN_PATIENCE)
        if verdict is Verdict.HANG:
            self._grace = 2 * self._patience
        for peer, side in self.taken.items():
            self._prepare(peer, side)

    def close(self) -> None:
        """Close all sockets and see that nothing is left open; raises a PeerFault."""
        alive = [peer for peer in self.taken if not peer.client.ended]
        for call in [call for peer in alive for call in peer.start_closing()]:
            call.result()
        for peer, count in [(peer, peer.count_open()) for peer in alive]:
            peer.refuse_leftovers(count.result())
        for peer in self.fresh:
            if not peer.client.ended and (wrongs := peer.client.stop()):
                raise ContractBreach("; ".join(wrongs))

    def stacks(self) -> dict[str, str]:
        """Return where each peer that still answers stands, by title."""
        found = {}
        for peer, side in self.taken.items():
            if not peer.client.ended and peer.client.broken is None and peer.can("features", "dump"):
                with suppress(PeerFault):
                    found[f"stacks of {peer.implementation} ({side})"] = str(peer.client.call("dump")["text"])
        return found

    def counters(self) -> dict[str, str]:
        """Return what each peer counted before this cell and after it, as far as it did, by title."""
        return {
            f"statistics of {peer.implementation} ({side})": f"before: {_told(self._before[peer])}\n"
            f"after:  {_told(peer.counted)}"
            for peer, side in self.taken.items()
        }

    def discard(self) -> None:
        """Throw the peers away."""
        for peer in self.taken:
            self.pool.discard(peer)

    def end_fresh(self) -> None:
        """End what this cell started and is still there."""
        for peer in self.fresh:
            if not peer.client.ended:
                peer.client.kill()


def _stands_still(error: BaseException | None) -> bool:
    """Whether a check failed because something did not come."""
    return isinstance(error, PeerHang) or (isinstance(error, CallFailed) and error.name == "timeout")


def _told(counters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in counters.items()) or "not asked"


NAMES: Final = frozenset({"cell", "pattern", "link", "payload", "peers", "figures", "left", "right"})
"""The parameters that a check may ask for."""


KNOWN_PATIENCE: Final = 0.5
"""Seconds that a message may take where a known issue says that it will never come."""


def attempt(
    cell: Cell,
    pool: Pool,
    check: Callable[..., object],
    extra: Mapping[str, Any],
    known: Sequence[KnownIssue] = (),
    tap: Straight | None = None,
) -> Outcome:
    """Run a check once. SetupFault passes through; everything else becomes an outcome.

    Where one of the `known` issues says that a message never comes, it is not waited for as long as elsewhere. A `tap`
    is asked where the cell's peers connect to.
    """
    run = CellRun(cell, pool, tap)
    started = time.perf_counter()
    outcome = Outcome(Verdict.PASS)
    hopeless = False
    wanted = [name for name in inspect.signature(check).parameters if name not in extra]
    with _judged(outcome):
        given = run.arguments(wanted)
        versions = run.versions
        for issue in known:
            if issue.holds(cell, versions, SYSTEM) and not issue.sometimes:
                run.hasten(issue.verdict)
                hopeless = True
        check(**given, **extra)
    stood = {} if hopeless or not _stands_still(outcome.error) else run.stacks()
    closing = Outcome(Verdict.PASS)
    with _judged(closing):
        run.close()
    # A peer that hangs or crashes on closing is worse than a wrong message; a second failure adds nothing.
    verdicts = (outcome.verdict, closing.verdict)
    if closing.verdict not in (Verdict.PASS, outcome.verdict) and worst(verdicts) is closing.verdict:
        outcome = closing
    outcome.seconds = time.perf_counter() - started
    outcome.figures = run.figures
    outcome.peers = [peer.description for peer in run.taken]
    outcome.versions = run.versions
    if outcome.error is not None:
        outcome.evidence |= stood
        if not hopeless:
            outcome.evidence |= run.counters()
        outcome.logs = {
            f"{side}, {peer.description}": tail for peer, side in run.taken.items() if (tail := peer.client.log_tail())
        }
    broken = any(peer.client.broken for peer in run.taken)
    if broken or closing.verdict is not Verdict.PASS or isinstance(outcome.error, ContractBreach):
        run.discard()
    run.end_fresh()
    return outcome


@contextmanager
def _judged(outcome: Outcome) -> Iterator[None]:
    try:
        yield
    except Unsupported as reason:
        outcome.verdict, outcome.reason = Verdict.UNSUPPORTED, str(reason)
    except Inconclusive as reason:
        outcome.verdict, outcome.reason = Verdict.INCONCLUSIVE, str(reason)
    except SetupFault:
        raise
    except PeerFault as fault:
        outcome.verdict, outcome.reason, outcome.error = Verdict(fault.verdict), str(fault), fault
        outcome.evidence = dict(fault.evidence)
    except (Exception, pytest.fail.Exception) as error:
        outcome.verdict, outcome.error = Verdict.FAIL, error
        outcome.reason = str(error) or type(error).__name__


def judge(
    cell: Cell,
    pool: Pool,
    check: Callable[..., object],
    extra: Mapping[str, Any],
    known: Sequence[KnownIssue],
    record: Record = Record.NONE,
    unrecorded: str = "",
) -> Outcome:
    """Run a check, and say what its outcome means: known, fixed, or news (then with blame).

    `record` says when the outcome gets a record of what crossed the wire; `unrecorded` is why this check can have none.
    """
    under = recorded if record is Record.ALL and not unrecorded else attempt
    outcome = under(cell, pool, check, extra, known)
    if record is Record.ALL and unrecorded:
        outcome.wire = Wire(notes=[f"not recorded: {unrecorded}"])
    if outcome.verdict in (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE):
        return outcome
    outcome.verdict, outcome.issue = expected(known, cell, outcome.versions, SYSTEM, outcome.verdict, outcome.reason)
    if outcome.verdict is Verdict.FIXED:
        assert outcome.issue is not None
        outcome.reason = f"known issue {outcome.issue.name!r} did not happen: remove or narrow its entry"
    if not outcome.verdict.expected and outcome.verdict is not Verdict.FIXED:
        if record is Record.FAILURES and unrecorded:
            outcome.wire = Wire(notes=[f"not recorded: {unrecorded}"])
        elif record is Record.FAILURES:
            outcome.wire = recorded(cell, pool, check, extra, known, again=True).wire
        outcome.blame = _blame(cell, pool, check, extra)
    return outcome


def recorded(
    cell: Cell,
    pool: Pool,
    check: Callable[..., object],
    extra: Mapping[str, Any],
    known: Sequence[KnownIssue] = (),
    *,
    again: bool = False,
) -> Outcome:
    """Run a check once with a recorder before each endpoint that is connected to; `wire` holds its record."""
    tap = Tap(raw=PATTERNS[cell.pattern].byte_stream)
    try:
        outcome = attempt(cell, pool, check, extra, known, tap)
    finally:
        recordings, notes = tap.stop()
    outcome.wire = Wire(recordings, outcome.verdict, outcome.reason, again, notes)
    return outcome


def _blame(cell: Cell, pool: Pool, check: Callable[..., object], extra: Mapping[str, Any]) -> str:
    if MIXED in (cell.left, cell.right):
        return ""
    fails = {
        name: attempt(cell.control(name), pool, check, extra).verdict not in (Verdict.PASS, Verdict.UNSUPPORTED)
        for name in dict.fromkeys((cell.left, cell.right))
    }
    return blame(cell.left, cell.right, fails[cell.left], fails[cell.right])
