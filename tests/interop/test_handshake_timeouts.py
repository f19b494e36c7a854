"""TCP peers that connect and say nothing, or stop in the middle of their greeting, and listeners that do so."""

from __future__ import annotations

import socket as tcp
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from time import perf_counter

import pytest

from harness.errors import CallFailed, Unsupported
from harness.model.patterns import Pattern
from harness.peers.client import PendingCall
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket
from tests.interop.recovery import wait_for

INTERVAL_MS = 100
EARLY_MS = 1.1
LATE_MS = 2000.0

SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
GREETING = SIGNATURE + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
STOPS = {"silence": b"", "half a signature": GREETING[:5], "half a greeting": GREETING[:30], "no READY": GREETING}
"""Where a handshake may stop (23/ZMTP: a greeting of 64 bytes, then the mechanism's commands)."""


def address(endpoint: str) -> tuple[str, int]:
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


@contextmanager
def stopped_clients(endpoint: str) -> Iterator[None]:
    """Connect plain TCP clients to an endpoint that each stop at another point of the handshake."""
    with ExitStack() as stack:
        for said in STOPS.values():
            client = stack.enter_context(tcp.create_connection(address(endpoint), timeout=5))
            client.sendall(said)
        yield


@contextmanager
def silent_listener() -> Iterator[str]:
    """Listen, accept by means of the kernel's backlog, and say nothing; gives the endpoint."""
    with tcp.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def open_unconnected(
    left: Peer, right: Peer, link: Link, pattern: Pattern, options: Mapping[str, OptionValue] | None = None
) -> tuple[RemoteSocket, RemoteSocket]:
    """Open the binding socket, with these options, and the other one, which is not connected yet."""
    ends = ((left, pattern.left), (right, pattern.right))
    (binder, bound_type), (connecter, other_type) = ends if link.left_binds else ends[::-1]
    return link.bind(binder, bound_type, options), connecter.socket(other_type)


def talk(link: Link, bound: RemoteSocket, other: RemoteSocket) -> None:
    """Connect to a bound socket and pass a message from the left role to the right one."""
    sender, receiver = (bound, other) if link.left_binds else (other, bound)
    connecting = other.connect_later(bound.endpoint)
    if not connecting.done(other.peer.wait_ms / 1000):
        raise AssertionError("nobody gets through to a listener with silent clients: connect does not return")
    connecting.result()
    sending = sender.send_later([["let me in"]])
    try:
        message = receiver.recv()
    except CallFailed as error:
        raise AssertionError(f"nobody gets through to a listener with silent clients: {error}") from error
    assert message[-1] == "let me in"
    sending.result()


@pytest.mark.scenario("silent-clients", "push-pull", "dealer-router")
def test_a_client_that_says_nothing_keeps_nobody_out(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 23/ZMTP, "Connection Heartbeating" and security apart, leaves handshakes to each connection alone; zmq_tcp(7):
    # a bound endpoint "can accept connections from many peers".
    bound, other = open_unconnected(left, right, link, pattern)
    with stopped_clients(bound.endpoint):
        talk(link, bound, other)


@pytest.mark.scenario("handshake-interval", "push-pull", "dealer-router", pairs="same")
def test_a_handshake_that_does_not_end_is_cut_off(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_HANDSHAKE_IVL: "If the handshake does not complete within this time, the connection shall
    # be terminated."
    (left if link.left_binds else right).need("options", "HANDSHAKE_IVL")
    bound, other = open_unconnected(left, right, link, pattern, {"HANDSHAKE_IVL": INTERVAL_MS})
    talk(link, bound, other)
    for where, said in STOPS.items():
        begin = perf_counter()  # the interval starts when the connection is accepted, in the middle of the next line
        with tcp.create_connection(address(bound.endpoint), timeout=(INTERVAL_MS + LATE_MS) / 1000) as client:
            client.sendall(said)
            try:
                while client.recv(4096):
                    pass
            except TimeoutError:
                raise AssertionError(f"after {where} the connection is still there, {LATE_MS:g} ms too late") from None
            except ConnectionResetError:
                pass  # a close with unread bytes
            took = 1000 * (perf_counter() - begin)
            assert took >= INTERVAL_MS - EARLY_MS, f"after {where} it was cut off after {took:.1f} ms, before its time"
            figures[f"late_ms, {where}"] = round(took - INTERVAL_MS, 1)
    sender, receiver = (bound, other) if link.left_binds else (other, bound)
    sender.send("still here")
    assert receiver.recv()[-1] == "still here"


@pytest.mark.scenario("silent-listener", "push-pull", "dealer-router", binds=("left-binds",))
def test_a_listener_that_says_nothing_hangs_only_who_connects_to_it(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    with silent_listener() as endpoint:
        trying = [(peer, peer.socket(kind)) for peer, kind in ((left, pattern.left), (right, pattern.right))]
        connecting = [socket.connect_later(endpoint) for _, socket in trying]
        sender, receiver = link.open((left, pattern.left), (right, pattern.right))
        sender.send("others go on")
        assert receiver.recv()[-1] == "others go on"
        # Whoever waits for the silent one, be it in connect or in receive, can still give up.
        for (peer, socket), call in zip(trying, connecting, strict=True):
            closing = socket.close_later()
            assert closing.done(LATE_MS / 1000), f"{peer.implementation}: no close while a handshake is going on"
            closing.result()
            assert call.done(LATE_MS / 1000), f"{peer.implementation}: connect goes on after its socket was closed"
            assert error_name(call) in ("", "closed")


def error_name(call: PendingCall) -> str:
    try:
        call.result()
    except CallFailed as error:
        return error.name
    return ""


@contextmanager
def full_listener() -> Iterator[str]:
    """Listen with a full queue of connections, so that the system answers no more of them; gives the endpoint."""
    if sys.platform != "linux":
        raise Unsupported("only Linux keeps silent when a listener's queue is full")
    with ExitStack() as stack:
        listener = stack.enter_context(tcp.create_server(("127.0.0.1", 0), backlog=0))
        with suppress(TimeoutError):
            while True:
                stack.enter_context(tcp.create_connection(listener.getsockname(), timeout=0.05))
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.scenario("connect-timeout", "push-pull", pairs="same", binds=("right-binds",))
def test_connecting_to_where_nobody_answers_is_given_up_in_time(
    left: Peer, link: Link, figures: dict[str, float]
) -> None:
    # zmq_setsockopt(3), ZMQ_CONNECT_TIMEOUT: "how long to wait before timing-out a connect() system call"; the system's
    # own time is minutes. Then it is tried again.
    left.need("options", "CONNECT_TIMEOUT", "RECONNECT_IVL")
    with full_listener() as endpoint:
        pusher = left.socket("PUSH", options={"CONNECT_TIMEOUT": INTERVAL_MS, "RECONNECT_IVL": 1})
        if left.can("features", "monitor"):
            pusher.monitor()
        began = perf_counter()
        connecting = pusher.connect_later(endpoint)
        if left.can("features", "monitor"):
            connecting.result()
            wait_for(pusher, "CONNECT_RETRIED", INTERVAL_MS + LATE_MS)
        else:
            # A library whose connect waits makes a number of attempts, and then says so.
            assert connecting.done((12 * INTERVAL_MS + LATE_MS) / 1000), "it goes on trying to connect"
            assert error_name(connecting) in ("library", "timeout")
        figures["given_up_ms"] = took = round(1000 * (perf_counter() - began), 1)
        assert took >= INTERVAL_MS - EARLY_MS, f"given up after {took} ms, before its time"
