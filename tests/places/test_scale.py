"""Many hosts: namespaces, or containers, of Go subscribers to one Python publisher, and the reverse; 50 with --full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.errors import Unsupported
from harness.peers import build
from harness.peers.client import PeerClient
from harness.peers.sockets import Peer
from harness.places import docker
from harness.places.face import Place
from harness.places.lan import Switch
from harness.places.netns import NetnsPlace
from harness.places.routes import Book, Route
from harness.plugin import ROOT
from tests.interop.steps import bytes_of
from tests.places.conftest import MakePool

HOSTS, MANY = 10, 50
"""How many hosts there are, and how many with --full."""

MESSAGES = 200
PATIENCE = 60.0
"""Seconds that a message may take: two cores start and serve fifty peers."""


@pytest.fixture(params=["netns", "docker"])
def hosts(request: pytest.FixtureRequest) -> Iterator[list[Place]]:
    """Many namespaces on one network, or one host for many containers; all are gone afterwards."""
    count = MANY if request.config.getoption("full") else HOSTS
    with ExitStack() as stack:
        try:
            if request.param == "docker":
                client, bridge = stack.enter_context(docker.engine())
                host = docker.DockerPlace(client, bridge, "")
                stack.callback(host.close)
                made: list[Place] = [host] * count
            else:
                lan = Switch()
                stack.callback(lan.close)
                made = []
                for _ in range(count):
                    made.append(NetnsPlace(lan))
                    stack.callback(made[-1].close)
        except Unsupported as reason:
            pytest.skip(f"unsupported: {reason}")
        yield made


@pytest.fixture
def crowd(hosts: list[Place], new_pool: MakePool) -> Iterator[tuple[Peer, list[Peer]]]:
    """One pyzmq on this machine, and a go-zeromq on each host; all end well."""
    pool = new_pool()
    one = pool.peer("pyzmq", "left")
    one.client.patience = PATIENCE
    one.route = Route(one.place, hosts[0], Book())
    program = pool.manifests["go-zeromq"]
    command = build.command(program, ROOT / ".build" / "peers")
    many: list[Peer] = []
    try:
        for host in hosts:
            client = PeerClient("go-zeromq", host.start(command, program.here, build.environment(program)), PATIENCE)
            client.hello = client.call("hello")
            many.append(Peer(client))
            many[-1].place, many[-1].route = host, Route(host, one.place, Book())
        yield one, many
        for peer in many:
            peer.client.hang_up()
        assert [wrong for peer in many for wrong in peer.client.stop()] == []
    finally:
        for peer in many:
            if not peer.client.ended:
                peer.client.kill()


@pytest.mark.slow
def test_many_hosts_hear_all_that_one_publishes(crowd: tuple[Peer, list[Peer]]) -> None:
    one, many = crowd
    publisher = one.socket("XPUB", bind="tcp://127.0.0.1:*", options={"SNDHWM": 0})
    ears = [peer.socket("SUB", connect=publisher.endpoint) for peer in many]
    for number, ear in enumerate(ears):
        ear.subscribe("news")
        ear.subscribe(f"own {number} ")
    # 29/PUBSUB: subscriptions of a connection come in their order, so who has told the second has told the first.
    missing = {f"own {number} " for number in range(len(many))}
    while missing:
        missing.discard(publisher.recv()[0].head(64)[1:].decode())
    hearing = [ear.recv_later(MESSAGES) for ear in ears]
    publisher.send_all([[f"news {number}"] for number in range(MESSAGES)])
    expected = [[f"news {number}"] for number in range(MESSAGES)]
    assert [heard.messages() == expected for heard in hearing] == [True] * len(many)
    for socket in (*ears, publisher):
        socket.close()


@pytest.mark.slow
def test_one_hears_all_that_many_hosts_publish(crowd: tuple[Peer, list[Peer]]) -> None:
    one, many = crowd
    publishers = [peer.socket("PUB", bind="tcp://127.0.0.1:*") for peer in many]
    subscriber = one.socket("SUB", options={"RCVHWM": 0, "SUBSCRIBE": ""})
    for publisher in publishers:
        subscriber.connect(publisher.endpoint)
    heard: set[bytes] = set()
    while len(heard) < len(many):  # a publisher says so until it is heard: then it knows of the subscription
        waiting = subscriber.recv_later()
        while not waiting.done(0.02):
            for number, publisher in enumerate(publishers):
                if f"here {number}".encode() not in heard:
                    publisher.send(f"here {number}")
        heard.add(bytes_of(waiting.messages()[0][0]))
    for number, publisher in enumerate(publishers):
        publisher.send_all([[f"{number} {count}"] for count in range(MESSAGES)])
    came: Counter[bytes] = Counter()
    while came.total() < len(many) * MESSAGES:
        came.update(
            word for message in subscriber.recv_all(1) if not (word := bytes_of(message[0])).startswith(b"here")
        )
    assert came == Counter(f"{number} {count}".encode() for number in range(len(many)) for count in range(MESSAGES))
    for socket in (*publishers, subscriber):
        socket.close()
