"""What holds in every place: peers talk, wherever the other is; they end with their stdin; nothing of them stays."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Sequence

import pytest

from harness.errors import CallFailed, PeerCrash
from harness.peers.pool import Pool
from harness.peers.sockets import Link, Peer
from harness.places.ports import reserved
from tests.places.conftest import MakePool

EVERYWHERE = ("netns>netns", "docker>docker", "docker>netns", "docker:published>local", "ssh>local", "netns>local")
BINDS = ("left-binds", "right-binds")

SOON = 30.0
"""Seconds that a peer's start may take, also on a machine that has much else to do."""

everywhere = pytest.mark.parametrize("places", EVERYWHERE, indirect=True)


def pair(pool: Pool, places: str, left: str = "go-zeromq", right: str = "pyzmq") -> tuple[Peer, Peer]:
    return pool.peer(left, "left", places), pool.peer(right, "right", places)


@everywhere
@pytest.mark.parametrize("binds", BINDS)
def test_a_message_goes_there_and_its_answer_back(new_pool: MakePool, places: str, binds: str) -> None:
    left, right = pair(new_pool(), places)
    # go-zeromq's REQ reports an error where it has no connection yet; pyzmq's waits for it.
    server, client = Link("tcp4", binds).open((left, "REP"), (right, "REQ"))
    client.send("ping", b"\0" * 100_000)
    assert server.recv()[0] == "ping"
    server.send("pong")
    assert client.recv() == ["pong"]


@pytest.mark.parametrize("places", ["netns>netns", "docker>docker", "docker>netns", "netns>local"])
@pytest.mark.parametrize("binds", BINDS)
def test_a_message_goes_over_ipv6(new_pool: MakePool, places: str, binds: str) -> None:
    left, right = pair(new_pool(), places, "pyzmq", "go-zeromq")
    sender, receiver = Link("tcp6", binds).open((left, "PUSH"), (right, "PULL"))
    sender.send("six")
    assert receiver.recv() == ["six"]


@everywhere
def test_every_peer_ends_with_its_stdin_and_leaves_nothing(new_pool: MakePool, places: str) -> None:
    pool = new_pool()
    for name in ("go-zeromq", "pebbe", "pyzmq", "pyzmq-asyncio"):
        assert pool.start(name, slot="left", places=places).client.stop() == [], name


@everywhere
def test_a_paused_peer_stands_still_until_it_is_resumed(new_pool: MakePool, places: str) -> None:
    peer = new_pool().start("go-zeromq", slot="left", places=places)
    peer.client.pause()
    asked = peer.client.start("hello")
    assert not asked.done(0.5)
    peer.client.resume()
    asked.result()
    assert peer.client.stop() == []


@everywhere
def test_a_peer_that_is_killed_in_its_place_is_a_crash_with_its_signal(new_pool: MakePool, places: str) -> None:
    peer = new_pool().start("pyzmq", slot="left", places=places)
    peer.client._process.signal(9)
    # ssh tells of a signal as an exit code of its own.
    with pytest.raises(PeerCrash, match=r"signal 9|exit code 255"):
        peer.client.call("hello")
    peer.client.kill()


@everywhere
def test_a_listener_comes_back_on_an_endpoint_that_the_check_has_chosen(new_pool: MakePool, places: str) -> None:
    left, right = pair(new_pool(), places, "pyzmq", "pyzmq")
    if "published" in places:
        pytest.skip("unsupported: docker:published reaches the ports alone that its own system gives out")
    with reserved() as port:
        endpoint = f"tcp://127.0.0.1:{port}"
        receiver = right.socket("PULL", connect=endpoint)  # nobody listens there yet
        for text in ("first", "second"):
            with left.socket("PUSH") as sender:
                assert sender.bind(endpoint) == endpoint
                sender.send(text)
                assert receiver.recv() == [text]
                sender.unbind(endpoint)
        receiver.disconnect(endpoint)
        receiver.close()


@pytest.mark.parametrize("places", ["netns>local", "docker>docker", "ssh>local"], indirect=True)
def test_a_server_of_the_checks_own_is_reached_from_everywhere(new_pool: MakePool, places: str) -> None:
    left, _ = pair(new_pool(), places)
    heard: list[bytes] = []

    def greet(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            line.settimeout(30)
            heard.append(line.recv(10))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        endpoint = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        client = left.socket("PUSH", options={"AUTO_RECONNECT": 0} if left.can("options", "AUTO_RECONNECT") else None)
        connecting = client.connect_later(endpoint)
        thread.join(30)
        assert heard[0][:1] == b"\xff"  # 23/ZMTP: a greeting begins with %xFF
    with pytest.raises(CallFailed):
        connecting.result()


@pytest.mark.parametrize("places", ["netns>local", "ssh>local"], indirect=True)
def test_what_a_peer_leaves_behind_in_its_place_is_found_and_ended(new_pool: MakePool, places: str) -> None:
    pool = new_pool()
    pool.manifests["careless"] = pool.manifests["pyzmq"].with_arguments("careless", "--fault", "leave-child")
    peer = pool.start("careless", slot="left", places=places)
    (wrong,) = peer.client.stop()
    assert "left a child process behind" in wrong


@everywhere
def test_a_peer_starts_within_seconds(new_pool: MakePool, places: str, request: pytest.FixtureRequest) -> None:
    pool = new_pool()
    pool.start("go-zeromq", slot="left", places=places).client.stop()  # builds, copies, opens the place
    took = []
    for _ in range(5 if request.config.getoption("full") else 1):
        began = time.perf_counter()
        peer = pool.start("go-zeromq", slot="left", places=places)
        took.append(time.perf_counter() - began)
        assert peer.client.stop() == []
    print(f"start in {places}: median {statistics.median(took) * 1000:.0f} ms")  # noqa: T201
    assert statistics.median(took) < SOON


def test_peers_of_one_place_share_its_ports(new_pool: MakePool) -> None:
    """Two containers of a host are one host: what one binds, the other cannot."""
    pool = new_pool()
    one, other = (pool.peer(name, "left", "docker>local") for name in ("go-zeromq", "pyzmq"))
    endpoint = one.socket("PULL", bind="tcp://127.0.0.1:*").endpoint
    with pytest.raises(CallFailed, match="in use"):
        other.socket("PULL", bind=endpoint)


def names(peers: Sequence[Peer]) -> list[str]:
    return [peer.place.name for peer in peers]


@everywhere
def test_a_peer_knows_its_place(new_pool: MakePool, places: str) -> None:
    assert names(pair(new_pool(), places)) == [one.partition(":")[0] for one in places.split(">")]
