"""What went wrong leaves nothing behind either: handshakes that fail, strangers, refusals, servers that are not there.

As in `test_leaks.py`; the peers under test stay, what they meet comes and goes.
"""

from __future__ import annotations

import socket as tcp
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from harness.errors import CallFailed
from harness.judge import Crowd
from harness.measure.probe import Watch
from harness.model.figures import Figures
from harness.model.matrix import Cell
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer
from harness.places.ports import reserved
from tests.interop.locks import TICKET, event_of, plain
from tests.interop.test_handshake_timeouts import GREETING, STOPS, address
from tests.interop.test_leaks import WITH_PYZMQ, accustom, cast, shut, talk

OTHER_MECHANISM = GREETING.replace(b"NULL", b"ELSE")
NOT_ZMTP = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
SAID = (*STOPS.values(), OTHER_MECHANISM, NOT_ZMTP)
"""What strangers say before they hang up; the handshake fails each time (23/ZMTP)."""


@pytest.mark.scenario("leaks-strangers", "push-pull", pairs="same", binds=("right-binds",))
def test_strangers_that_knock_and_hang_up_leave_nothing_behind(
    right: Peer, peers: Crowd, link: Link, pattern: Pattern, figures: Figures
) -> None:
    # 23/ZMTP: "if the mechanism does not match, it MUST close the connection".
    right = peers.fresh("right")
    listener = link.bind(right, pattern.right)
    accustom(listener)

    def cycle(number: int) -> None:
        for words in SAID:
            with tcp.create_connection(address(listener.endpoint), timeout=5) as stranger:
                stranger.sendall(words)
        # libzmq cleans up after its connections when the application next enters the library, as for this friend.
        friend = link.connect(right, pattern.left, listener)
        talk(friend, listener, number)
        shut(friend)

    Watch(figures, {"right": right}).refuse_leaks(cycle)


@pytest.mark.scenario("leaks-silent-clients", "push-pull", pairs="same", binds=("right-binds",))
def test_a_listener_that_closes_lets_go_of_clients_in_mid_handshake(
    right: Peer, peers: Crowd, link: Link, pattern: Pattern, figures: Figures
) -> None:
    right = peers.fresh("right")
    with ExitStack() as stack:

        def cycle(number: int) -> None:
            listener = link.bind(right, pattern.right)
            stranger = stack.enter_context(tcp.create_connection(address(listener.endpoint), timeout=5))
            # Its greeting is there (or the first part of it) when the library has taken the connection on.
            assert stranger.recv(1) == b"\xff"
            shut(listener)

        Watch(figures, {"right": right}).refuse_leaks(cycle)


@contextmanager
def rude_listener() -> Iterator[tcp.socket]:
    """Listen; whoever accepts decides what is said."""
    with tcp.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(5)
        yield listener


@pytest.mark.scenario("leaks-rude-servers", "push-pull", pairs="same", binds=("right-binds",))
def test_a_client_that_met_no_zeromq_leaves_nothing_behind(
    left: Peer, peers: Crowd, pattern: Pattern, figures: Figures
) -> None:
    left = peers.fresh("left")
    with rude_listener() as server:
        endpoint = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def cycle(number: int) -> None:
            client = left.socket(pattern.left)
            connecting = client.connect_later(endpoint)
            connection, _ = server.accept()
            with connection:
                connection.sendall(NOT_ZMTP)
            with suppress(CallFailed):
                connecting.result()
            shut(client)

        Watch(figures, {"left": left}).refuse_leaks(cycle)


@pytest.mark.scenario("leaks-silent-servers", "push-pull", pairs="same", binds=("right-binds",))
def test_a_client_that_closes_lets_go_of_a_server_that_says_nothing(
    left: Peer, peers: Crowd, pattern: Pattern, figures: Figures
) -> None:
    left = peers.fresh("left")
    with rude_listener() as server, ExitStack() as stack:
        endpoint = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def cycle(number: int) -> None:
            client = left.socket(pattern.left)
            client.connect_later(endpoint)
            connection, _ = server.accept()
            stack.enter_context(connection)
            assert connection.recv(1) == b"\xff"
            shut(client)

        Watch(figures, {"left": left}).refuse_leaks(cycle)


@pytest.mark.scenario("leaks-nobody-there", "push-pull", pairs="same", binds=("right-binds",))
def test_a_client_that_closes_stops_looking_for_a_server(
    left: Peer, peers: Crowd, pattern: Pattern, figures: Figures
) -> None:
    left = peers.fresh("left")
    with reserved() as port:

        def cycle(number: int) -> None:
            client = left.socket(pattern.left)
            connecting = client.connect_later(f"tcp://127.0.0.1:{port}")
            connecting.done(0.02)
            shut(client)

        Watch(figures, {"left": left}).refuse_leaks(cycle)


@pytest.mark.scenario("leaks-refusals", "push-pull", pairs=WITH_PYZMQ, binds=("right-binds",))
def test_clients_that_are_refused_leave_nothing_behind(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern, cell: Cell, figures: Figures
) -> None:
    # 24/ZMTP-PLAIN: the server refuses with ERROR, or by closing the connection. Whether it does is checked elsewhere.
    left, right, watched = cast(left, right, peers, cell)
    left.need("mechanisms", "PLAIN")
    lock = plain(right, cell)
    door = right.socket(pattern.right, bind=link.transport.wildcard, context=lock.context, options=lock.server)
    friend = right.socket(pattern.left, connect=door.endpoint, options=lock.friend)
    accustom(door)

    def cycle(number: int) -> None:
        outside = left.socket(pattern.left, options={**TICKET, "PLAIN_PASSWORD": "guessed"})
        told = left.can("features", "monitor")
        if told:
            outside.monitor()
        with suppress(CallFailed):
            outside.connect(door.endpoint)
        if told:
            event_of(outside, "HANDSHAKE", "DISCONNECTED")
        shut(outside)
        talk(friend, door, number)

    Watch(figures, watched).refuse_leaks(cycle)
