"""What XPUB shows its application, and what that can do with it: verbose modes, welcome message, last-value cache."""

from __future__ import annotations

import pytest

from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket

SUBSCRIBE, CANCEL = b"\x01", b"\x00"
"""29/PUBSUB: what stands before the topic in the message that XPUB hands out."""


@pytest.mark.scenario("new-topics-only", "xpub-sub", binds=("left-binds",))
def test_an_xpub_shows_a_topic_once_and_its_end_once(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_XPUB_VERBOSE: by default only new subscriptions are passed on; so are last cancellations.
    xpub = link.bind(left, "XPUB")
    first, second = (link.connect(right, "SUB", xpub) for _ in range(2))
    first.subscribe("a")
    assert xpub.recv() == [SUBSCRIBE + b"a"]
    second.subscribe("a")
    second.subscribe("b")
    assert xpub.recv() == [SUBSCRIBE + b"b"], "a topic that is there already is not shown again"
    first.unsubscribe("a")
    first.subscribe("c")
    assert xpub.recv() == [SUBSCRIBE + b"c"], "a cancellation is not shown while somebody is left"
    second.unsubscribe("a")
    assert xpub.recv() == [CANCEL + b"a"]


@pytest.mark.scenario("verbose", "xpub-sub", binds=("left-binds",))
def test_a_verbose_xpub_shows_every_subscription(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_XPUB_VERBOSE: pass all subscribe messages; ZMQ_XPUB_VERBOSER: and all unsubscribe messages.
    left.need("options", "XPUB_VERBOSE", "XPUB_VERBOSER")
    for option in ("XPUB_VERBOSE", "XPUB_VERBOSER"):
        xpub = link.bind(left, "XPUB", {option: 1})
        first, second = (link.connect(right, "SUB", xpub) for _ in range(2))
        for subscriber in (first, second):
            subscriber.subscribe("a")
            assert xpub.recv() == [SUBSCRIBE + b"a"]
        first.unsubscribe("a")
        if option == "XPUB_VERBOSER":
            assert xpub.recv() == [CANCEL + b"a"]
        first.subscribe("b")
        assert xpub.recv() == [SUBSCRIBE + b"b"]


@pytest.mark.scenario("leaving-subscriber", "xpub-sub", "xpub-xsub", binds=("left-binds",))
def test_subscriptions_end_with_their_subscriber(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 29/PUBSUB: when a subscriber disconnects its subscriptions are gone; XPUB tells of topics that nobody is left for.
    xpub, subscriber = link.open((left, "XPUB"), (right, pattern.right))
    for topic in ("a", "b"):
        subscriber.subscribe(topic)
        assert xpub.recv() == [SUBSCRIBE + topic.encode()]
    waiting = xpub.recv_later(2)
    subscriber.close()
    assert sorted(waiting.messages(), key=repr) == [[CANCEL + b"a"], [CANCEL + b"b"]]


@pytest.mark.scenario("welcome", "xpub-sub", binds=("left-binds",))
def test_a_new_subscriber_is_welcomed(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_XPUB_WELCOME_MSG: received by subscribers when connecting, if subscribed to it before.
    left.need("options", "XPUB_WELCOME_MSG")
    xpub = link.bind(left, "XPUB", {"XPUB_WELCOME_MSG": "welcome to this feed"})
    # libzmq accepts peers whenever its application calls it.
    xpub.recv_later(3, timeout=60_000)
    for _ in range(2):
        subscriber = link.connect(right, "SUB", xpub, {"SUBSCRIBE": "welcome"})
        assert subscriber.recv() == ["welcome to this feed"]


@pytest.mark.scenario("last-value-cache", "xpub-sub", "xpub-xsub", binds=("left-binds",))
def test_a_late_subscriber_can_be_sent_the_last_value(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # zmq_setsockopt(3), ZMQ_XPUB_VERBOSE makes a cache possible: each subscription is shown, and answered.
    options: dict[str, OptionValue] = {"XPUB_VERBOSE": 1}
    left.need("options", *options)
    xpub = link.bind(left, "XPUB", options)
    cache = {"temperature": "20", "pressure": "1013"}
    early: RemoteSocket | None = None
    for topic, value in [*cache.items(), *cache.items()]:
        xpub.send(topic, "before anybody asked")
        subscriber = link.connect(right, pattern.right, xpub)
        subscriber.subscribe(topic)
        assert xpub.recv() == [SUBSCRIBE + topic.encode()]
        xpub.send(topic, value)
        assert subscriber.recv() == [topic, value]
        if early is None:
            early = subscriber
    assert early is not None
    # It heard its topic again when another one asked for it, and nothing else.
    assert early.recv_all(2) == [["temperature", "before anybody asked"], ["temperature", "20"]]


@pytest.mark.scenario("manual", "xpub-sub", binds=("left-binds",))
def test_a_manual_xpub_decides_what_a_subscription_means(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_XPUB_MANUAL: subscriptions are applied by the application, with ZMQ_SUBSCRIBE.
    left.need("options", "XPUB_MANUAL", "SUBSCRIBE")
    xpub, subscriber = link.open((left, "XPUB", {"XPUB_MANUAL": 1}), (right, "SUB"))
    subscriber.subscribe("wish")
    assert xpub.recv() == [SUBSCRIBE + b"wish"]
    # In force there, not here; SUB itself filters again, so the topic given begins like the one wished for.
    xpub.set("SUBSCRIBE", "wish granted")
    xpub.send_all([["wish", "lost"], ["wish granted", "found"]])
    assert subscriber.recv() == ["wish granted", "found"]


@pytest.mark.scenario("upstream-to-xpub", "xpub-xsub", binds=("left-binds",))
def test_what_an_xsub_sends_up_reaches_the_xpub(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_XPUB: XSUB may send messages upstream, which are no subscriptions; XPUB receives them.
    xpub, xsub = link.open((left, "XPUB"), (right, "XSUB"))
    xsub.subscribe("a")
    assert xpub.recv() == [SUBSCRIBE + b"a"]
    xsub.send("question", "of several", "frames")
    xsub.send("\x02")
    assert xpub.recv_all(2) == [["question", "of several", "frames"], ["\x02"]]
    xpub.send("a", "answer")
    assert xsub.recv() == ["a", "answer"]
