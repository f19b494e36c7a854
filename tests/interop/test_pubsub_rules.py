"""What 29/PUBSUB promises about subscriptions: what they match, how they add up, and that they outlive a connection."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import pytest

from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket, until
from tests.interop.steps import bytes_of, probe_until_subscribed


class Feed:
    """A publisher and one of its subscribers, whose subscriptions are in force wherever `expect` is called.

    Subscriptions travel on the connection in order, so a probe on a last one tells that those before it have arrived;
    the subscriber must be the one that connects, for it tells a later connection of them in any order.
    """

    def __init__(self, publisher: RemoteSocket, subscriber: RemoteSocket) -> None:
        self.publisher = publisher
        self.subscriber = subscriber
        self._turn = 0

    def expect(self, published: Iterable[bytes], wanted: Iterable[bytes]) -> None:
        """Publish one message a topic; exactly the wanted ones must come, each once and in order."""
        self._turn += 1
        probe = f"\x7f probe {self._turn}".encode()
        self.subscriber.subscribe(probe)
        leftover = probe_until_subscribed(self.publisher, [self.subscriber], probe)[0]
        self.publisher.send_all([[topic, b"body"] for topic in published])
        self.publisher.send(probe, b"end")
        wanted = list(wanted)
        received = self.subscriber.recv_all(leftover + len(wanted) + 1, inline=SIZES[-1] + 1)[leftover:]
        assert [bytes_of(message[0]) for message in received] == [*wanted, probe]


@pytest.mark.scenario("empty-subscription", "pub-sub", "xpub-sub", "pub-xsub", "xpub-xsub", binds=("left-binds",))
def test_the_empty_subscription_gets_everything(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_SUBSCRIBE: an empty option value subscribes to all incoming messages.
    publisher, subscriber = link.open((left, pattern.left), (right, pattern.right))
    subscriber.subscribe("")
    leftover = probe_until_subscribed(publisher, [subscriber], b"probe")[0]
    messages: list[list[bytes]] = [[b"a"], [b""], [b"", b"a"], [b"\x00"], [b"\x01a", b""], [b"\xff" * 300, b"b"]]
    publisher.send_all(messages)
    assert subscriber.recv_all(leftover + len(messages))[leftover:] == messages


SIZES = (1, 2, 244, 245, 256, 257, 1000, 9000)
BORDERS = (246, 248, 249, 254, 255)
"""Topics that fit a short frame themselves, and no longer do in the SUBSCRIBE or CANCEL of ZMTP 3.1, or behind a 1."""


def match_by_prefix(feed: Feed, sizes: tuple[int, ...]) -> None:
    # Nulls and bytes that are no UTF-8, each topic its own from the first byte on.
    topics = [(bytes([0x80 + number]) + b"\x00\xff\n" * size)[:size] for number, size in enumerate(sizes)]
    for topic in topics:
        feed.subscriber.subscribe(topic)
    shorter = [topic[:-1] for topic in topics]
    others = [topic[:-1] + bytes([topic[-1] ^ 1]) for topic in topics]
    longer = [topic + b"\x00" for topic in topics]
    published = [topic for group in zip(topics, shorter, others, longer, strict=True) for topic in group]
    feed.expect(published, [topic for group in zip(topics, longer, strict=True) for topic in group])
    for topic in topics[::2]:
        feed.subscriber.unsubscribe(topic)
    kept = [topic for group in zip(topics[1::2], longer[1::2], strict=True) for topic in group]
    feed.expect(published, kept)


@pytest.mark.scenario("topic-sizes", "pub-sub", "xpub-xsub", binds=("left-binds",))
def test_topics_of_any_bytes_and_size_match_by_prefix(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 29/PUBSUB: the subscription is a binary string, compared with the start of the message's first frame.
    match_by_prefix(Feed(*link.open((left, pattern.left), (right, pattern.right))), SIZES)


@pytest.mark.scenario("topic-borders", "pub-sub", "xpub-xsub", binds=("left-binds",))
def test_topics_that_make_a_frame_long_match_by_prefix(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 23/ZMTP: a frame's size octet holds 0 to 255; the frame's size, not the topic's, decides whether it is long.
    match_by_prefix(Feed(*link.open((left, pattern.left), (right, pattern.right))), BORDERS)


@pytest.mark.scenario("first-frame-only", "pub-sub", "xpub-xsub", binds=("left-binds",))
def test_only_the_first_frame_is_matched(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 29/PUBSUB: the subscription is compared with the first frame of the message.
    feed = Feed(*link.open((left, pattern.left), (right, pattern.right)))
    feed.subscriber.subscribe("weather")
    feed.expect([], [])
    feed.publisher.send("news", "weather")
    feed.publisher.send("", "weather")
    feed.publisher.send("wea", "ther")
    feed.expect([b"weather"], [b"weather"])


@pytest.mark.scenario("overlapping", "pub-sub", "xpub-sub", "xpub-xsub", binds=("left-binds",))
def test_overlapping_subscriptions_give_each_message_once_until_the_last_is_gone(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # 29/PUBSUB: SHALL send a message to a subscriber that has one or more matching subscriptions (so once to each).
    feed = Feed(*link.open((left, pattern.left), (right, pattern.right)))
    news = [b"", b"a", b"ab", b"abc", b"b"]
    for topic in ("ab", "a", "abc"):
        feed.subscriber.subscribe(topic)
    feed.expect(news, [b"a", b"ab", b"abc"])
    feed.subscriber.unsubscribe("a")
    feed.expect(news, [b"ab", b"abc"])
    feed.subscriber.unsubscribe("ab")
    feed.expect(news, [b"abc"])
    feed.subscriber.unsubscribe("abc")
    feed.expect(news, [])
    feed.subscriber.subscribe("a")
    feed.expect(news, [b"a", b"ab", b"abc"])


@pytest.mark.scenario("counted", "pub-sub", "xpub-sub", binds=("left-binds",))
def test_a_repeated_subscription_needs_as_many_cancellations(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # 23/ZMTP and 37/ZMTP: subscriptions SHALL be additive and SHALL NOT be idempotent.
    feed = Feed(*link.open((left, pattern.left), (right, "SUB")))
    for _ in range(3):
        feed.subscriber.subscribe("a")
    for _ in range(2):
        feed.subscriber.unsubscribe("a")
        feed.expect([b"a", b"b"], [b"a"])
    feed.subscriber.unsubscribe("a")
    feed.expect([b"a", b"b"], [])


@pytest.mark.scenario("others-unsubscribe", "pub-sub", "xpub-sub", binds=("left-binds",))
def test_an_unsubscription_leaves_other_subscribers_alone(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # 29/PUBSUB: the publisher SHALL send to those subscribers that have a matching subscription.
    publisher = link.bind(left, pattern.left)
    leaving, staying = both = [link.connect(right, "SUB", publisher) for _ in range(2)]
    for subscriber in both:
        subscriber.subscribe("a")
        subscriber.subscribe("sync")
    leftovers = probe_until_subscribed(publisher, both, b"sync")
    publisher.send("sync", "start")
    for subscriber, leftover in zip(both, leftovers, strict=True):
        assert subscriber.recv_all(leftover + 1)[-1] == ["sync", "start"]
    leaving.unsubscribe("a")
    leaving.subscribe("gone")
    leftover = probe_until_subscribed(publisher, [leaving], b"gone")[0]
    publisher.send_all([["a"], ["sync", "end"]])
    assert leaving.recv_all(leftover + 1)[leftover:] == [["sync", "end"]]
    assert staying.recv_all(2) == [["a"], ["sync", "end"]]
    leaving.close()
    publisher.send_all([["a"], ["b"], ["sync", "again"]])
    assert staying.recv_all(2) == [["a"], ["sync", "again"]]


@pytest.mark.scenario("subscribed-before", "pub-sub", "pub-xsub", "xpub-xsub", binds=("left-binds",))
def test_subscriptions_made_before_connecting_count(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 29/PUBSUB: SUB and XSUB SHALL send subscriptions to publishers; zmq_setsockopt(3) sets no order with connecting.
    publisher = link.bind(left, pattern.left)
    subscriber = right.socket(pattern.right)
    subscriber.subscribe("a")
    subscriber.subscribe("b")
    subscriber.unsubscribe("b")
    subscriber.connect(publisher.endpoint)
    Feed(publisher, subscriber).expect([b"a", b"b"], [b"a"])


@pytest.mark.scenario("later-publisher", "pub-sub", "pub-xsub", "xpub-xsub", binds=("left-binds",))
def test_a_later_publisher_is_told_of_earlier_subscriptions(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # 29/PUBSUB: the subscriber MAY be connected to any number of publishers, and SHALL send them its subscriptions.
    first, later = (link.bind(left, pattern.left) for _ in range(2))
    subscriber = link.connect(right, pattern.right, first)
    subscriber.subscribe("a")
    Feed(first, subscriber).expect([b"a", b"b"], [b"a"])
    subscriber.connect(later.endpoint)
    leftover = probe_until_subscribed(later, [subscriber], b"a probe")[0]
    for publisher in (later, first):
        publisher.send_all([["b"], ["a", "end"]])
        assert subscriber.recv_all(leftover + 1)[leftover:] == [["a", "end"]]
        leftover = 0


def reconnecting(peer: Peer) -> dict[str, OptionValue]:
    """Return the options with which a socket comes back by itself, soon."""
    peer.need("features", "reconnect")
    options: dict[str, OptionValue] = {"AUTO_RECONNECT": 1} if peer.can("options", "AUTO_RECONNECT") else {}
    if peer.can("options", "RECONNECT_IVL"):
        options["RECONNECT_IVL"] = 10
    return options


@pytest.mark.scenario("publisher-restarts", "pub-sub", "pub-xsub", binds=("left-binds",))
def test_a_restarted_publisher_is_told_of_the_subscriptions_again(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # 29/PUBSUB: subscriptions belong to the subscriber and outlive a connection; zmq_connect(3) reconnects.
    publisher = link.bind(left, pattern.left)
    subscriber = link.connect(right, pattern.right, publisher, reconnecting(right))
    for topic in ("a", "b"):
        subscriber.subscribe(topic)
    subscriber.unsubscribe("b")
    Feed(publisher, subscriber).expect([b"a", b"b"], [b"a"])
    publisher.close()
    publisher = left.socket(pattern.left, bind=publisher.endpoint)
    leftover = probe_until_subscribed(publisher, [subscriber], b"a probe")[0]
    publisher.send_all([["b"], ["c"], ["a", "end"]])
    assert subscriber.recv_all(leftover + 1)[leftover:] == [["a", "end"]]


@pytest.mark.scenario("upstream", "pub-xsub", binds=("left-binds",))
def test_a_publisher_ignores_messages_of_its_subscribers(left: Peer, right: Peer, link: Link) -> None:
    # 29/PUBSUB, PUB: SHALL silently discard any messages that subscribers send it.
    feed = Feed(*link.open((left, "PUB"), (right, "XSUB")))
    feed.subscriber.subscribe("a")
    feed.expect([b"a"], [b"a"])
    feed.subscriber.send_all([["upstream", str(number)] for number in range(12)])
    feed.subscriber.send_all([["\x02"], [""], ["one frame"]])
    feed.subscriber.subscribe("b")
    feed.expect([b"a", b"b", b"c"], [b"a", b"b"])


def through(publisher: RemoteSocket, subscriber: RemoteSocket, words: list[str], turn: int) -> list[str]:
    """Publish each word with the number of the turn, and a last one; return which of them came."""
    publisher.send_all([[word, str(turn)] for word in (*words, "z")])
    came: list[str] = []
    while True:
        word, number = (bytes_of(part).decode() for part in subscriber.recv())
        if number == str(turn):
            if word == "z":
                return came
            came.append(word)


@pytest.mark.scenario("inverted", "pub-sub", "pub-xsub", "xpub-sub", binds=("left-binds",))
def test_inverted_matching_gives_what_is_not_subscribed_to(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # zmq_setsockopt(3), ZMQ_INVERT_MATCHING: PUB and XPUB send to all "except those subscribed to a prefix that
    # matches"; SUB must be told as well, XSUB need not, as it does not filter.
    left.need("options", "INVERT_MATCHING")
    inverted: dict[str, OptionValue] = {"INVERT_MATCHING": 1}
    if pattern.right == "SUB":
        right.need("options", "INVERT_MATCHING")
    publisher = link.bind(left, pattern.left, inverted)
    subscriber = link.connect(right, pattern.right, publisher, inverted if pattern.right == "SUB" else None)
    waiting = subscriber.recv_later()
    for pause in until(left.wait_ms):
        publisher.send("hello", "0")
        if waiting.done(pause):
            break
    assert waiting.messages() == [["hello", "0"]]
    words = ["a", "b", "ab", "", "ba", "A"]
    numbers = count(1)
    for topic, wanted in ((None, words), ("a", ["b", "", "ba", "A"]), (None, words)):
        if topic is not None:
            subscriber.subscribe(topic)
        elif next(numbers) > 1:
            subscriber.unsubscribe("a")
        # A subscription takes its time to the publisher.
        for _ in until(left.wait_ms):
            if (came := through(publisher, subscriber, words, next(numbers))) == wanted:
                break
        assert came == wanted
