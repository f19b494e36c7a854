"""Endpoints: taken ones, left-over ones, given up and taken again, and wrong ones."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from harness.errors import CallFailed, Unsupported
from harness.judge import Crowd
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket, until
from harness.places.ports import reserved
from tests.interop.recovery import Flow, soon


def refusal(call: Callable[[], object], what: str) -> CallFailed:
    """Return the error of a call that must fail."""
    try:
        call()
    except CallFailed as error:
        return error
    raise AssertionError(f"{what} succeeded")


def delivers(pusher: RemoteSocket, puller: RemoteSocket, word: str) -> None:
    """One message from end to end."""
    pusher.send(word)
    assert puller.recv() == [word]


@pytest.mark.scenario("two-binds", "push-pull", transports=("tcp4", "ipc-abstract"), binds=("right-binds",))
def test_an_endpoint_that_is_taken_cannot_be_bound_again(left: Peer, right: Peer, link: Link) -> None:
    # zmq_bind(3): EADDRINUSE, the requested address is already in use.
    left.need("socket_types", "PULL")
    puller = link.bind(right, "PULL")
    for peer in (left, right):
        second = peer.socket("PULL")
        error = refusal(partial(second.bind, puller.endpoint), f"a second bind on {puller.endpoint}")
        assert error.name == "library"
        # The refused one may take another endpoint, and the first one has lost nothing.
        pusher = left.socket("PUSH", connect=second.bind(link.transport.wildcard))
        delivers(pusher, second, "second")
        delivers(link.connect(left, "PUSH", puller), puller, "first")


@pytest.mark.scenario("stale-file", "push-pull", transports=("ipc",), binds=("right-binds",))
def test_the_socket_file_of_a_killed_listener_is_no_obstacle(peers: Crowd, left: Peer, right: Peer, link: Link) -> None:
    # zmq_ipc(7): if the file is there already, the bind "will succeed" and take it over.
    with link.bind(left, "PUSH") as finder:
        endpoint = finder.endpoint
    victim = peers.fresh("right")
    victim.socket("PULL", bind=endpoint)
    victim.client.kill()
    path = Path(endpoint.removeprefix("ipc://"))
    assert path.exists(), "the killed listener left its file behind"
    puller = right.socket("PULL", bind=endpoint)
    delivers(link.connect(left, "PUSH", puller), puller, "after the kill")
    puller.close()
    path.unlink(missing_ok=True)


@pytest.mark.scenario("rebind", "push-pull", binds=("right-binds",))
def test_an_endpoint_that_was_unbound_can_be_bound_again(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_unbind(3): the socket is unbound from the endpoint.
    right.need("features", "unbind")
    with reserved() as port:
        endpoint = f"tcp://127.0.0.1:{port}"
        server = right.socket(pattern.right, bind=endpoint)
        with left.socket(pattern.left, connect=endpoint) as client:
            Flow(client, server, figures).run()
        server.unbind(endpoint)
        other = right.socket(pattern.right)
        bound_again(other, endpoint)
        other.close()
        bound_again(server, endpoint)
        Flow(left.socket(pattern.left, connect=endpoint), server, figures).run()


def bound_again(server: RemoteSocket, endpoint: str) -> None:
    """Bind as soon as the endpoint is free: zmq_unbind(3) gives it up in the background."""
    for _ in until(server.peer.wait_ms):
        try:
            server.bind(endpoint)
        except CallFailed as error:
            last = error
        else:
            return
    raise last


@pytest.mark.scenario("disconnect", "push-pull", binds=("right-binds",))
def test_a_sender_that_disconnected_has_no_peer_until_it_connects_again(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_disconnect(3); 28 and 30: PUSH and DEALER block on sending while they have no peer.
    left.need("features", "disconnect")
    server = link.bind(right, pattern.right)
    client = link.connect(left, pattern.left, server, soon(left))
    flow = Flow(client, server, figures)
    flow.run()
    client.disconnect(server.endpoint)
    error = refusal(lambda: client.send("to nobody", timeout=20), "a send without a connection")
    assert error.name == "timeout"
    client.connect(server.endpoint)
    flow.run()


_UNKNOWN: Final = {
    "nosuch://127.0.0.1:5555": "unsupported",
    "127.0.0.1:5555": "invalid",
    "tcp://": "invalid",
    "tcp://127.0.0.1": "invalid",
    "tcp://127.0.0.1:": "invalid",
    "tcp://127.0.0.1:http": "invalid",
}
"""Endpoints that nobody can bind or connect to, and what the contract calls it."""

_NOBODY: Final = f"{'x' * 64}.invalid"
"""A name that cannot be resolved, and that no resolver asks its servers for: its first label is too long."""

_NOT_TO_BIND: Final = (f"tcp://{_NOBODY}:*", "tcp://192.0.2.1:*", "ipc:///no/such/folder/socket")
"""Right in form: a host without address, the address of another machine (RFC 5737), a path that cannot be made."""


@pytest.mark.scenario("wrong-endpoints", "push-pull", pairs="same", binds=("right-binds",))
def test_a_wrong_endpoint_is_refused_and_harms_nothing(left: Peer, right: Peer, link: Link) -> None:
    # zmq_bind(3) and zmq_connect(3): EINVAL, EPROTONOSUPPORT, EADDRNOTAVAIL, ENODEV.
    puller, pusher = right.socket("PULL"), left.socket("PUSH")
    for endpoint, name in _UNKNOWN.items():
        assert refusal(partial(puller.bind, endpoint), f"bind {endpoint}").name == name, endpoint
        assert refusal(partial(pusher.connect, endpoint), f"connect {endpoint}").name == name, endpoint
    assert refusal(partial(pusher.connect, "tcp://127.0.0.1:*"), "connect to a wildcard").name == "invalid"
    for endpoint in _NOT_TO_BIND:
        if not endpoint.startswith("ipc") or right.can("transports", "ipc"):
            found = refusal(partial(puller.bind, endpoint), f"bind {endpoint}").name
            assert found in ("library", "invalid"), endpoint
    pusher.connect(puller.bind(link.transport.wildcard))
    delivers(pusher, puller, "still well")


@pytest.mark.scenario("impossible-ports", "push-pull", pairs="same", binds=("right-binds",))
def test_a_port_that_does_not_exist_is_refused(right: Peer) -> None:
    # zmq_bind(3) and zmq_connect(3): EINVAL, the endpoint supplied is invalid.
    puller = right.socket("PULL")
    with reserved() as port:
        # Cut to 16 bits, this is the number of a port that is free.
        endpoint = f"tcp://127.0.0.1:{65_536 + port}"
        assert refusal(partial(puller.bind, endpoint), f"bind on port 65536 + {port}").name == "invalid"
        for wrong in (endpoint, "tcp://127.0.0.1:0"):
            assert refusal(partial(puller.connect, wrong), f"connect {wrong}").name == "invalid"


@pytest.mark.scenario("unresolvable", "push-pull", pairs="same", binds=("left-binds",))
def test_a_name_that_cannot_be_resolved_keeps_nobody_from_the_others(left: Peer, right: Peer, link: Link) -> None:
    # zmq_connect(3) resolves in the background; a library that does so in the foreground reports an error.
    pusher = link.bind(left, "PUSH")
    hasty: dict[str, OptionValue] = {"RECONNECT_IVL": 10} if right.can("options", "RECONNECT_IVL") else {}
    puller = right.socket("PULL", options=hasty)
    lost = puller.connect_later(f"tcp://{_NOBODY}:1")
    puller.connect(pusher.endpoint)
    delivers(pusher, puller, "from the one that exists")
    with suppress(CallFailed):
        lost.result()


@pytest.mark.scenario("free-ports", "push-pull", transports=("tcp4", "tcp6"), binds=("right-binds",))
def test_port_zero_and_a_wildcard_each_give_a_port_of_their_own(left: Peer, right: Peer, link: Link) -> None:
    # zmq_tcp(7): a wildcard asks for an ephemeral port, which LAST_ENDPOINT tells.
    wildcard = link.transport.wildcard
    pullers = [right.socket("PULL", bind=endpoint) for endpoint in (wildcard, wildcard, wildcard.replace("*", "0"))]
    ports = [int(puller.endpoint.rpartition(":")[2]) for puller in pullers]
    assert len(set(ports)) == 3
    assert min(ports) > 0
    for number, puller in enumerate(pullers):
        delivers(link.connect(left, "PUSH", puller), puller, f"to number {number}")


@pytest.mark.scenario("localhost", "push-pull", transports=("tcp4", "tcp6"), binds=("right-binds",))
def test_localhost_leads_to_a_listener_on_loopback(left: Peer, right: Peer, link: Link) -> None:
    # zmq_tcp(7): the DNS name of the peer; an IPv6 address only if ZMQ_IPV6 is set.
    six = link.transport.name == "tcp6"
    family = socket.AF_INET6 if six else socket.AF_INET
    try:
        socket.getaddrinfo("localhost", None, family, socket.SOCK_STREAM)
    except OSError:
        raise Unsupported(f"localhost has no address of {family.name} on this machine") from None
    puller = link.bind(right, "PULL")
    options: dict[str, OptionValue] = {"IPV6": 1} if six and left.can("options", "IPV6") else {}
    pusher = left.socket("PUSH", options=options)
    pusher.connect(f"tcp://localhost:{puller.endpoint.rpartition(':')[2]}")
    delivers(pusher, puller, "home")
