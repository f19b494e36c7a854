"""One peer that does not receive, or whose process stands still, holds up none of its neighbours."""

from __future__ import annotations

import pytest

from harness.errors import CallFailed
from harness.judge import Crowd
from harness.model.frames import Message, Recipe
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, Receiving, RemoteSocket, until
from tests.interop.steps import bytes_of

SIZE = 256 * 1024
COUNT = 100
"""Messages of `SIZE`: half of them are more than low marks and a default Linux's socket buffers take (7 MiB)."""

STUCK = "waits for one that does not receive"


def marks(peer: Peer, **more: OptionValue) -> dict[str, OptionValue]:
    options: dict[str, OptionValue] = {"SNDHWM": 5, "RCVHWM": 5, **more}
    return {name: value for name, value in options.items() if peer.can("options", name)}


@pytest.mark.scenario("idle-worker", "push-pull", "dealer-dealer", binds=("left-binds",))
def test_a_worker_that_does_not_receive_leaves_the_work_to_the_others(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 30/PIPELINE, PUSH, and 28/REQREP, DEALER: "SHALL route outgoing messages to available peers using a round-robin
    # strategy"; whose queue is full is not available.
    sender = link.bind(left, pattern.left, marks(left))
    idle, busy = (link.connect(right, pattern.right, sender, marks(right)) for _ in range(2))
    see_both(sender, idle, busy)
    came, receiving = send_to_whoever_receives(sender, busy)
    figures["idle_share"] = COUNT - len(came)
    # Now the idle one looks at its share; together they have all, once.
    late = idle.recv_later()
    for pause in until(idle.peer.wait_ms):
        for waiting, socket in ((receiving, busy), (late, idle)):
            if waiting.done(pause):
                came += waiting.messages()
                if waiting is late:
                    late = socket.recv_later()
                else:
                    receiving = socket.recv_later()
        if len(came) >= COUNT:
            break
    numbers = sorted(int(bytes_of(message[-2])) for message in came)
    assert numbers == list(range(COUNT))


def send_to_whoever_receives(sender: RemoteSocket, busy: RemoteSocket) -> tuple[list[Message], Receiving]:
    """Send `COUNT` messages while one of two receives; returns what came to it, and its receive that goes on."""
    sending = sender.send_later([[f"{number}", Recipe(SIZE, 1)] for number in range(COUNT)])
    came: list[Message] = []
    receiving = busy.recv_later()
    for pause in until(busy.peer.wait_ms):
        while receiving.done(pause):
            came += receiving.messages()
            receiving = busy.recv_later()
        if sending.done():
            break
    assert sending.done(), f"the sender {STUCK}: {len(came)} of {COUNT} messages came to the other"
    sending.result()
    return came, receiving


def see_both(sender: RemoteSocket, *receivers: RemoteSocket) -> None:
    """Send until each receiver got something, and see that nothing else is under way."""
    waiting = [receiver.recv_later() for receiver in receivers]
    count = 0
    for pause in until(sender.peer.wait_ms):
        sender.send("hello")
        count += 1
        if all(one.done(pause) for one in waiting):
            break
    for one in waiting:
        one.messages()
    sender.send_all([["end"]] * len(receivers))
    ended = 0
    for receiver in receivers:
        while receiver.recv()[-1] != "end":
            ended += 1
    assert ended + len(receivers) == count, f"{ended + len(receivers)} of {count} messages came, each to one"


@pytest.mark.scenario(
    "paused-neighbour", "push-pull", "dealer-dealer", "pub-sub", "xpub-sub", pairs="same", binds=("left-binds",)
)
def test_a_paused_process_holds_up_none_of_its_neighbours(
    left: Peer, right: Peer, peers: Crowd, link: Link, pattern: Pattern
) -> None:
    # 29/PUBSUB: PUB and XPUB "SHALL NOT block on sending"; 30/PIPELINE and 28/REQREP as above.
    sender = link.bind(left, pattern.left, marks(left))
    standing = peers.fresh("right")
    stuck = link.connect(standing, pattern.right, sender, marks(standing))
    healthy = link.connect(right, pattern.right, sender, marks(right))
    if pattern.right == "SUB":
        subscribe_to_all(sender, stuck, healthy)
    else:
        see_both(sender, stuck, healthy)
    standing.client.pause()
    try:
        if pattern.right == "SUB":
            publish(sender, healthy)
        else:
            send_to_whoever_receives(sender, healthy)
    finally:
        standing.client.resume()


def subscribe_to_all(publisher: RemoteSocket, *subscribers: RemoteSocket) -> None:
    """Subscribe to everything, and leave nothing queued. Marks may be too low for a crowd of probes, so one must do."""
    for subscriber in subscribers:
        subscriber.subscribe("")
    for turn, _ in enumerate(until(publisher.peer.wait_ms)):
        publisher.send("probe", str(turn))
        wait = min(5.0 * (turn + 1), 100.0)
        heard = [_receives(subscriber, ["probe", str(turn)], wait) for subscriber in subscribers]
        if all(heard):
            return
    raise AssertionError("the subscriptions do not take effect")


def _receives(subscriber: RemoteSocket, probe: list[str], wait_ms: float) -> bool:
    try:
        while subscriber.recv(timeout=wait_ms) != probe:
            pass
    except CallFailed as error:
        if error.name != "timeout":
            raise
        return False
    return True


def publish(publisher: RemoteSocket, healthy: RemoteSocket) -> None:
    """Publish message after message, as the healthy subscriber gets them."""
    for number in range(COUNT):
        publisher.send(f"{number}", Recipe(SIZE, 1))
        try:
            message = healthy.recv()
        except CallFailed as error:
            raise AssertionError(f"a neighbour {STUCK}: {number} of {COUNT} messages came: {error}") from error
        assert message[0] == f"{number}"


@pytest.mark.scenario("paused-dealer", "dealer-router", pairs="same", binds=("right-binds",))
def test_a_router_serves_others_while_a_dealers_process_is_paused(
    left: Peer, right: Peer, peers: Crowd, link: Link
) -> None:
    # 28/REQREP, ROUTER: "SHALL NOT block on sending".
    router = link.bind(right, "ROUTER", marks(right))
    standing = peers.fresh("left")
    stuck = link.connect(standing, "DEALER", router, marks(standing, ROUTING_ID="stuck"))
    healthy = link.connect(left, "DEALER", router, marks(left, ROUTING_ID="healthy"))
    for dealer in (stuck, healthy):
        dealer.send("hello")
        router.recv()
    standing.client.pause()
    try:
        for number in range(COUNT // 2):
            router.send("stuck", Recipe(SIZE, 1))
            reach(router, healthy, f"{number}")
    except CallFailed as error:
        raise AssertionError(f"the router {STUCK}: {error}") from error
    finally:
        standing.client.resume()


def reach(router: RemoteSocket, dealer: RemoteSocket, text: str) -> None:
    """Send until it is heard: libzmq's ROUTER learns but once a millisecond that a queue has room again, and drops."""
    waiting = dealer.recv_later()
    for pause in until(dealer.peer.wait_ms):
        router.send("healthy", text)
        while waiting.done(max(pause, 0.05)):
            if waiting.messages()[0] == [text]:  # and not one that came twice
                return
            waiting = dealer.recv_later()
    waiting.messages()
