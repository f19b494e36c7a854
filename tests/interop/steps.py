"""Steps that several checks share: turns over every send path, bursts with borders, and waiting for a subscription."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from harness.model.frames import Content, Frame, frame
from harness.model.payloads import Body, Payload
from harness.peers.sockets import Peer, RemoteSocket, until

LARGE = 4096
"""Bytes: payload classes beyond this are sent less often."""

PREFIX = 16
"""Bytes of a payload's first frame that subscribers ask for."""


def turns(left: Peer, right: Peer) -> Iterator[tuple[int, str, str]]:
    """Yield (turn, left's send path, right's send path), so that each library's every path is used; at least twice."""
    a, b = left.capabilities["send_paths"], right.capabilities["send_paths"]
    for turn, (one, other) in enumerate(zip_longest(a, b) if max(len(a), len(b)) > 1 else [(a[0], b[0])] * 2):
        yield turn, one or a[0], other or b[0]


def bursts(peer: Peer, payload: Payload) -> Iterator[tuple[str, list[Body]]]:
    """Yield (send path, messages) for each path: two of the payload class, parted by a numbered one.

    The later paths send one body of the larger classes, which say no more by being sent again.
    """
    for turn, path in enumerate(peer.capabilities["send_paths"]):
        messages: list[Body] = [payload.body(2 * turn), [f"between {turn}"], payload.body(2 * turn + 1)]
        yield path, messages[:1] if turn and payload.size > LARGE else messages


def send_bursts(sender: RemoteSocket, payload: Payload, *envelope: Content) -> list[list[Content]]:
    """Send every burst, each message behind the envelope, and a last message; returns the bodies in order."""
    sent: list[list[Content]] = []
    for path, messages in bursts(sender.peer, payload):
        sender.send_all([[*envelope, *message] for message in messages], via=path)
        sent += messages
    sender.send(*envelope, "last")
    return [*sent, ["last"]]


def probe_until_subscribed(publisher: RemoteSocket, subscribers: list[RemoteSocket], topic: bytes) -> list[int]:
    """Publish numbered probes on `topic` until each subscriber got one.

    Returns how many more probes each subscriber still has to receive: once a subscription is there nothing may be lost
    (29/PUBSUB), so the probes after the first one must all come, and come first.
    """
    waiting = [subscriber.recv_later() for subscriber in subscribers]
    count = 0
    for pause in until(publisher.peer.wait_ms):
        publisher.send(topic, str(count))
        count += 1
        if all(receiving.done(pause) for receiving in waiting):
            break
    first = [int(bytes_of(receiving.messages()[0][1])) for receiving in waiting]
    return [count - 1 - number for number in first]


def see_subscribed(publisher: RemoteSocket, subscribers: list[RemoteSocket], *topics: bytes) -> None:
    """Publish probes on each topic until every subscriber got one, and take in the others.

    One probe for all would not do where the subscriber binds: a connection that comes after the subscriptions is told
    of them in an order that no clause sets.
    """
    for topic in topics:
        leftovers = probe_until_subscribed(publisher, subscribers, topic)
        for subscriber, leftover in zip(subscribers, leftovers, strict=True):
            if leftover:
                assert [message[0] for message in subscriber.recv_all(leftover)] == [topic] * leftover


def bytes_of(content: Content) -> bytes:
    """Return the bytes of a frame that is known whole."""
    known = frame(content)
    return known.head(known.size)


def topic_of(body: Body) -> bytes:
    """Return the prefix that subscribes to a body."""
    first: Frame = frame(body[0])
    return first.head(PREFIX)
