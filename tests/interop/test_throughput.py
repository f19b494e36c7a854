"""Throughput: however fast messages come, none is lost, doubled, changed in order or made up; and how fast they come.

The figures are shown, not judged: messages a second, and their multiple of what pyzmq makes of pyzmq in blocks in
between.
"""

from __future__ import annotations

import pytest

from harness.judge import Crowd
from harness.measure import throughput
from harness.measure.throughput import Block, Pipe
from harness.model.matrix import Cell
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket
from tests.interop.test_stuck_peers import subscribe_to_all

SIZES = {"64": 64, "1k": 1024, "64k": 65536, "1m": 1 << 20}
COUNTS = {"64": 2000, "1k": 2000, "64k": 300, "1m": 20}
"""Messages in a block: some ten milliseconds each."""

REFERENCE = "pyzmq"
UNLIMITED: dict[str, OptionValue] = {"SNDHWM": 0, "RCVHWM": 0}


def limits(peer: Peer, pattern: Pattern) -> dict[str, OptionValue]:
    """Lift the high-water marks where a full queue would drop messages, as far as the library has them."""
    options = UNLIMITED if pattern.left == "PUB" else {}
    return {name: value for name, value in options.items() if peer.can("options", name)}


def pipe(left: Peer, right: Peer, link: Link, pattern: Pattern) -> Pipe:
    sender, receiver = link.open(
        (left, pattern.left, limits(left, pattern)), (right, pattern.right, limits(right, pattern))
    )
    if pattern.left == "PUB":
        subscribe_to_all(sender, receiver)
    return Pipe(sender, receiver, lossy=pattern.left == "PUB")


def loses_nothing(
    left: Peer, right: Peer, peers: Crowd, cell: Cell, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    """Flood in blocks beside the reference, file the figures, and hold every block to what the pattern promises."""
    size, count = (table[cell.what.rpartition("-")[2]] for table in (SIZES, COUNTS))
    pipes = {"subject": pipe(left, right, link, pattern)}
    one, other = peers.other(REFERENCE), peers.other(REFERENCE)
    if one is not None and other is not None:
        pipes["reference"] = pipe(one, other, link, pattern)
    rows = throughput.interleaved(pipes, throughput.BLOCKS, count, size)
    blocks = rows["subject"]
    figures.update(throughput.figures(blocks, rows.get("reference", ()), size))
    figures["lost %"] = round(100 * sum(block.lost for block in blocks) / (count * len(blocks)), 3)
    refuse(blocks, may_lose=pattern.left == "PUB" and limits(left, pattern) != UNLIMITED)
    last(pipes["subject"].sender, pipes["subject"].receiver)


def refuse(blocks: list[Block], *, may_lose: bool) -> None:
    wrong = [block.wrong for block in blocks if block.wrong]
    assert not wrong, f"in {len(wrong)} of {len(blocks)} floods messages were not once and in order: {wrong[0]}"
    lost = sum(block.lost for block in blocks)
    assert may_lose or not lost, f"{lost} messages were lost, though no queue had a limit"


def last(sender: RemoteSocket, receiver: RemoteSocket) -> None:
    """See that nothing else comes: the next message is the next one sent."""
    if sender.type == "PUSH":
        sender.send("end")
        assert receiver.recv() == ["end"]


@pytest.mark.measured
@pytest.mark.scenario("throughput-64", "push-pull", binds=("right-binds",))
def test_a_flood_of_small_messages_comes_whole_and_in_order(
    left: Peer, right: Peer, peers: Crowd, cell: Cell, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 30/PIPELINE: PUSH "SHALL NOT discard messages that it cannot queue"; 23/ZMTP: a connection keeps their order.
    loses_nothing(left, right, peers, cell, link, pattern, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("throughput-64", "pub-sub", binds=("left-binds",))
def test_a_flood_of_small_publications_comes_whole_and_in_order(
    left: Peer, right: Peer, peers: Crowd, cell: Cell, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 29/PUBSUB: PUB drops a message only "if the queue for a subscriber is full", and these have no limit.
    loses_nothing(left, right, peers, cell, link, pattern, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("throughput-1k", "push-pull", "pub-sub", binds=("right-binds",))
def test_a_flood_of_messages_of_1_kib_comes_in_order(
    left: Peer, right: Peer, peers: Crowd, cell: Cell, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    loses_nothing(left, right, peers, cell, link, pattern, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("throughput-64k", "push-pull", "pub-sub", binds=("right-binds",))
def test_a_flood_of_messages_of_64_kib_comes_in_order(
    left: Peer, right: Peer, peers: Crowd, cell: Cell, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    loses_nothing(left, right, peers, cell, link, pattern, figures)


@pytest.mark.measured
@pytest.mark.wide
@pytest.mark.scenario("throughput-1m", "push-pull", "pub-sub", binds=("right-binds",))
def test_a_flood_of_messages_of_1_mib_comes_in_order(
    left: Peer, right: Peer, peers: Crowd, cell: Cell, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    loses_nothing(left, right, peers, cell, link, pattern, figures)
