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
import statistics
from collections import Counter
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


def exponent(points: Sequence[tuple[int, float]]) -> float:
    """Return the power of the clients with which a cost grows, from (clients, cost): the slope of the logarithms.

    ValueError unless there are two different numbers of clients, and every cost is above 0.
    """
    if len({clients for clients, _ in points}) < 2:
        raise ValueError("growth needs two different numbers of clients")
    return statistics.linear_regression(
        [math.log(clients) for clients, _ in points], [math.log(cost) for _, cost in points]
    ).slope


def growth(rounds: Sequence[Sequence[Step]]) -> Interval:
    """Return the exponent with which the cost grows: its median over rounds, each over all numbers of clients.

    Every client must have asked equally often. ValueError if a step's processor time is too short for the clock.
    """
    if any(step.server_cpu <= 0 for one in rounds for step in one):
        raise ValueError("the processor time of a step is too short for this system's clock")
    return paired.median_interval([exponent([(step.clients, step.server_cpu) for step in one]) for one in rounds])


def linear(found: Interval) -> tuple[Verdict, str]:
    """Say whether the cost grows no faster than the clients do; pass, fail or inconclusive, and why."""
    told = f"the cost of N clients grows as N^{found}"
    if found.low > LIMIT:
        return Verdict.FAIL, f"{told}; up to N^{LIMIT:g} is linear"
    if found.high > LIMIT:
        return Verdict.INCONCLUSIVE, f"{told}, which can't be told from N^{LIMIT:g}"
    return Verdict.PASS, told
