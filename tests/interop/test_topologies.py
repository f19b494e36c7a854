"""More than two sockets: who gets what, and that nothing goes astray."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.judge import Crowd
from harness.model.patterns import TRANSPORTS, Pattern
from harness.peers.sockets import Link, Peer, RemoteSocket, until
from tests.interop.steps import bytes_of, probe_until_subscribed


@pytest.mark.scenario("three-subscribers", "pub-sub", "xpub-sub", binds=("left-binds",))
def test_overlapping_topics_reach_exactly_their_subscribers(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    publisher = link.bind(left, pattern.left)
    topics = ("a", "ab", "b")
    subscribers = [link.connect(right, "SUB", publisher) for _ in topics]
    for subscriber, topic in zip(subscribers, topics, strict=True):
        subscriber.subscribe(topic)
        subscriber.subscribe("sync")
    leftovers = probe_until_subscribed(publisher, subscribers, b"sync")
    news = ["a", "ab", "b", "abc", "", "c", "ba", "A"]
    publisher.send_all([[word, str(number)] for number, word in enumerate(news)])
    publisher.send("sync", "end")
    for subscriber, topic, leftover in zip(subscribers, topics, leftovers, strict=True):
        wanted = [[word, str(number)] for number, word in enumerate(news) if word.startswith(topic)]
        received = subscriber.recv_all(leftover + len(wanted) + 1)
        assert received[leftover:] == [*wanted, ["sync", "end"]]


@pytest.mark.scenario("three-by-three", "push-pull", binds=("right-binds",))
def test_three_pushers_share_their_work_among_three_pullers(left: Peer, right: Peer, link: Link) -> None:
    # 30/PIPELINE: PUSH SHALL route to one peer at a time, round-robin; PULL SHALL lose and double nothing.
    pullers = [link.bind(right, "PULL") for _ in range(3)]
    pushers = [link.connect(left, "PUSH", pullers[0]) for _ in range(3)]
    for pusher in pushers:
        for puller in pullers[1:]:
            pusher.connect(puller.endpoint)
    sent = [(f"pusher {who}", f"job {job}") for who in range(3) for job in range(12)]
    for who, pusher in enumerate(pushers):
        pusher.send_all([message for message in sent if message[0] == f"pusher {who}"])
    shares = collect(pullers, len(sent))
    assert Counter(job for share in shares for job in share) == Counter(sent)
    assert all(shares), f"every live puller gets its share; they got {[len(share) for share in shares]}"


def collect(pullers: list[RemoteSocket], total: int) -> list[list[tuple[str, ...]]]:
    """Receive from all until `total` messages came; fails when they do not come in time."""
    shares: list[list[tuple[str, ...]]] = [[] for _ in pullers]
    waiting = [puller.recv_later() for puller in pullers]
    for pause in until(pullers[0].peer.wait_ms):
        for index, puller in enumerate(pullers):
            while waiting[index].done():
                message = waiting[index].messages()[0]
                shares[index].append(tuple(bytes_of(part).decode() for part in message))
                waiting[index] = puller.recv_later()
        if sum(map(len, shares)) >= total:
            return shares
        waiting[0].done(pause)
    raise AssertionError(f"{total} messages were sent, {[len(share) for share in shares]} came in time")


@pytest.mark.scenario(
    "three-requesters", "req-rep", "req-router", "dealer-rep", "dealer-router", binds=("right-binds",)
)
def test_each_requester_gets_its_own_reply(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    server = link.bind(right, pattern.right)
    names = ("ann", "bob", "cem")
    clients = [link.connect(left, pattern.left, server, {"ROUTING_ID": name}) for name in names]
    delimiter = [""] if pattern.left == "DEALER" else []
    for turn in range(3):
        for client, name in zip(clients, names, strict=True):
            client.send(*delimiter, f"{name} asks", str(turn))
        if pattern.right == "ROUTER":
            answer_in_reverse(server, len(names))
        else:
            for _ in names:
                who, number = server.recv()
                server.send(bytes_of(who) + b", answered", number)
        for client, name in zip(clients, names, strict=True):
            assert client.recv() == [*delimiter, f"{name} asks, answered", str(turn)]


def answer_in_reverse(router: RemoteSocket, count: int) -> None:
    requests = router.recv_all(count)
    for identity, empty, who, number in reversed(requests):
        assert bytes_of(who) == bytes_of(identity) + b" asks"
        router.send(identity, empty, bytes_of(who) + b", answered", number)


@pytest.mark.scenario("five-mixed-requesters", "req-router", pairs="mixed-left", binds=("right-binds",))
def test_go_and_python_requesters_share_one_router(peers: Crowd, right: Peer, link: Link) -> None:
    server = link.bind(right, "ROUTER")
    clients = [
        link.connect(peer, "REQ", server, {"ROUTING_ID": f"requester {number}"})
        for number, peer in enumerate(peers.left(5))
    ]
    for turn in range(3):
        for number, client in enumerate(clients):
            client.send(f"requester {number} asks", str(turn))
        answer_in_reverse(server, len(clients))
        for number, client in enumerate(clients):
            assert client.recv() == [f"requester {number} asks, answered", str(turn)]


@pytest.mark.scenario("two-transports", "req-rep", "push-pull", binds=("right-binds",))
def test_one_socket_serves_two_transports(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    server = link.bind(right, pattern.right)
    # Stock Windows builds of libzmq have no ipc; IPv6 is a transport of its own there.
    other = next(
        (name for name in ("ipc", "tcp6") if left.can("transports", name) and right.can("transports", name)), "ipc"
    )
    for peer in (left, right):
        peer.need("transports", other)
    second = server.bind(TRANSPORTS[other].wildcard)
    # Two clients on each, in turn: a listener that accepts once more and then no longer is no listener.
    clients = [left.socket(pattern.left, connect=endpoint) for endpoint in (server.endpoint, second) * 2]
    for turn in range(2):
        for number, client in enumerate(clients):
            client.send(f"turn {turn}", f"client {number}")
            assert server.recv() == [f"turn {turn}", f"client {number}"]
            if pattern.right == "REP":
                server.send(f"reply {turn}", f"client {number}")
                assert client.recv() == [f"reply {turn}", f"client {number}"]


@pytest.mark.scenario("waits-for-a-peer", "req-rep", "dealer-router", "push-pull", binds=("left-binds",))
def test_a_send_waits_until_there_is_a_peer(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_socket(3): REQ, DEALER and PUSH block on sending while they have no peer (28/REQREP lets REQ fail instead).
    sender = link.bind(left, pattern.left)
    sending = sender.send_later([["early"]])
    if sending.done(0.05):
        sending.result()
        raise AssertionError(f"{pattern.left} accepted a message though it has no peer")
    receiver = link.connect(right, pattern.right, sender)
    assert receiver.recv()[-1] == "early"
    sending.result()
