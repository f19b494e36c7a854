"""The load study: which servers meet which clients, before and after tuning, and what came of each. `zmq-interop load`.

Each server under each kind of clients is a course of five rounds. With tuning there are two servers, and each step of
the one is followed by the same step of the other, so that the machine's other work hits both.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from harness.errors import PeerFault, Unsupported
from harness.measure import alone, curve, load, paired
from harness.measure.curve import Row, Step
from harness.measure.paired import Interval
from harness.model.verdicts import Verdict
from harness.peers.pool import Pool
from harness.peers.sockets import Link, Peer
from harness.places.descriptors import room_for

SERVERS: Final = ("pyzmq", "go-zeromq")
CLIENTS: Final = ("go-zeromq", "pebbe")
"""Who serves and who asks unless the user says otherwise: Go clients on a Python and on a Go server."""

ROUNDS: Final = paired.FEWEST
MOST: Final = 50_000
"""Clients: beyond this a machine has no ports left for them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured; `seconds` for each row."""

    counts: tuple[int, ...]
    servers: tuple[str, ...]
    clients: tuple[str, ...]
    seconds: float
    tuned: bool


def plan(
    counts: str, servers: Sequence[str], clients: Sequence[str], seconds: str, *, tuned: bool, known: Sequence[str]
) -> Plan:
    """Read what the user asked for; ValueError is one line with the option and what it takes."""
    for option, names in (("--server", servers), ("--client", clients)):
        for name in names:
            if name not in known:
                raise ValueError(f"{option} {name}: no such peer; there are {', '.join(known)}")
    numbers = [_whole(text.strip(), counts) for text in counts.split(",")]
    try:
        duration = float(seconds.removesuffix("s"))
    except ValueError:
        duration = math.nan
    if not 0.1 <= duration <= 3600:
        raise ValueError(f"--for {seconds}: must be a number of seconds for each row, from 0.1 to 3600")
    return Plan(
        tuple(sorted(set(numbers))),
        tuple(dict.fromkeys(servers)) or SERVERS,
        tuple(dict.fromkeys(clients)) or CLIENTS,
        duration,
        tuned,
    )


def _whole(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise ValueError(f"--clients {whole}: must be numbers of clients from 1 to {MOST:,} with commas between them")
    return int(text)


@dataclass(slots=True)
class Course:
    """One server under one kind of clients. `tuned` says with what; None is the libraries' default.

    `steps` are the rounds of the table, each row about equally long; in `costs` each client asks equally often.
    """

    client: str
    server: str
    tuned: str | None
    versions: dict[str, str]
    steps: list[tuple[int, Step]] = field(default_factory=list)
    costs: list[tuple[int, Step]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    broken: bool = False

    def at(self, clients: int) -> list[Step]:
        """Return the rounds at one number of clients."""
        return [step for _, step in self.steps if step.clients == clients]

    @property
    def rows(self) -> list[Row]:
        """A row for each number of clients that has all its rounds, and an answer in each."""
        counts = sorted({step.clients for _, step in self.steps})
        every = {clients: self.at(clients) for clients in counts}
        return [
            curve.row(steps)
            for steps in every.values()
            if len(steps) >= ROUNDS and all(step.answered for step in steps)
        ]

    @property
    def bend(self) -> int | None:
        """The number of clients at which the curve bends."""
        return curve.bend([(row.clients, row.rate.mid) for row in self.rows])

    @property
    def growth(self) -> tuple[Verdict, str]:
        """Whether the cost grows no faster than the clients."""
        rounds: dict[int, list[Step]] = defaultdict(list)
        for number, step in self.costs:
            rounds[number].append(step)
        counts = {step.clients for _, step in self.costs}
        try:
            grown = curve.growth([steps for steps in rounds.values() if len(steps) == len(counts)])
        except ValueError as error:
            return Verdict.INCONCLUSIVE, str(error)
        return curve.linear(grown)

    @property
    def good(self) -> bool:
        """Whether every request had its answer and the cost is not known to grow faster than the clients."""
        wrong = any(step.errors for _, step in (*self.steps, *self.costs))
        return not (self.broken or wrong or self.growth[0] is Verdict.FAIL)

    def to_json(self) -> dict[str, Any]:
        """Spell the course: everything the table shows, and each step with its histogram."""
        verdict, why = self.growth
        return {
            "client": self.client,
            "server": self.server,
            "tuned": self.tuned,
            "versions": self.versions,
            "problems": self.problems,
            "bend": self.bend,
            "growth": {"verdict": str(verdict), "text": why},
            "rows": [{**asdict(row), "error_percent": row.error_percent} for row in self.rows],
            "steps": [{"round": number, **asdict(step)} for number, step in self.steps],
            "costs": [{"round": number, **asdict(step)} for number, step in self.costs],
        }


def effect(before: Course, after: Course, clients: int) -> tuple[Interval, Interval] | None:
    """Return what tuning made of answers a second and of P95, as multiples; None without all rounds of both."""
    one, other = before.at(clients), after.at(clients)
    if min(len(one), len(other)) < ROUNDS or not all(step.answered for step in (*one, *other)):
        return None
    rates = paired.ratios([step.rate for step in other], [step.rate for step in one])
    tails = paired.ratios([step.percentile(95) for step in other], [step.percentile(95) for step in one])
    return paired.median_interval(rates), paired.median_interval(tails)


def study(pool: Pool, plan: Plan, tell: Callable[[str], None] = lambda text: None) -> Iterator[list[Course]]:
    """Measure; yields each pair's courses when it is done: the default one and, where asked for, the tuned one.

    While a pair is measured no other measurement of this harness runs; between pairs others get their turn. What a peer
    does wrong or can't do stands in its course. `tell` is told where it is.
    """
    for server in plan.servers:
        for client in plan.clients:
            tell("waiting for other measurements to end")
            with alone.turn(alone=True):
                courses = list(_pair(pool, plan, client, server, tell))
            yield courses


def _pair(pool: Pool, plan: Plan, client: str, server: str, tell: Callable[[str], None]) -> Iterator[Course]:
    name = f"{client} > {server}"
    tell(f"{name}: building and starting")
    started: list[Peer] = []
    try:
        with room_for(load.descriptors("libzmq", max(plan.counts))) as may:
            running: list[tuple[Course, Iterator[str]]] = []
            for tuned in (False, True) if plan.tuned else (False,):
                serving, asking = pool.start(server), pool.start(client)
                started += [serving, asking]
                tuning = load.tuning(serving) if tuned else load.DEFAULT
                versions = {peer.implementation: peer.description for peer in (serving, asking)}
                course = Course(client, server, tuning.applied if tuned else None, versions)
                running.append((course, _steps(course, plan, serving, asking, tuning, may)))
        while running:
            for course, steps in list(running):
                done = next(steps, None)
                if done is None:
                    running.remove((course, steps))
                    yield course
                else:
                    tell(f"{name}: {done}")
    finally:
        for peer in started:
            peer.client.stop()


def _steps(course: Course, plan: Plan, server: Peer, client: Peer, tuning: load.Tuning, may: int) -> Iterator[str]:
    """Measure a course step by step; yields where it is. What ends it early, or leaves out numbers, is noted in it."""
    try:
        bench = load.Bench(server, client, Link("tcp4", "right-binds"), may, tuned=tuning)
        counts = []
        for number in plan.counts:
            try:
                bench.check(number)
            except Unsupported as reason:
                course.problems.append(f"unsupported: {reason}")
            else:
                counts.append(number)
        if not counts:
            return
        for at, step in load.rounds(bench, counts, plan.seconds / ROUNDS, ROUNDS, look=True):
            course.steps.append((at, step))
            yield f"{step.clients:,} clients, round {at + 1} of {ROUNDS}"
        for at, step in load.costs(bench, counts, ROUNDS) if len(counts) > 1 else ():
            course.costs.append((at, step))
            yield f"the cost of {step.clients:,} clients, round {at + 1} of {ROUNDS}"
    except Unsupported as reason:
        course.problems.append(f"unsupported: {reason}")
    except PeerFault as fault:
        course.broken = True
        course.problems.append(f"{fault.verdict}: {fault}")
        with suppress(PeerFault):
            server.client.kill()
