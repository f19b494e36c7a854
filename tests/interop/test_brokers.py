"""Brokers, each built on one implementation, with all implementations on both sides: forwarder, streamer and queue.

The middle is the workload `proxy`: the library's own where it has one (zmq_proxy(3)). Peers are the left role and all
implementations in turn; the broker is the right one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from time import perf_counter

import pytest

from harness.errors import CallFailed
from harness.judge import Crowd
from harness.model.patterns import Pattern
from harness.peers.client import PendingCall
from harness.peers.sockets import Link, Peer, Receiving, RemoteSocket, until
from tests.interop.steps import bytes_of, probe_until_subscribed, see_subscribed

CROWD = 4
"""Peers on each side: every implementation once."""

BATCH = 24
"""Messages that are under way together: far below any high-water mark."""

QUIET_MS = 50.0
"""How long nothing may come where nothing must."""


class Broker:
    """Two sockets of one peer with a proxy between them; the backend connects to another broker if there is one."""

    def __init__(self, peer: Peer, link: Link, front: str, back: str, next_one: Broker | None) -> None:
        peer.need("workloads", "proxy")
        self.front = link.bind(peer, front)
        self.back = link.connect(peer, back, next_one.front) if next_one else link.bind(peer, back)
        self.running: PendingCall = self.front.work("proxy", backend=self.back.handle, timeout=60_000)

    def passed(self) -> tuple[int, int]:
        """Close the broker; returns how many messages went forward and backward."""
        self.front.close()
        result = self.running.result()
        return result["forward"], result["backward"]

    def passed_exactly(self, forward: int, backward: int) -> None:
        """Close the broker and see what it counted; the very last message may not be counted yet."""
        passed = self.passed()
        assert passed[0] <= forward
        assert passed[1] <= backward
        assert sum(passed) >= forward + backward - 1, f"it counted {passed} instead of {forward, backward}"


@contextmanager
def broker(peer: Peer, link: Link, front: str, back: str, next_one: Broker | None = None) -> Iterator[Broker]:
    """Run a broker; one that ended by itself before its time is the reason of whatever failed meanwhile."""
    middle = Broker(peer, link, front, back, next_one)
    try:
        yield middle
    except Exception:
        if middle.running.done():
            middle.running.result()
        raise


class Load:
    """Numbered messages through a broker: what was sent, and what came how often, at the sender or at others."""

    def __init__(self, sender: RemoteSocket, receivers: list[RemoteSocket], *envelope: str) -> None:
        self.sender = sender
        self.envelope = envelope
        self.sent = 0
        self.came: Counter[int] = Counter()
        self.shares: Counter[RemoteSocket] = Counter()
        self._waiting: dict[RemoteSocket, Receiving] = {}
        for receiver in receivers:
            self.add(receiver)

    def add(self, receiver: RemoteSocket) -> None:
        """Let one more receive."""
        self._waiting[receiver] = receiver.recv_later(timeout=60_000)

    def remove(self, receiver: RemoteSocket) -> None:
        """Close a receiver, after it has handed out what it had."""
        self._take()
        del self._waiting[receiver]
        receiver.close()

    def start(self, number: int = BATCH) -> PendingCall:
        """Start sending the next ones."""
        first, self.sent = self.sent, self.sent + number
        return self.sender.send_later([[*self.envelope, str(one)] for one in range(first, self.sent)])

    def _take(self) -> bool:
        before = len(self.came)
        for receiver, receiving in list(self._waiting.items()):
            if receiving.done():
                self.came[int(bytes_of(receiving.messages()[0][-1]))] += 1
                self.shares[receiver] += 1
                self._waiting[receiver] = receiver.recv_later(timeout=60_000)
        assert self.came.total() == len(self.came), f"came more than once: {self.came.most_common(3)}"
        return len(self.came) > before

    def complete(self, quiet_ms: float, since: int = 0) -> bool:
        """Receive until everything sent from number `since` on has come; False if for so long nothing more does."""
        last = perf_counter()
        while not all(self.came[one] for one in range(since, self.sent)):
            if self._take():
                last = perf_counter()
            elif perf_counter() - last > quiet_ms / 1000:
                return False
            else:
                next(iter(self._waiting.values())).done(0.0005)
        return True

    @property
    def lost(self) -> int:
        """How many never came."""
        return self.sent - len(self.came)


@pytest.mark.scenario("forwarder", "pub-xsub", pairs="mixed-left", binds=("right-binds",))
def test_a_forwarder_passes_subscriptions_up_and_publications_down(peers: Crowd, right: Peer, link: Link) -> None:
    # zmq_proxy(3), forwarder: XSUB collects from publishers, XPUB publishes to subscribers, and passes subscriptions.
    with broker(right, link, "XSUB", "XPUB") as middle:
        publishers = [link.connect(peer, "PUB", middle.front) for peer in peers.left(CROWD)]
        subscribers = [link.connect(peer, "SUB", middle.back) for peer in peers.left(CROWD)]
        for number, subscriber in enumerate(subscribers):
            subscriber.subscribe("sync")
            subscriber.subscribe(f"for {number}")
        for number, publisher in enumerate(publishers):
            # A topic of one subscriber alone: XPUB tells of it upwards only after everything that came before.
            for reader, subscriber in enumerate(subscribers):
                see_subscribed(publisher, [subscriber], f"for {reader}".encode())
            see_subscribed(publisher, subscribers, b"sync")
            publisher.send_all([[f"for {reader}", f"from {number}"] for reader in range(CROWD)])
            publisher.send_all([["for nobody", f"from {number}"], ["sync", f"end of {number}"]])
            for reader, subscriber in enumerate(subscribers):
                assert subscriber.recv_all(2) == [[f"for {reader}", f"from {number}"], ["sync", f"end of {number}"]]
        assert middle.passed()[0] >= CROWD * (CROWD + 1)


@pytest.mark.scenario("streamer", "push-pull", pairs="mixed-left", binds=("right-binds",))
def test_a_streamer_gives_each_message_to_one_worker(peers: Crowd, right: Peer, link: Link) -> None:
    # zmq_proxy(3), streamer: PULL collects from pushers, PUSH deals out to workers (30/PIPELINE: round robin).
    with broker(right, link, "PULL", "PUSH") as middle:
        workers = [link.connect(peer, "PULL", middle.back) for peer in peers.left(CROWD)]
        loads = [Load(link.connect(peer, "PUSH", middle.front), []) for peer in peers.left(CROWD)]
        whole = Load(loads[0].sender, workers)
        for turn in count():
            # Every pusher's numbers are its own.
            for load in loads:
                whole.sender = load.sender
                whole.start(6).result()
            assert whole.complete(right.wait_ms), f"{whole.lost} of {whole.sent} messages did not come in time"
            if len(whole.shares) == CROWD:
                break
            assert turn < 100, f"only {len(whole.shares)} of {CROWD} workers get a share"
        middle.passed_exactly(whole.sent, 0)


@pytest.mark.scenario("queue", "req-router", pairs="mixed-left", binds=("right-binds",))
def test_a_queue_returns_each_answer_to_who_asked(peers: Crowd, right: Peer, link: Link) -> None:
    # zmq_proxy(3), shared queue: ROUTER and DEALER pass requests to workers and replies back along their envelope.
    with broker(right, link, "ROUTER", "DEALER") as middle:
        workers = [link.connect(peer, "REP", middle.back) for peer in peers.left(CROWD)]
        clients = [link.connect(peer, "REQ", middle.front) for peer in peers.left(CROWD)]
        for worker in workers:
            worker.work("echo", count=1_000_000, timeout=60_000)
        # Each checks that its answers are the ones to its own questions.
        asking = [client.work("ping", count=12, size=16 + number) for number, client in enumerate(clients)]
        wrong = [call.result()["wrong"] for call in asking]
        assert not any(wrong), f"the {CROWD} clients got {wrong} answers that were not theirs"
        middle.passed_exactly(12 * CROWD, 12 * CROWD)


@pytest.mark.scenario("two-brokers", "req-router", binds=("right-binds",))
def test_two_brokers_in_a_row_are_as_good_as_one(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP: a chain of ROUTER and DEALER of any length returns each reply along the envelope.
    with broker(right, link, "ROUTER", "DEALER") as far, broker(left, link, "ROUTER", "DEALER", far) as near:
        worker = link.connect(right, "REP", far.back)
        worker.work("echo", count=1_000_000, timeout=60_000)
        clients = [link.connect(left, "REQ", near.front) for _ in range(2)]
        asking = [client.work("ping", count=6, size=16 + number) for number, client in enumerate(clients)]
        assert [call.result()["wrong"] for call in asking] == [0, 0]
        for middle in (near, far):
            middle.passed_exactly(12, 12)


@pytest.mark.scenario("subscribers-come-and-go", "pub-xsub", pairs="mixed-left", binds=("right-binds",))
def test_subscribers_behind_a_forwarder_come_and_go_unnoticed_by_others(peers: Crowd, right: Peer, link: Link) -> None:
    # 29/PUBSUB: a subscriber gets all messages from its subscription on; what others do does not matter to it.
    with broker(right, link, "XSUB", "XPUB") as middle:
        publisher = link.connect(peers.left(1)[0], "PUB", middle.front)
        stays, *others = (link.connect(peer, "SUB", middle.back) for peer in peers.left(3))
        stays.subscribe("news")
        leftover = probe_until_subscribed(publisher, [stays], b"news")[0]
        if leftover:
            stays.recv_all(leftover)
        numbers = count()

        def publish() -> PendingCall:
            return publisher.send_later([["news", str(next(numbers))] for _ in range(8)])

        def until_marker(subscriber: RemoteSocket, marker: str) -> list[int]:
            seen = []
            while (word := bytes_of(subscriber.recv()[1])) != marker.encode():
                seen.append(int(word))
            return seen

        def is_run(seen: list[int]) -> bool:
            return seen == list(range(seen[0], seen[-1] + 1))

        for joining in others:
            load = publish()
            joining.subscribe("news")
            load.result()
            first = joining.recv_later()
            for pause in until(right.wait_ms):
                publish().result()
                if first.done(pause):
                    break
            publisher.send("news", "joined")
            begin = int(bytes_of(first.messages()[0][1]))
            assert is_run([begin, *until_marker(joining, "joined")])
            assert is_run(until_marker(stays, "joined"))
            if joining is not others[0]:
                until_marker(others[0], "joined")
        for leaving in others:
            load = publish()
            leaving.close()
            load.result()
        publish().result()
        publisher.send("news", "end")
        seen = until_marker(stays, "end")
        assert is_run(seen)
        assert (len(seen), seen[-1]) == (24, next(numbers) - 1)


@pytest.mark.scenario("workers-come-and-go", "push-pull", "req-router", pairs="mixed-left", binds=("right-binds",))
def test_workers_behind_a_broker_come_and_go_under_load(
    peers: Crowd, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 30/PIPELINE, PUSH; 28/REQREP, DEALER: to available peers in turn; of one that disconnects, SHALL destroy the queue
    streams = pattern.name == "push-pull"
    front, back, sends, works = ("PULL", "PUSH", "PUSH", "PULL") if streams else ("ROUTER", "DEALER", "DEALER", "REP")
    with broker(right, link, front, back) as middle:
        sender = link.connect(peers.left(1)[0], sends, middle.front)
        load = Load(sender, [], *(() if streams else ("",)))
        workers: list[RemoteSocket] = []

        def join(peer: Peer) -> None:
            workers.append(link.connect(peer, works, middle.back))
            if streams:
                load.add(workers[-1])
            else:
                workers[-1].work("echo", count=1_000_000, timeout=60_000)

        if not streams:
            load.add(sender)
        for peer in peers.left(3):
            sending = load.start()
            join(peer)
            sending.result()
            assert load.complete(right.wait_ms), f"{load.lost} of {load.sent} messages were lost when a worker joined"
        for leaving in workers[:2]:
            sending = load.start()
            if streams:
                load.remove(leaving)
            else:
                leaving.close()
            sending.result()
            # What had gone to the leaver, or goes there until the broker notices, is lost. Then nothing is any more.
            whole = 0
            for pause in until(right.wait_ms):
                since = load.sent
                load.start().result()
                whole = whole + 1 if load.complete(50 + 1000 * pause, since) else 0
                if whole == 3:
                    break
            assert whole == 3, f"{load.lost} of {load.sent} messages were lost after a worker had left"
        figures["messages sent"], figures["messages lost with workers"] = load.sent, load.lost


@pytest.mark.scenario("steered", "req-router", pairs="same", binds=("right-binds",))
def test_a_proxy_can_be_paused_resumed_and_ended(left: Peer, right: Peer, link: Link) -> None:
    # zmq_proxy_steerable(3): PAUSE, RESUME and TERMINATE.
    right.need("features", "steer")
    with broker(right, link, "ROUTER", "DEALER") as middle:
        worker = link.connect(left, "REP", middle.back)
        client = link.connect(left, "REQ", middle.front)
        serving = worker.work("echo", count=1_000_000, timeout=60_000)
        assert client.work("ping", count=3, size=16).result()["wrong"] == 0
        middle.front.steer("PAUSE")
        client.send("held up")
        answer = client.recv_later()
        assert not answer.done(QUIET_MS / 1000), "a message passed a paused proxy"
        middle.front.steer("RESUME")
        assert answer.messages() == [["held up"]]
        middle.front.steer("TERMINATE")
        passed = middle.running.result()
        assert (passed["forward"], passed["backward"]) == (4, 4)
        worker.close()
        with suppress(CallFailed):
            serving.result()
