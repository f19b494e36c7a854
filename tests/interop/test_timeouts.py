"""Timeouts of send and receive: they end a wait with the right error, not early, and late by no more than a timer is.

Each wait is measured inside the peer (`waited_ns`), in turn with the same wait on the plain timer of the peer's
language. What is judged is the difference; a machine whose timers are late themselves says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter

import pytest

from harness.errors import CallFailed, Inconclusive
from harness.model.patterns import Pattern
from harness.peers.client import PendingCall
from harness.peers.sockets import Link, Peer, Receiving, RemoteSocket

EARLY_MS = 1.1
"""libzmq counts time in whole milliseconds, so a wait may end up to one early; and what a clock's steps add."""

LATE_MS = 20.0
"""How much later than the plain timer a timeout may come: far above any library's own cost, below a coarse tick."""

PROMPT_MS = 2000.0
"""How soon a waiting call ends once its socket or context has ended. Milliseconds, where nobody else needs the CPU."""

ROUNDS = 7
"""How often at most a wait that seems late is measured again: its median stays late if the library is."""

NOISE = 4
"""How many times the worst lateness of the plain timer may be laid to the machine's account."""

Wait = Callable[[float], object]
"""Makes a call that must run into its timeout of so many ms."""


def failure_of(call: Callable[[], object]) -> CallFailed:
    """Return the error of a call that cannot succeed."""
    try:
        call()
    except CallFailed as error:
        return error
    raise AssertionError("a call that nobody can have served reported success")


def waited(wait: Wait, ms: float) -> float:
    """Return how many ms the peer spent in a call that must run into its timeout."""
    begin = perf_counter()
    error = failure_of(lambda: wait(ms))
    whole = 1000 * (perf_counter() - begin)
    assert error.name == "timeout", f"a wait of {ms:g} ms ended with {error.name!r} instead of 'timeout': {error}"
    # A call's timeout begins when the call arrives, which may be long before a busy peer enters its library; so whether
    # it ended too early is measured from outside.
    assert whole >= ms - EARLY_MS, f"a wait of {ms:g} ms ended after {whole:.3f} ms, before its time"
    return float(error.data["waited_ns"]) / 1e6


def is_punctual(peer: Peer, wait: Wait, ms: float, blocks: int, figures: dict[str, float]) -> None:
    """Hold a wait of `ms` against the plain timer, block by block in turn; more rounds while it seems late."""
    peer.need("features", "timer")
    late: list[float] = []
    timer_late: list[float] = []
    for _ in range(ROUNDS):
        for _ in range(blocks):
            late.append(waited(wait, ms) - ms)
            timer_late.append(peer.timer(ms) - ms)
        excess = median(late) - median(timer_late)
        if excess <= LATE_MS:
            break
    figures[f"late_{ms:g}ms_us"] = round(1000 * median(late), 1)
    figures[f"timer_late_{ms:g}ms_us"] = round(1000 * median(timer_late), 1)
    if LATE_MS < excess < NOISE * max(timer_late):
        raise Inconclusive(f"the plain timer itself was up to {max(timer_late):.1f} ms late for {ms:g} ms")
    assert excess <= LATE_MS, (
        f"a timeout of {ms:g} ms came {median(late):.1f} ms late, the plain timer {median(timer_late):.1f} ms"
    )


@pytest.mark.scenario(
    "recv-timeout", "push-pull", "dealer-router", "pub-sub", "pair-pair", pairs="same", binds=("right-binds",)
)
def test_a_receive_ends_at_its_timeout(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_poll(3): "if none of the requested events have occurred, zmq_poll() shall wait timeout milliseconds".
    # Where the library has no deadline for a receive, its users wait beside it; that is what the peer does then.
    _, receiver = link.open((left, pattern.left), (right, pattern.right))
    for ms, blocks in ((0, 3), (1, 3), (50, 2)):
        is_punctual(right, lambda ms: receiver.recv(timeout=ms), ms, blocks, figures)


@pytest.mark.scenario("recv-timeout-1s", "push-pull", pairs="same", binds=("right-binds",))
def test_a_receive_ends_at_a_timeout_of_a_second(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    _, receiver = link.open((left, "PUSH"), (right, "PULL"))
    is_punctual(right, lambda ms: receiver.recv(timeout=ms), 1000, 1, figures)


@pytest.mark.scenario(
    "send-timeout", "push-pull", "dealer-router", "req-rep", "pair-pair", pairs="same", binds=("left-binds",)
)
def test_a_send_without_a_peer_ends_at_its_timeout(
    left: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_socket(3): in the mute state, here without a peer, zmq_send() "shall block until the mute state ends".
    sender = link.bind(left, pattern.left)
    for ms, blocks in ((0, 3), (1, 3), (50, 2)):
        is_punctual(left, lambda ms: sender.send("nobody is there", timeout=ms), ms, blocks, figures)


@pytest.mark.scenario("rcvtimeo", "push-pull", "dealer-router", "pub-sub", pairs="same", binds=("right-binds",))
def test_rcvtimeo_ends_a_blocking_receive(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_RCVTIMEO: 0 returns "immediately, with a EAGAIN error"; else it waits "for that amount
    # of time before returning with an EAGAIN error".
    right.need("options", "RCVTIMEO")
    _, receiver = link.open((left, pattern.left), (right, pattern.right))

    def wait(ms: float) -> None:
        receiver.recv_blocking().messages()

    for ms, blocks in ((0, 3), (1, 3), (50, 2)):
        receiver.set("RCVTIMEO", ms)
        is_punctual(right, wait, ms, blocks, figures)


@pytest.mark.scenario("sndtimeo", "push-pull", "dealer-router", "req-rep", pairs="same", binds=("left-binds",))
def test_sndtimeo_ends_a_blocking_send(left: Peer, link: Link, pattern: Pattern, figures: dict[str, float]) -> None:
    # zmq_setsockopt(3), ZMQ_SNDTIMEO: in the same words as ZMQ_RCVTIMEO.
    left.need("options", "SNDTIMEO")
    for ms, blocks in ((0, 3), (1, 3), (50, 2)):
        # Without a peer from the start: there it may be that an option counts only for later connections.
        sender = link.bind(left, pattern.left, {"SNDTIMEO": ms})
        is_punctual(left, partial(send_blocking, sender), ms, blocks, figures)


def send_blocking(sender: RemoteSocket, _: float) -> None:
    sender.send_blocking("nobody is there").result()


@pytest.mark.scenario("timeo-1s", "push-pull", pairs="same", binds=("left-binds",))
def test_rcvtimeo_and_sndtimeo_keep_a_second(left: Peer, right: Peer, link: Link, figures: dict[str, float]) -> None:
    for peer in (left, right):
        peer.need("options", "RCVTIMEO", "SNDTIMEO")
        peer.need("features", "timer")
    sender = link.bind(left, "PUSH", {"SNDTIMEO": 1000})
    receiver = link.bind(right, "PULL", {"RCVTIMEO": 1000})

    def both(_: float) -> None:
        sending = sender.send_blocking("nobody is there")
        waited(lambda _: receiver.recv_blocking().messages(), 1000)
        sending.result()

    is_punctual(left, both, 1000, 1, figures)


@pytest.mark.scenario(
    "endless-recv", "push-pull", "dealer-router", "pub-sub", "pair-pair", pairs="same", binds=("right-binds",)
)
def test_a_receive_without_timeout_waits_until_a_message_comes(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # zmq_setsockopt(3), ZMQ_RCVTIMEO: the default -1 blocks "until a message is available".
    sender, receiver = link.open((left, pattern.left), (right, pattern.right))
    if pattern.right == "SUB":
        receiver.subscribe("")
    receiving = receiver.recv_blocking()
    assert not receiving.done(0.1), "a receive without timeout ended without a message"
    # A subscription may still be on its way, so PUB says it until it is heard; all others say it once.
    while pattern.right == "SUB" and not receiving.done(0.005):
        sender.send("at last")
    if pattern.right != "SUB":
        sender.send("at last")
    assert receiving.messages()[0][-1] == "at last"


@pytest.mark.scenario(
    "endless-send", "push-pull", "dealer-router", "req-rep", "pair-pair", pairs="same", binds=("left-binds",)
)
def test_a_send_without_timeout_waits_until_a_peer_comes(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_SNDTIMEO: the default -1 blocks "until the message is sent".
    sender = link.bind(left, pattern.left)
    sending = sender.send_blocking("at last")
    if sending.done(0.1):
        sending.result()
        raise AssertionError("a send without timeout ended, though it has no peer")
    receiver = link.connect(right, pattern.right, sender)
    assert receiver.recv()[-1] == "at last"
    sending.result()


@contextmanager
def ends_promptly(*calls: PendingCall | Receiving, figures: dict[str, float]) -> Iterator[None]:
    """See that calls wait before, and that they all end with `closed` soon after what is done in between."""
    for call in calls:
        if call.done(0.01):
            collect(call)
            raise AssertionError("a call that has nothing to do returned")
    begin = perf_counter()
    yield
    for call in calls:
        if not call.done(PROMPT_MS / 1000):
            raise AssertionError(f"a call still waits {PROMPT_MS:g} ms after the end of its socket or context")
        error = failure_of(partial(collect, call))
        assert error.name == "closed", f"it ended with {error.name!r} instead of 'closed': {error}"
    figures["ended_ms"] = round(1000 * (perf_counter() - begin), 2)


def collect(call: PendingCall | Receiving) -> None:
    if isinstance(call, Receiving):
        call.messages()
    else:
        call.result()


@pytest.mark.scenario("close-ends-waits", "push-pull", "dealer-router", "pair-pair", pairs="same")
def test_a_waiting_call_ends_when_its_socket_closes(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_close(3) is not thread-safe, so how is the binding's affair; that it never waits for ever is any user's need.
    lonely = [left.socket(pattern.left, bind=link.transport.wildcard) for _ in range(2)]
    idle = [link.open((left, pattern.left), (right, pattern.right)) for _ in range(2)]
    calls = (
        lonely[0].send_later([["nobody is there"]], timeout=60_000),
        lonely[1].send_blocking("nobody is there"),
        idle[0][1].recv_later(timeout=60_000),
        idle[1][1].recv_blocking(),
    )
    with ends_promptly(*calls, figures=figures):
        closing = [socket.close_later() for socket in (*lonely, idle[0][1], idle[1][1])]
    for close in closing:
        close.result()


@pytest.mark.scenario("term-ends-waits", "push-pull", "dealer-router", "pair-pair", pairs="same", binds=("left-binds",))
def test_a_waiting_call_ends_when_its_context_ends(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_ctx_shutdown(3): "any blocking operations currently in progress on sockets open within context shall return
    # immediately with an error code of ETERM"; so does every later call but zmq_close().
    for peer in (left, right):
        peer.need("features", "term")
    name, wildcard = "ends", link.transport.wildcard
    lonely = [left.socket(pattern.left, bind=wildcard, context=name) for _ in range(2)]
    idle = [right.socket(pattern.right, bind=wildcard, context=name) for _ in range(2)]
    calls = (
        lonely[0].send_later([["nobody is there"]], timeout=60_000),
        lonely[1].send_blocking("nobody is there"),
        idle[0].recv_later(timeout=60_000),
        idle[1].recv_blocking(),
    )
    with ends_promptly(*calls, figures=figures):
        left.end_context(name)
        right.end_context(name)
    for socket in (*lonely, *idle):
        for later in (partial(socket.recv, timeout=0), partial(socket.send, "too late", timeout=0)):
            # PUSH never receives and PULL never sends, whatever the context.
            assert failure_of(later).name in ("closed", "unsupported")
        socket.close()
