"""What a peer itself costs: its round trip against the same closed loop in C on libzmq, without a peer."""

from __future__ import annotations

import statistics

import pytest

from harness.host.affinity import pinned
from harness.judge import Crowd
from harness.measure import latency, native, paired
from harness.model.patterns import Pattern
from harness.peers.sockets import Link
from harness.plugin import ROOT

BLOCKS = 11
COUNT = 400
MOST = 4.0
"""Times the closed loop in C: 1.0 to 1.6 measured; the language between the library and the clock is part of it."""


@pytest.mark.measured
@pytest.mark.scenario("own-cost", "req-rep", pairs="pebbe>pebbe|pyzmq>pyzmq", binds=("right-binds",))
def test_a_peer_adds_little_to_a_round_trip(
    link: Link, pattern: Pattern, peers: Crowd, figures: dict[str, float]
) -> None:
    # The method of libzmq's local_lat and remote_lat. Without it no figure of a peer says how much of it is the peer's.
    program = native.program(ROOT / ".build" / "peers")
    rig = latency.subject(peers.fresh("left"), peers.fresh("right"), link, pattern)
    through_peers, bare = [], []
    with pinned([rig.pings.peer.client.pid, rig.echoes.peer.client.pid]):
        for _ in range(BLOCKS):
            bare.append(native.round_trip(program, COUNT, 64, latency.WARMUP))
            through_peers.append(rig.block(COUNT, 64).mean)
    ratio = paired.median_interval(paired.ratios(through_peers, bare))
    figures |= {"mean ×C": ratio.mid, "mean ×C low": ratio.low, "mean ×C high": ratio.high}
    figures |= {"C mean µs": statistics.median(bare), "peer mean µs": statistics.median(through_peers)}
    assert ratio.low <= MOST, f"{ratio} times the closed loop in C; beyond {MOST:g} the peer itself is in the way"
