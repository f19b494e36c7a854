"""Linger: how long a socket that was closed keeps what it could not send yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import pytest

from harness.errors import CallFailed
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket
from tests.interop.steps import probe_until_subscribed

LINGER_MS = 200
EARLY_MS = 1.1
LATE_MS = 2000.0

QUEUED = [["one"], ["two"], ["three"]]


def endless(peer: Peer) -> dict[str, OptionValue]:
    """Linger for ever, where there is such an option; the peers' default is not to linger."""
    return {"LINGER": -1} if peer.can("options", "LINGER") else {}


def closed_after(sender: RemoteSocket) -> float:
    """Close; returns how many ms that took, context included."""
    begin = perf_counter()
    closing = sender.close_later()
    assert closing.done((LINGER_MS + LATE_MS) / 1000), f"close still waits after {LINGER_MS + LATE_MS:g} ms"
    closing.result()
    return 1000 * (perf_counter() - begin)


@pytest.mark.scenario(
    "last-words", "push-pull", "dealer-router", "pair-pair", "req-rep", "pub-sub", binds=("left-binds",)
)
def test_what_was_sent_before_close_arrives(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_LINGER: -1 "specifies an infinite linger period. Pending messages shall not be discarded
    # after a call to zmq_close()". 28/REQREP, REP: "SHALL deliver this message back to the originating peer".
    # Only whoever closes lingers: a SUB would wait with its subscriptions for a publisher that has gone.
    server = pattern.right == "REP"
    one, other = link.open(
        (left, pattern.left, {} if server else endless(left)), (right, pattern.right, endless(right) if server else {})
    )
    words = [[f"word {number}", "x" * 1000] for number in range(50)]
    if server:
        words = [["the reply"]]
        one.send("a question")
        other.recv()
    elif pattern.right == "SUB":
        other.subscribe("")
        leftover = probe_until_subscribed(one, [other], b"probe")[0]
        if leftover:
            other.recv_all(leftover)
    sender, receiver = (other, one) if server else (one, other)
    sender.send_all(words)
    sender.close()
    try:
        came = receiver.recv_all(len(words))
    except CallFailed as error:
        raise AssertionError(f"what was sent before close does not arrive: {error}") from error
    assert [message[-len(words[0]) :] for message in came] == words


@contextmanager
def queued(left: Peer, right: Peer, link: Link, linger: int) -> Iterator[tuple[RemoteSocket, str]]:
    """Queue messages for an endpoint where nobody listens any more; gives the sender and the endpoint."""
    left.need("options", "LINGER")
    # Of ipc, because a path stays free; a port may be somebody else's a moment later.
    former = link.bind(right, "PULL")
    former.close()
    with left.socket("PUSH", connect=former.endpoint, options={"LINGER": linger}) as sender:
        sender.send_all(QUEUED)
        yield sender, former.endpoint


def what_came(left: Peer, right: Peer, endpoint: str) -> list[list[str]]:
    """Listen again, and receive up to the last message of another sender."""
    with right.socket("PULL", bind=endpoint) as listener, left.socket("PUSH", connect=endpoint) as another:
        another.send("end")
        came: list[list[str]] = []
        while (message := listener.recv()) != ["end"]:
            came.append([str(part) for part in message])
        return came


@pytest.mark.scenario("linger-0", "push-pull", transports=("ipc",), binds=("right-binds",))
def test_without_linger_close_is_prompt_and_discards(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_LINGER: 0 "specifies no linger period. Pending messages shall be discarded immediately".
    with queued(left, right, link, 0) as (sender, endpoint):
        took = figures["close_ms"] = round(closed_after(sender), 1)
        assert took < LATE_MS
        assert what_came(left, right, endpoint) == []


@pytest.mark.scenario("linger-200", "push-pull", transports=("ipc",), binds=("right-binds",))
def test_a_finite_linger_ends_in_time_and_discards(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_LINGER: positive values are "an upper bound for the linger period in milliseconds".
    with queued(left, right, link, LINGER_MS) as (sender, endpoint):
        took = figures["close_ms"] = round(closed_after(sender), 1)
        assert took >= LINGER_MS - EARLY_MS, f"close and context ended after {took:.1f} ms, before the linger's time"
        assert what_came(left, right, endpoint) == []


@pytest.mark.scenario("linger-endless", "push-pull", transports=("ipc",), binds=("right-binds",))
def test_an_endless_linger_waits_until_everything_is_sent(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    with queued(left, right, link, -1) as (sender, endpoint):
        closing = sender.close_later()
        assert not closing.done(0.1), "close and context ended, though there are messages to send"
        with right.socket("PULL", bind=endpoint) as listener:
            assert listener.recv_all(len(QUEUED)) == QUEUED
            closing.result()
