"""Peers that come late, leave, come back, or are killed or paused: 23/ZMTP and 28 to 31."""

from __future__ import annotations

from itertools import count, islice
from time import perf_counter

import pytest

from harness.errors import CallFailed
from harness.judge import Crowd
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket, until
from harness.places.ports import reserved
from tests.interop.recovery import (
    NAME,
    SETTLED,
    Flow,
    Traffic,
    endpoint_kept,
    listener_and_client,
    opened,
    reconnecting,
    soon,
    types,
    wait_for,
)
from tests.interop.steps import bytes_of


@pytest.mark.scenario("listener-returns", "push-pull", "pub-sub", "dealer-router")
def test_a_client_finds_a_listener_that_closed_and_came_back(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP: "if the connection is broken, [sockets] SHOULD reconnect after a suitable delay".
    listening, connecting = listener_and_client(link, left, right)
    across_a_return(listening, listening, connecting, link, pattern, figures)


@pytest.mark.scenario("listener-returns", "push-pull", transports=("ipc", "tcp6"), binds=("right-binds",))
def test_a_client_finds_a_listener_that_came_back_over_each_transport(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP, as above; zmq_ipc(7): the file of a listener that closed is no obstacle to the next one.
    across_a_return(right, right, left, link, pattern, figures)


@pytest.mark.scenario("listener-killed", "push-pull", "dealer-router", binds=("right-binds",))
def test_a_client_finds_the_successor_of_a_listener_that_was_killed(
    peers: Crowd, left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP, as above: a killed process says no goodbye, and its successor listens on the same endpoint.
    listening, connecting = listener_and_client(link, left, right)
    victim = peers.fresh("left" if link.left_binds else "right")
    across_a_return(victim, listening, connecting, link, pattern, figures)


@pytest.mark.scenario("server-returns", "req-rep", binds=("right-binds",))
def test_a_requester_asks_the_server_that_came_back(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # 23/ZMTP, as above. A request that was under way is lost with its server (28/REQREP), so one waits for the new one.
    with reserved() as port:
        endpoint = f"tcp://127.0.0.1:{port}"
        server = right.socket("REP", bind=endpoint)
        client = left.socket("REQ", options=reconnecting(left))
        client.monitor()
        client.connect(endpoint)
        for turn in ("before", "after"):
            figures["recovered_ms"] = round(wait_for(client, "HANDSHAKE_SUCCEEDED", left.wait_ms), 1)
            client.send(f"question {turn}")
            assert server.recv() == [f"question {turn}"]
            server.send(f"answer {turn}")
            assert client.recv() == [f"answer {turn}"]
            if turn == "before":
                server.close()
                server = right.socket("REP", bind=endpoint)


def across_a_return(
    first: Peer, second: Peer, connecting: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    """Let messages flow, let the listener go, and let them flow again with the second one on its endpoint."""
    options = reconnecting(connecting)
    bound, connected = types(link, pattern)
    with endpoint_kept(link) as endpoint:
        listener = opened(first, bound, bind=endpoint)
        client = opened(connecting, connected, connect=endpoint, options=options)
        traffic = Traffic(*((listener, client) if link.left_binds else (client, listener)), figures)
        traffic.run()
        if first is second:
            listener.close()
        else:
            first.client.kill()
        traffic.replace(listener, opened(second, bound, bind=endpoint))
        traffic.run()


@pytest.mark.scenario("connects-first", "push-pull", "pub-sub", "req-rep")
def test_a_client_may_connect_before_there_is_a_listener(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP: sockets "connect to an endpoint asynchronously"; zmq_connect(3): bind and connect in any order.
    listening, connecting = listener_and_client(link, left, right)
    bound, connected = types(link, pattern)
    with reserved() as port:
        endpoint = f"tcp://127.0.0.1:{port}"
        client = opened(connecting, connected, options=soon(connecting))
        pending = client.connect_later(endpoint)
        # By then the first attempt was refused. A library that waits for its listener is waiting still.
        early = pending.done(0.02) and not link.left_binds and pattern.left != "PUB"
        if early:
            # 28, 30, 31: the queue of an outgoing connection exists "whether or not the connection is established".
            client.send("early")
        listener = opened(listening, bound, bind=endpoint)
        pending.result()
        sender, receiver = (listener, client) if link.left_binds else (client, listener)
        if early:
            assert receiver.recv()[-1] == "early"
        elif pattern.left == "REQ":
            sender.send("question")
            assert receiver.recv() == ["question"]
        if pattern.left != "REQ":
            Flow(sender, receiver, figures).run()


@pytest.mark.scenario("late-subscriber", "pub-sub", binds=("left-binds",))
def test_a_late_subscriber_misses_what_was_before_and_disturbs_nobody(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 29/PUBSUB: PUB SHALL discard what has no subscriber, and SHALL send what matches to every one there is.
    publisher = link.bind(left, pattern.left)
    publisher.send_all([["0"]] * SETTLED)
    numbers = count(1)
    published = 0
    heard: list[tuple[RemoteSocket, int]] = []
    for _ in range(2):
        before, began = published, perf_counter()
        subscriber = opened(right, "SUB", connect=publisher.endpoint)
        waiting = subscriber.recv_later()
        for pause in until(right.wait_ms):
            published = next(numbers)
            publisher.send(str(published))
            if waiting.done(pause):
                break
        first = int(bytes_of(waiting.messages()[0][0]))
        assert first > before, f"it got message {first}, which is older than its subscription"
        heard.append((subscriber, first))
        figures["subscribed_ms"] = round(1000 * (perf_counter() - began), 1)
    for published in islice(numbers, SETTLED):
        publisher.send(str(published))
    for subscriber, first in heard:
        wanted = [[str(number)] for number in range(first + 1, published + 1)]
        assert subscriber.recv_all(len(wanted)) == wanted


@pytest.mark.scenario("paused", "push-pull", "dealer-router", binds=("right-binds",))
def test_a_receiver_that_was_paused_gets_everything_when_it_goes_on(
    peers: Crowd, left: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 30/PIPELINE, PUSH, and 28/REQREP, DEALER: SHALL NOT discard messages that they cannot queue.
    sleeper = peers.fresh("right")
    receiver = opened(sleeper, pattern.right, bind=link.transport.wildcard)
    sender = opened(left, pattern.left, connect=receiver.endpoint)
    flow = Flow(sender, receiver, figures)
    flow.run()
    sleeper.client.pause()
    try:
        for _ in range(100):  # far from what its queue holds, so no send may fail, however slow the machine is
            flow.send(timeout=None)
    finally:
        sleeper.client.resume()
    flow.run(timeout=None)
    assert flow.refused == {}
    assert flow.came == list(range(len(flow.came))), "nothing is lost in a pause"


@pytest.mark.scenario("one-is-killed", "push-pull", "dealer-router", binds=("right-binds",))
def test_a_receiver_goes_on_with_the_others_when_a_sender_is_killed(
    peers: Crowd, left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 30/PIPELINE, PULL, and 28/REQREP, ROUTER: if a peer disconnects, SHALL destroy its queue; and no more than that.
    listener = opened(right, pattern.right, bind=link.transport.wildcard)
    victim = peers.fresh("left")
    doomed, survivor, newcomer = (
        opened(peer, pattern.left, connect=listener.endpoint, options=called(pattern, name))
        for peer, name in ((victim, "doomed"), (left, "survivor"), (left, "newcomer"))
    )
    flow = Flow(survivor, listener, figures)
    for sender in (survivor, doomed):
        flow.change(sender=sender)
        flow.run()
    victim.client.kill()
    for sender in (survivor, newcomer):
        flow.change(sender=sender)
        flow.run()
    # What the application sees of it is nothing: a receive hands out messages, and no error.
    assert figures["recv_errors"] == 0, "a receive failed because a peer had gone"


def called(pattern: Pattern, name: str) -> dict[str, OptionValue]:
    """Return the options of one of several DEALERs at a ROUTER; the other types need no name."""
    return {"ROUTING_ID": name} if pattern.left == "DEALER" else {}


@pytest.mark.scenario("dealer-killed", "dealer-router", binds=("right-binds",))
def test_a_router_goes_on_with_the_others_when_a_dealer_is_killed(
    peers: Crowd, left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # 28/REQREP, ROUTER: if a peer disconnects, SHALL destroy its queue; a message to nobody it SHALL silently drop, or
    # return an error.
    router = link.bind(right, "ROUTER")
    victim = peers.fresh("left")
    doomed, survivor = (
        peer.socket("DEALER", connect=router.endpoint, options={"ROUTING_ID": name})
        for peer, name in ((victim, "doomed"), (left, "survivor"))
    )
    for dealer in (doomed, survivor):
        dealer.send("here I am")
        router.recv()
    victim.client.kill()
    refused = 0
    for number in range(10):
        try:
            router.send("doomed", "anybody there?")
        except CallFailed:
            refused += 1
        router.send("survivor", f"news {number}")
        assert survivor.recv() == [f"news {number}"]
    figures["refused"] = refused


@pytest.mark.scenario(
    "returns-by-name",
    "dealer-router",
    pairs="*>go-zeromq|*>pebbe|*>pyzmq",  # an event loop looks at its sockets by itself now and then
    binds=("right-binds",),
)
def test_a_dealer_that_comes_back_under_its_name_is_heard(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, ROUTER: if a peer disconnects, SHALL destroy its double queue; who comes then is a peer as any other.
    # Whether the ROUTER's application looks at the socket in between is its own affair.
    router = link.bind(right, "ROUTER")
    for turn in ("first", "second", "third", "fourth"):  # on a busy machine a peer's last look may come after one's end
        dealer = left.socket("DEALER", options={"ROUTING_ID": NAME})
        if left.can("features", "monitor"):
            dealer.monitor()
        dealer.connect(router.endpoint)
        if left.can("features", "monitor"):
            wait_for(dealer, "HANDSHAKE_SUCCEEDED", left.wait_ms)
        dealer.send(turn)
        try:
            assert router.recv() == [NAME, turn]
        except CallFailed as error:
            raise AssertionError(f"the {turn} connection of a dealer is not heard: {error}") from error
        dealer.close()


@pytest.mark.scenario("subscriber-killed", "pub-sub", binds=("left-binds",))
def test_a_publisher_goes_on_with_the_others_when_a_subscriber_is_killed(
    peers: Crowd, left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 29/PUBSUB: if a peer disconnects, PUB SHALL destroy its queue.
    publisher = link.bind(left, pattern.left)
    victim = peers.fresh("right")
    doomed, survivor = (opened(peer, "SUB", connect=publisher.endpoint) for peer in (victim, right))
    flow = Flow(publisher, survivor, figures)
    hearing = doomed.recv_later()
    for pause in until(right.wait_ms):
        flow.run()
        if hearing.done(pause):
            break
    hearing.messages()
    victim.client.kill()
    flow.run()
    newcomer = opened(right, "SUB", connect=publisher.endpoint)
    flow.change(receiver=newcomer)
    flow.run()
    assert flow.refused == {}, f"a send failed because a subscriber had gone: {flow.refused}"


def cycles(left: Peer, right: Peer, link: Link, pattern: Pattern, number: int, figures: dict[str, float]) -> None:
    """Open, use and close a client `number` times; the listener must serve the next one every time."""
    listening, connecting = listener_and_client(link, left, right)
    bound, connected = types(link, pattern)
    listener = link.bind(listening, bound)
    began = perf_counter()
    for cycle in range(number):
        with link.connect(connecting, connected, listener) as client:
            sender, receiver = (listener, client) if link.left_binds else (client, listener)
            sender.send(f"cycle {cycle}")
            assert receiver.recv()[-1] == f"cycle {cycle}"
            if pattern.left == "REQ":
                receiver.send(f"cycle {cycle} done")
                assert sender.recv() == [f"cycle {cycle} done"]
    figures["ms_per_cycle"] = round(1000 * (perf_counter() - began) / number, 2)


@pytest.mark.scenario("40-cycles", "push-pull", "req-rep", "dealer-router", binds=("right-binds",))
def test_a_listener_serves_one_short_lived_client_after_the_other(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP: a socket SHALL accept connections on its endpoint; none of them may cost the next one its place.
    cycles(left, right, link, pattern, 40, figures)


@pytest.mark.slow
@pytest.mark.scenario(
    "1000-cycles",
    "req-rep",
    pairs="go-zeromq>pyzmq|pebbe>go-zeromq|pyzmq>pebbe",
    binds=("right-binds",),
)
def test_a_listener_outlives_a_thousand_clients(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    cycles(left, right, link, pattern, 1000, figures)


@pytest.mark.scenario("200-at-once", "dealer-router", binds=("right-binds",))
def test_one_socket_serves_two_hundred_peers_at_once(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # 28/REQREP: ROUTER SHALL accept any number of peers, and route by identity.
    server = link.bind(right, "ROUTER")
    began = perf_counter()
    clients = [
        left.socket("DEALER", connect=server.endpoint, context="crowd", options={"ROUTING_ID": f"dealer {number}"})
        for number in range(200)
    ]
    figures["connected_ms"] = round(1000 * (perf_counter() - began), 1)
    for sending in [client.send_later([[f"question {number}"]]) for number, client in enumerate(clients)]:
        sending.result()
    questions = sorted(tuple(bytes_of(part).decode() for part in message) for message in server.recv_all(200))
    assert questions == sorted((f"dealer {number}", f"question {number}") for number in range(200))
    server.send_all([[who, f"answer to {what}"] for who, what in questions])
    for number, waiting in [(number, client.recv_later()) for number, client in enumerate(clients)]:
        assert waiting.messages() == [[f"answer to question {number}"]]
    figures["answered_ms"] = round(1000 * (perf_counter() - began), 1)
