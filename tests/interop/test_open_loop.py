"""Open loop: messages leave by plan, and each one's time counts from when the plan wanted it sent.

Never mixed with lock-step figures: lock-step cannot see a stall that holds up the next request, an open loop does.
"""

from __future__ import annotations

import pytest

from harness.host.affinity import pinned
from harness.judge import Crowd
from harness.measure import budgets as budgeting
from harness.measure import histogram, latency
from harness.measure.budgets import LIBRARY, SUBJECT
from harness.model.figures import Figures
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer

RATE = 1000.0
COUNT = 200
BLOCKS = 7
AT_ONCE = 1e9


@pytest.mark.scenario("planned-time", "req-rep", pairs="*>pyzmq", binds=("right-binds",))
def test_an_open_loop_counts_from_the_planned_moment(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # CONTRACT.md, section 5: with `rate`, a message's time counts from when it should have left. All of these should
    # have left at once and REQ sends one after the other, so the last one waited for all before it.
    rig = latency.subject(left, right, link, pattern)
    echoing = rig.echoes.work("echo", count=COUNT)
    result = rig.pings.work("ping", count=COUNT, size=64, warmup=0, rate=AT_ONCE).result()
    echoing.result()
    took = histogram.latency(result)
    # How long the others waited says nothing more: a busy machine may stall anywhere.
    assert took["max"] >= 0.9 * result["ns"] / 1000, f"the last of {COUNT} waited for {took['max']:g} µs only"


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario(
    "open-loop-64", "req-rep", "dealer-router", "pair-pair", transports=("tcp4", "ipc"), binds=("right-binds",)
)
def test_messages_sent_by_plan_all_come_back(pattern: Pattern, link: Link, peers: Crowd, figures: Figures) -> None:
    # Shown beside pyzmq's in the same minute; what is judged is that every answer is the right one.
    rigs = {SUBJECT: latency.subject(peers.fresh("left"), peers.fresh("right"), link, pattern)}
    one, other = peers.other("pyzmq"), peers.other("pyzmq")
    if one is not None and other is not None:
        rigs[LIBRARY] = latency.subject(one, other, link, pattern)
    with pinned([end.peer.client.pid for rig in rigs.values() for end in (rig.pings, rig.echoes)]):
        rows = latency.interleaved(rigs, BLOCKS, COUNT, 64, RATE)
    budgeting.file(rows, figures)
