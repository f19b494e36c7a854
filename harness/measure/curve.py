"""Load curves: what many clients at once cost a server, where the curve bends, and how the cost grows. Pure.

Every client asks, waits for the answer and asks again (a closed loop), so Little's law holds: the clients are the
product of the answers a second and the time that one takes. k times as many clients are shared out between more
answers and longer waits; from the bend on, most of them only wait.

The cost of N clients is the server's processor time while each of them connects and asks equally often: what the
machine does beside it lengthens waits, and leaves that nearly alone. It grows as a power of N, whose exponent is 1
where every client costs the same.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hdrh.histogram import HdrHistogram

from harness.measure import histogram, paired
from harness.measure.paired import Interval
from harness.model.verdicts import Verdict

LIMIT: Final = 1.3
"""The largest exponent that counts as linear: ten times as many clients at most double what each of them costs. Caches
that become too small cost some of that; what walks over all clients for each of them has 2."""

_EVEN: Final = 0.5  # as much of k times the clients goes into more answers as into longer waits


@dataclass(frozen=True, slots=True)
class Step:
    """One round at one number of clients.

    `answered` counts right answers, `errors` what went wrong, by the contract's names; `encoded` is the histogram of
    round trips in ns; processor times are in seconds and hold the connecting too; memory is in bytes, the most that
    was seen above what the process had before its first client, None where nobody looked.
    """

    clients: int
    seconds: float
    answered: int
    errors: Mapping[str, int]
    encoded: str
    server_cpu: float = 0.0
    client_cpu: float = 0.0
    server_memory: int | None = None
    client_memory: int | None = None

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    def percentile(self, rank: float) -> float:
        """Return a percentile of the round trips in ms; `rank` is 0 to 100."""
        return float(histogram.decode(self.encoded).get_value_at_percentile(rank)) / 1e6


@dataclass(frozen=True, slots=True)
class Row:
    """All rounds at one number of clients. Times in ms, processor times in µs a request, memory in KiB a client."""

    clients: int
    rate: Interval
    p50: float
    p95: float
    p99: float
    answered: int
    errors: Mapping[str, int]
    server_cpu: float
    client_cpu: float
    server_memory: float | None
    client_memory: float | None

    @property
    def error_percent(self) -> float:
        """Requests that had no right answer, of a hundred."""
        wrong = sum(self.errors.values())
        return 100 * wrong / (self.answered + wrong) if self.answered + wrong else 0.0


def row(steps: Sequence[Step]) -> Row:
    """Sum up the rounds at one number of clients. ValueError if there are too few of them for an interval."""
    total = HdrHistogram(histogram.LOWEST, histogram.HIGHEST, histogram.DIGITS)
    for step in steps:
        total.add(histogram.decode(step.encoded))
    wrong: Counter[str] = Counter()
    for step in steps:
        wrong.update(step.errors)
    answered = sum(step.answered for step in steps)
    clients = steps[0].clients
    p50, p95, p99 = (total.get_value_at_percentile(rank) / 1e6 for rank in (50.0, 95.0, 99.0))
    return Row(
        clients,
        paired.median_interval([step.rate for step in steps]),
        p50,
        p95,
        p99,
        answered,
        dict(wrong),
        _each(sum(step.server_cpu for step in steps), answered),
        _each(sum(step.client_cpu for step in steps), answered),
        _least([step.server_memory for step in steps], clients),
        _least([step.client_memory for step in steps], clients),
    )


def _each(seconds: float, answered: int) -> float:
    return 1e6 * seconds / answered if answered else 0.0


def _least(seen: Sequence[int | None], clients: int) -> float | None:
    """Return KiB a client: the least of all rounds, for a process keeps what a larger round before made it take."""
    known = [value for value in seen if value is not None]
    return max(0, min(known)) / clients / 1024 if known else None


def bend(points: Sequence[tuple[int, float]]) -> int | None:
    """Return the clients at which the curve bends, from (clients, answers a second); None if it never does.

    It is the first point from which k times as many clients get less than √k times as many answers a second: more of
    the added clients wait than are served.
    """
    ordered = sorted(points)
    for (few, slower), (many, faster) in itertools.pairwise(ordered):
        if math.log(faster / slower) < _EVEN * math.log(many / few):
            return few
    return None


@dataclass(frozen=True, slots=True)
class Growth:
    """How the cost grows where it grows most: the power of the clients, from `few` to `many` of them."""

    few: int
    many: int
    power: Interval

    def __str__(self) -> str:
        return f"from {self.few:,} to {self.many:,} clients the cost grows as N^{self.power}"


def exponent(few: Step, many: Step) -> float:
    """Return the power of the clients with which the server's processor time grows from one step to another."""
    return math.log(many.server_cpu / few.server_cpu) / math.log(many.clients / few.clients)


def growth(rounds: Sequence[Sequence[Step]]) -> Growth:
    """Return how the cost grows between two neighbouring numbers of clients, where that is most.

    Each round has a step for each number, and every client must have asked equally often. ValueError for a single
    number, or if a step's processor time is too short for the clock.
    """
    if any(step.server_cpu <= 0 for one in rounds for step in one):
        raise ValueError("the processor time of a step is too short for this system's clock")
    powers: dict[tuple[int, int], list[float]] = defaultdict(list)
    for one in rounds:
        for few, many in itertools.pairwise(sorted(one, key=lambda step: step.clients)):
            powers[few.clients, many.clients].append(exponent(few, many))
    if not powers:
        raise ValueError("growth needs two different numbers of clients")
    found = [Growth(*ends, paired.median_interval(each)) for ends, each in powers.items()]
    return max(found, key=lambda growth: growth.power.mid)


def linear(found: Growth) -> tuple[Verdict, str]:
    """Say whether the cost grows no faster than the clients do; pass, fail or inconclusive, and why."""
    if found.power.low > LIMIT:
        return Verdict.FAIL, f"{found}; up to N^{LIMIT:g} is linear"
    if found.power.high > LIMIT:
        return Verdict.INCONCLUSIVE, f"{found}, which can't be told from N^{LIMIT:g}"
    return Verdict.PASS, str(found)
