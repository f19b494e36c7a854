"""What 30/PIPELINE and 31/EXPAIR promise beyond two sockets: shares, comings and goings, exclusiveness."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from harness.errors import CallFailed
from harness.model.frames import Message
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, Peer, RemoteSocket, until
from tests.interop.recovery import Flow
from tests.interop.steps import bytes_of

QUIET_MS = 50.0
"""How long nothing may come where nothing must."""


def jobs(count: int, what: str = "job") -> list[list[str]]:
    return [[what, str(number)] for number in range(count)]


def shares(workers: list[RemoteSocket], work: list[list[str]]) -> list[int]:
    """Receive an even share at each worker; together it must be all the work, each job once."""
    each = len(work) // len(workers)
    taking = [worker.recv_later(each) for worker in workers]
    taken = [receiving.messages() for receiving in taking]
    assert Counter(name(job) for share in taken for job in share) == Counter(map(tuple, work))
    for share in taken:
        numbers = [int(name(job)[1]) for job in share]
        assert numbers == sorted(numbers), f"a worker's jobs are in the order of sending, not {numbers}"
    return [len(share) for share in taken]


def name(job: Message) -> tuple[str, ...]:
    return tuple(bytes_of(part).decode() for part in job)


@pytest.mark.scenario("even-shares", "push-pull", binds=("right-binds",))
def test_each_message_goes_to_one_worker_and_shares_are_even(left: Peer, right: Peer, link: Link) -> None:
    # 30/PIPELINE, PUSH: SHALL route outgoing messages to available peers using a round-robin strategy.
    workers = [link.bind(right, "PULL") for _ in range(3)]
    pusher = link.connect(left, "PUSH", workers[0])
    for worker in workers[1:]:
        pusher.connect(worker.endpoint)
    work = jobs(30)
    pusher.send_all(work)
    assert shares(workers, work) == [10, 10, 10]


@pytest.mark.scenario("worker-joins", "push-pull", binds=("right-binds",))
def test_a_worker_that_joins_gets_its_share_and_nothing_is_lost(left: Peer, right: Peer, link: Link) -> None:
    # 30/PIPELINE, PUSH: SHALL create a queue when initiating an outgoing connection; round robin over available peers.
    workers = [link.bind(right, "PULL") for _ in range(3)]
    pusher = link.connect(left, "PUSH", workers[0])
    for count in (1, 2, 3):
        if count > 1:
            pusher.connect(workers[count - 1].endpoint)
        work = jobs(12, f"to {count}")
        pusher.send_all(work)
        assert shares(workers[:count], work) == [12 // count] * count


@pytest.mark.scenario("worker-is-dismissed", "push-pull", binds=("right-binds",))
def test_a_dismissed_worker_gets_no_more_and_nothing_is_lost(left: Peer, right: Peer, link: Link) -> None:
    # zmq_disconnect(3): the endpoint gets no further messages; what others get goes round as before.
    left.need("features", "disconnect")
    workers = [link.bind(right, "PULL") for _ in range(3)]
    pusher = link.connect(left, "PUSH", workers[0])
    for worker in workers[1:]:
        pusher.connect(worker.endpoint)
    for count in (3, 2, 1):
        work = jobs(12, f"to {count}")
        pusher.send_all(work)
        assert shares(workers[:count], work) == [12 // count] * count
        pusher.disconnect(workers[count - 1].endpoint)


@pytest.mark.scenario("worker-leaves", "push-pull", binds=("left-binds",))
def test_when_a_worker_has_left_the_others_get_everything(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # 30/PIPELINE, PUSH: when a peer disconnects, SHALL destroy its queue; SHALL route to available peers.
    pusher = link.bind(left, "PUSH")
    workers = [link.connect(right, "PULL", pusher) for _ in range(2)]
    # The first to take a job are those that are there.
    waiting = [worker.recv_later() for worker in workers]
    for pause in until(left.wait_ms):
        pusher.send("hello")
        if all(receiving.done(pause) for receiving in waiting):
            break
    workers[1].close()
    # What is sent before the pusher has noticed may be lost with the one who left. Then nothing is any more.
    sent, whole = 0, 0
    seen: Counter[tuple[str, ...]] = Counter()
    for pause in until(left.wait_ms):
        work = jobs(8, f"batch {sent}")
        pusher.send_all(work)
        sent += len(work)
        with suppress(CallFailed):
            while not all(seen[tuple(job)] for job in work):
                seen[name(workers[0].recv(timeout=20 + 1000 * pause))] += 1
        whole = whole + 1 if all(seen[tuple(job)] for job in work) else 0
        if whole == 3:
            break
    del seen["hello",]
    figures["messages lost with the worker"] = sent - len(seen)
    assert whole == 3, f"of {sent} messages {len(seen)} came after the other worker had left"
    assert max(seen.values()) == 1, f"some came more than once: {seen.most_common(3)}"


@pytest.mark.scenario("busy-and-quiet", "push-pull", binds=("right-binds",))
def test_a_busy_pusher_does_not_starve_a_quiet_one(left: Peer, right: Peer, link: Link) -> None:
    # 30/PIPELINE, PULL: SHALL receive incoming messages from its peers using a fair-queuing strategy.
    puller = link.bind(right, "PULL")
    busy, quiet = (link.connect(left, "PUSH", puller) for _ in range(2))
    flooding = busy.work("flood", count=10**9, size=16)
    puller.recv_all(100)
    quiet.send("may I?")
    for _ in until(right.wait_ms):
        if ["may I?"] in puller.recv_all(100):
            break
    else:
        raise AssertionError("what the quiet pusher sent did not come while another one flooded")
    busy.close()
    with suppress(CallFailed):
        flooding.result()


@pytest.mark.scenario("one-way", "push-pull", "pub-sub", pairs="same", binds=("right-binds",))
def test_a_sender_cannot_receive_and_a_receiver_cannot_send(
    left: Peer, right: Peer, link: Link, pattern: Pattern
) -> None:
    # zmq_socket(3): zmq_recv() is not implemented for PUSH and PUB, nor zmq_send() for PULL.
    sender, receiver = link.open((left, pattern.left), (right, pattern.right))
    with pytest.raises(CallFailed) as refused:
        sender.recv()
    assert refused.value.name == "unsupported"
    if pattern.right == "PULL":
        with pytest.raises(CallFailed) as refused:
            receiver.send("back")
        assert refused.value.name == "unsupported"
        sender.send("forth")
        assert receiver.recv() == ["forth"]


@pytest.mark.scenario("third", "pair-pair", binds=("right-binds",))
def test_a_third_party_gets_nothing_from_a_pair_and_nothing_in(left: Peer, right: Peer, link: Link) -> None:
    # 31/EXPAIR: MAY be connected to at most one PAIR peer; SHALL receive incoming messages from its single peer.
    one = link.bind(right, "PAIR")
    other = link.connect(left, "PAIR", one)
    other.send("hello")
    assert one.recv() == ["hello"]
    third = None
    with suppress(CallFailed):  # its connection may be refused
        third = link.connect(left, "PAIR", one)
        third.send("let me in")
    # When a message has gone all the way over a later connection, the third one has had its time on a busy machine too.
    later = link.bind(right, "PAIR")
    link.connect(left, "PAIR", later).send("later")
    assert later.recv() == ["later"]
    ears = [ear.recv_later(timeout=QUIET_MS) for ear in (one, third) if ear]
    one.send("secret")
    for ear in ears:
        with suppress(CallFailed):
            raise AssertionError(f"{ear.messages()} crossed the border of a pair")
    other.send("anybody there?")
    assert other.recv() == ["secret"]
    assert one.recv() == ["anybody there?"]


@pytest.mark.scenario("next-partner", "pair-pair", binds=("right-binds",))
def test_a_pair_whose_partner_left_takes_the_next_one(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # 31/EXPAIR: if its peer disconnects, PAIR SHALL destroy the queue; then it MAY be connected to another one.
    one = link.bind(right, "PAIR")
    with link.connect(left, "PAIR", one) as first:
        Flow(first, one, figures).run()
        Flow(one, first, figures).run()
    # Who comes before the first one's end is known may still be refused, so one of the next ones must get in.
    hearing = one.recv_later()
    for turn, _ in enumerate(until(left.wait_ms)):
        partner = link.connect(left, "PAIR", one)
        with suppress(CallFailed):
            partner.send(f"partner {turn}", timeout=50)
        if hearing.done(0.02 * (turn + 1)):
            try:
                message = hearing.messages()[0]
                break
            except CallFailed:  # the first one's end, reported as an error
                hearing = one.recv_later()
        partner.close()
    else:
        raise AssertionError("nobody gets in after the first partner left")
    figures["refused"] = turn
    assert message == [f"partner {turn}"]
    one.send("welcome")
    assert partner.recv() == ["welcome"]
