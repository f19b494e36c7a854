"""Load: a ROUTER answers every one of very many clients rightly, and each of them costs it about the same.

The clients live in one process, as many sockets on one context; each asks, waits for its answer and asks again. Every
round measures each number of clients once, so that the machine's other work hits all of them alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.errors import Inconclusive
from harness.judge import Crowd
from harness.measure import curve, load
from harness.measure.curve import Step
from harness.measure.paired import FEWEST
from harness.model.patterns import Pattern
from harness.model.verdicts import Verdict
from harness.peers.sockets import Link
from harness.places.descriptors import room_for

GO_CLIENTS = "go-zeromq>*|pebbe>*"
LARGE = "go-zeromq>pyzmq|go-zeromq>go-zeromq|pebbe>pyzmq|pebbe>go-zeromq"


def answers_all(
    peers: Crowd,
    link: Link,
    pattern: Pattern,
    counts: Sequence[int],
    figures: dict[str, float],
    times: int = FEWEST,
) -> None:
    """Measure rounds, file the figures, and hold every step to its answers and the cost to a straight line."""
    with room_for(load.descriptors("libzmq", max(counts))) as may:
        clients, server = peers.fresh("left"), peers.fresh("right")
    bench = load.Bench(server, clients, link, may, kind=pattern.left)
    rounds: list[list[Step]] = [[] for _ in range(times)]
    for number, step in load.costs(bench, counts, times):
        wrong = sum(step.errors.values())
        told = ", ".join(f"{times} {error}" for error, times in step.errors.items())
        assert not wrong, f"{wrong} of {step.clients:,} clients did not get their answer: {told}"
        rounds[number].append(step)
    for many in counts:
        row = curve.row([step for steps in rounds for step in steps if step.clients == many])
        named = f"{many} clients "
        figures[f"{named}P95 ms"] = round(row.p95, 3)
        rate = f"{named}requests/s"
        figures |= {rate: row.rate.mid, f"{rate} low": row.rate.low, f"{rate} high": row.rate.high}
    try:
        grown = curve.growth(rounds)
    except ValueError as error:
        raise Inconclusive(str(error)) from None
    power = grown.power
    figures |= {"exponent": power.mid, "exponent low": power.low, "exponent high": power.high}
    verdict, why = curve.linear(grown)
    assert verdict is not Verdict.FAIL, why
    if verdict is Verdict.INCONCLUSIVE:
        raise Inconclusive(why)


@pytest.mark.measured
@pytest.mark.scenario("load-100", "dealer-router", pairs=GO_CLIENTS, binds=("right-binds",))
def test_a_router_answers_a_hundred_clients_at_no_more_than_ten_times_the_cost_of_ten(
    peers: Crowd, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 28/REQREP: ROUTER "SHALL route each outgoing message to the peer" that its first frame names, whoever else is
    # there. That this costs no more for a client than before is the user's promise.
    answers_all(peers, link, pattern, (10, 100), figures, times=7)


@pytest.mark.slow
@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("load-1000", "dealer-router", "req-router", pairs=GO_CLIENTS, binds=("right-binds",))
def test_a_router_answers_a_thousand_clients_at_no_more_than_ten_times_the_cost_of_a_hundred(
    peers: Crowd, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    answers_all(peers, link, pattern, (100, 1000), figures)


@pytest.mark.slow
@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("load-10000", "dealer-router", pairs=LARGE, binds=("right-binds",))
def test_a_router_answers_ten_thousand_clients_at_no_more_than_ten_times_the_cost_of_a_thousand(
    peers: Crowd, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    answers_all(peers, link, pattern, (1000, 10_000), figures)
