"""PUB, XPUB, SUB and XSUB: 29/PUBSUB."""

from __future__ import annotations

import pytest

from harness.model.matrix import Cell
from harness.model.patterns import Pattern
from harness.model.payloads import Payload
from harness.peers.sockets import Link, Peer
from tests.interop.steps import bytes_of, see_subscribed, send_bursts, topic_of


@pytest.mark.cells("pub-sub", "pub-xsub", "xpub-sub", "xpub-xsub")
def test_subscriber_gets_what_begins_with_its_prefix_and_nothing_else(
    left: Peer, right: Peer, link: Link, payload: Payload, pattern: Pattern
) -> None:
    # 29/PUBSUB: the publisher SHALL send messages to subscribers whose subscription is a prefix of the first frame.
    publisher, subscriber = link.open((left, pattern.left), (right, pattern.right))
    topic = topic_of(payload.body(0))
    prefixes = (topic, b"between", b"last")
    for prefix in prefixes:
        subscriber.subscribe(prefix)
    see_subscribed(publisher, [subscriber], *prefixes)
    others = [[bytes([byte ^ 0xFF]) + b" is for others"] for byte in topic[:1]]
    for message in others:
        publisher.send(*message)
    sent = send_bursts(publisher, payload)
    wanted = [body for body in sent if bytes_of(body[0]).startswith(prefixes)]
    assert subscriber.recv_all(len(wanted)) == wanted


@pytest.mark.scenario("sees-subscription", "xpub-sub", "xpub-xsub")
def test_xpub_hands_subscriptions_to_its_application(
    left: Peer, right: Peer, link: Link, pattern: Pattern, cell: Cell
) -> None:
    # 29/PUBSUB: XPUB SHALL deliver subscription messages to its application; a byte 1 or 0, then the topic.
    publisher, subscriber = link.open((left, "XPUB"), (right, pattern.right))
    subscriber.subscribe("weather")
    waiting = subscriber.recv_later()
    assert publisher.recv() == [b"\x01weather"]
    publisher.send("weather in Xi'an", "sunny")
    assert waiting.messages() == [["weather in Xi'an", "sunny"]]
