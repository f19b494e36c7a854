"""Many threads or goroutines: a socket each, or one socket for all. zmq_socket(3), "Thread safety"."""

from __future__ import annotations

from typing import Any, Final

import pytest

from harness.errors import CallFailed, PeerCrash, PeerHang
from harness.judge import Crowd
from harness.model.matrix import Cell
from harness.model.patterns import Pattern
from harness.peers.client import PendingCall
from harness.peers.sockets import Link, Peer, RemoteSocket

WORKERS: Final = 8
COUNT: Final = 150
"""Messages of each worker."""

MISUSED: Final = 500
"""The same where nothing protects the socket: more, so that something happens more often."""

STANDSTILL: Final = 3.0
"""Seconds after which misuse that does not end has come to a standstill; it takes some 50 ms."""


def start_draining(receiver: RemoteSocket, count: int = COUNT) -> PendingCall:
    """Have the receiving peer count what comes, by worker and number."""
    strip = 1 if receiver.type == "ROUTER" else 0
    return receiver.work("drain", count=WORKERS * count, strip=strip)


def see_exact(drained: dict[str, Any], count: int = COUNT) -> None:
    """See that every message of every worker came once, and each worker's in order."""
    exact = {"received": count, "missing": 0, "doubled": 0, "reordered": 0}
    assert drained["sources"] == {str(worker): exact for worker in range(WORKERS)}


@pytest.mark.scenario("swarm", "push-pull", "dealer-router", binds=("right-binds",))
def test_threads_with_a_socket_each_on_one_context_lose_nothing(
    left: Peer, right: Peer, link: Link, pattern: Pattern, cell: Cell
) -> None:
    # zmq_ctx_new(3): a context "is thread safe and may be shared among as many application threads as necessary".
    left.need("features", "swarm")
    receiver = link.bind(right, pattern.right)
    drained = start_draining(receiver)
    sent = left.swarm(pattern.left, receiver.endpoint, context=cell.id, workers=WORKERS, count=COUNT).result()
    assert sent["sent"] == WORKERS * COUNT
    see_exact(drained.result())


@pytest.mark.scenario("shared-by-mutex", "push-pull", "dealer-router", binds=("right-binds",))
def test_a_socket_behind_a_mutex_serves_many_threads(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # What is often advised, and goes beyond what zmq_socket(3) promises: one thread at a time, with a full memory
    # barrier between them, which taking and releasing a lock is.
    share(left, right, link, pattern, "mutex")


@pytest.mark.scenario("shared-in-turn", "push-pull", "dealer-router", binds=("right-binds",))
def test_a_socket_may_migrate_from_thread_to_thread(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    share(left, right, link, pattern, "handover")


def share(left: Peer, right: Peer, link: Link, pattern: Pattern, how: str) -> None:
    left.need("features", "share")
    receiver = link.bind(right, pattern.right)
    sender = link.connect(left, pattern.left, receiver)
    drained = start_draining(receiver)
    assert sender.share(how, workers=WORKERS, count=COUNT).result()["sent"] == WORKERS * COUNT
    see_exact(drained.result())


@pytest.mark.scenario("shared-by-nothing", "push-pull", pairs="same", binds=("right-binds",))
def test_misuse_of_a_socket_by_many_threads_is_never_silently_wrong(
    peers: Crowd, link: Link, figures: dict[str, float]
) -> None:
    # zmq_socket(3): "Doing so results in undefined behaviour". Anything may happen to a process that does it: an error,
    # a crash, a standstill. But sends that report success for what does not arrive are worse. Both processes are the
    # check's own.
    abused = peers.fresh("left")
    abused.need("features", "share")
    abused.client.patience = abused.client.grace = min(abused.client.patience, STANDSTILL)
    other = peers.fresh("right")
    receiver = link.bind(other, "PULL")
    sender = link.connect(abused, "PUSH", receiver)
    drained = start_draining(receiver, MISUSED)
    try:
        ending = misuse(sender, drained)
    finally:
        abused.client.kill()
        other.client.kill()
    figures[ending] = 1


def misuse(sender: RemoteSocket, drained: PendingCall) -> str:
    """Let threads send on a socket that nothing protects; returns how it ended, if not in silence."""
    try:
        sent = sender.share("none", workers=WORKERS, count=MISUSED).result()["sent"]
    except PeerCrash:
        return "crashed"
    except PeerHang:
        return "hung"
    except CallFailed:
        return "reported an error"
    assert sent == WORKERS * MISUSED
    try:
        see_exact(drained.result(), MISUSED)
    except PeerCrash:
        return "crashed the receiver"
    except (CallFailed, AssertionError) as error:
        raise AssertionError(f"every send reported success, and that is not what arrived: {error}") from None
    return "went well"
