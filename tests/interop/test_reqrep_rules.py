"""What 28/REQREP promises beyond one question and one answer: turns, shares, chains, and what REQ's options change."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from harness.errors import CallFailed
from harness.model.patterns import Pattern
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket, until
from tests.interop.steps import bytes_of


def exchange(client: RemoteSocket, server: RemoteSocket, word: str) -> None:
    """One question, one answer."""
    client.send(f"question {word}")
    assert server.recv() == [f"question {word}"]
    server.send(f"answer {word}")
    assert client.recv() == [f"answer {word}"]


@pytest.mark.scenario("asks-twice", "req-rep", binds=("right-binds",))
def test_a_req_refuses_a_second_question_before_the_answer(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, REQ: SHALL send and then receive exactly one message at a time. zmq_send(3): EFSM.
    client, server = link.open((left, "REQ"), (right, "REP"))
    client.send("question 1")
    with pytest.raises(CallFailed) as refused:
        client.send("impatient")
    assert refused.value.name == "state"
    # The refused one leaves no trace: question and answer stay in step.
    assert server.recv() == ["question 1"]
    server.send("answer 1")
    assert client.recv() == ["answer 1"]
    exchange(client, server, "2")


@pytest.mark.scenario("listens-unasked", "req-rep", binds=("right-binds",))
def test_a_req_refuses_to_receive_before_it_asks(left: Peer, right: Peer, link: Link) -> None:
    # zmq_recv(3): EFSM, the socket is not in the appropriate state. A wait for what nobody owes would be for ever.
    client, server = link.open((left, "REQ"), (right, "REP"))
    for turn in ("1", "2"):
        with pytest.raises(CallFailed) as refused:
            client.recv()
        assert refused.value.name != "timeout", f"before question {turn}, REQ waited instead of refusing"
        exchange(client, server, turn)


@pytest.mark.scenario("answers-unasked", "req-rep", binds=("right-binds",))
def test_a_rep_refuses_to_answer_what_nobody_asked(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, REP: SHALL receive and then send exactly one message at a time. zmq_send(3): EFSM.
    client, server = link.open((left, "REQ"), (right, "REP"))
    for turn in ("1", "2"):
        # Before the first question, and a second answer to it.
        with pytest.raises(CallFailed) as refused:
            server.send("unasked")
        assert refused.value.name == "state"
        exchange(client, server, turn)


@pytest.mark.scenario("hears-twice", "req-rep", binds=("right-binds",))
def test_a_rep_refuses_a_second_question_before_its_answer(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, REP: SHALL receive and then send exactly one message at a time. zmq_recv(3): EFSM.
    server = link.bind(right, "REP")
    clients = [link.connect(left, "REQ", server) for _ in range(2)]
    for number, client in enumerate(clients):
        client.send(f"client {number}")
    first = server.recv()
    with pytest.raises(CallFailed) as refused:
        server.recv()
    assert refused.value.name == "state"
    server.send(*first)
    server.send(*server.recv())
    for number, client in enumerate(clients):
        assert client.recv() == [f"client {number}"]


SERVERS = 3
EACH = 4
"""Requests that each server must get."""


@pytest.mark.scenario("three-servers", "req-rep", "dealer-rep", binds=("right-binds",))
def test_requests_go_round_all_connected_servers(left: Peer, right: Peer, link: Link, pattern: Pattern) -> None:
    # 28/REQREP, REQ and DEALER: SHALL route outgoing messages to connected peers using a round-robin strategy.
    servers = [link.bind(right, "REP") for _ in range(SERVERS)]
    client = link.connect(left, pattern.left, servers[0])
    for server in servers[1:]:
        client.connect(server.endpoint)
    # A server that got more than its share would leave the rest unanswered.
    serving = [server.work("echo", count=EACH) for server in servers]
    requests = [f"request {number}" for number in range(SERVERS * EACH)]
    if pattern.left == "REQ":
        for request in requests:
            client.send(request)
            assert client.recv() == [request]
    else:
        client.send_all([["", request] for request in requests])
        answers = [message[-1] for message in client.recv_all(len(requests))]
        assert Counter(bytes_of(answer).decode() for answer in answers) == Counter(requests)
    assert [server.result()["echoed"] for server in serving] == [EACH] * SERVERS


@pytest.mark.scenario("chain", "req-rep", binds=("right-binds",))
def test_replies_find_their_way_back_through_a_chain_of_routers(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, ROUTER: SHALL prefix the identity of the originating peer, and remove the first frame to route by it.
    server = link.bind(right, "REP")
    backs: list[RemoteSocket] = []
    fronts: list[RemoteSocket] = []
    for peer in (right, left):
        backs.append(link.connect(peer, "DEALER", fronts[-1] if fronts else server))
        fronts.append(link.bind(peer, "ROUTER"))
    clients = [link.connect(left, "REQ", fronts[-1]) for _ in range(2)]
    hops = list(zip(reversed(fronts), reversed(backs), strict=True))
    for number, client in enumerate(clients):
        client.send("question", str(number))
        for depth, (front, back) in enumerate(hops):
            message = front.recv()
            assert message[depth + 1 :] == ["", "question", str(number)]
            back.send(*message)
    for _ in clients:
        question, number_frame = server.recv()
        server.send("answer to the", question, number_frame)
        for front, back in reversed(hops):
            front.send(*back.recv())
    for number, client in enumerate(clients):
        assert client.recv() == ["answer to the", "question", str(number)]


@pytest.mark.scenario("server-dies", "req-rep", binds=("left-binds",))
def test_a_requester_goes_on_with_the_servers_that_remain(
    left: Peer, right: Peer, link: Link, figures: dict[str, float]
) -> None:
    # 28/REQREP, REQ: if a peer disconnects, SHALL destroy its queue; SHALL route round robin to those connected.
    relaxed = ("REQ_RELAXED", "REQ_CORRELATE")
    options: dict[str, OptionValue] = {name: 1 for name in relaxed if left.can("options", name)}
    client = link.bind(left, "REQ", options)
    servers = [link.connect(right, "REP", client) for _ in range(2)]
    serving = [server.work("echo", count=1_000_000) for server in servers]
    path = left.capabilities["send_paths"][-1]
    asked = lost = 0

    def ask(wait: float) -> bool:
        """Ask, and say whether the answer came. Without the options above a REQ can't ask again, with them it may."""
        nonlocal asked
        asked += 1
        client.send(f"question {asked}", via=path)
        with suppress(CallFailed):
            return bool(client.recv(timeout=wait) == [f"question {asked}"])
        return False

    # REQ has no way to see who is there; after some turns both are, and take turns.
    for pause in until(left.wait_ms):
        with suppress(CallFailed):
            if all(ask(left.wait_ms) for _ in range(4)):
                break
        serving[0].done(pause)
    servers[1].close()
    assert serving[1].done(right.wait_ms / 1000)
    answered = 0
    for pause in until(left.wait_ms):
        answered = answered + 1 if ask(20 + 1000 * pause) else 0
        lost += not answered
        if answered == 6:
            break
    figures["questions lost"] = lost
    assert answered == 6, f"of {asked} questions {lost} were lost after one of two servers had left"


def correlated(left: Peer, **more: OptionValue) -> dict[str, OptionValue]:
    left.need("options", "REQ_CORRELATE", *more)
    return {"REQ_CORRELATE": 1, **more}


@pytest.mark.scenario("correlate", "req-router", binds=("right-binds",))
def test_a_correlating_req_drops_answers_to_other_questions(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_REQ_CORRELATE: REQ prefixes a request id and discards replies that do not begin with it.
    client, server = link.open((left, "REQ", correlated(left)), (right, "ROUTER"))
    for turn in range(2):
        client.send(f"question {turn}")
        identity, request, delimiter, body = server.recv()
        assert [delimiter, body] == ["", f"question {turn}"]
        assert request.size == 4
        other = bytes(byte ^ 0xFF for byte in bytes_of(request))
        server.send(identity, other, "", "answer to another question")
        server.send(identity, "", "answer without a request id")
        server.send(identity, request, "", f"answer {turn}")
        assert client.recv() == [f"answer {turn}"]


@pytest.mark.scenario("relaxed", "req-rep", binds=("right-binds",))
def test_a_relaxed_req_may_ask_again_and_gets_the_last_answer(left: Peer, right: Peer, link: Link) -> None:
    # zmq_setsockopt(3), ZMQ_REQ_RELAXED: sending again is allowed; with ZMQ_REQ_CORRELATE stale replies are discarded.
    client, server = link.open((left, "REQ", correlated(left, REQ_RELAXED=1)), (right, "REP"))
    for turn in range(3):
        client.send(f"stale question {turn}")
        assert server.recv() == [f"stale question {turn}"]
        client.send(f"question {turn}")
        server.send("stale answer")
        assert server.recv() == [f"question {turn}"]
        server.send(f"answer {turn}")
        assert client.recv() == [f"answer {turn}"]


@pytest.mark.scenario("foreign-reply", "req-router", binds=("right-binds",))
def test_a_req_discards_what_others_than_the_one_it_asked_send(left: Peer, right: Peer, link: Link) -> None:
    # 28/REQREP, REQ: "SHALL accept an incoming message only from the last peer that it sent a request to. SHALL discard
    # silently any messages received from other peers."
    # The servers share a context, so that what one has sent is on its way before what the other sends after it.
    servers = [right.socket("ROUTER", bind=link.transport.wildcard, context="servers") for _ in range(2)]
    client = link.connect(left, "REQ", servers[0])
    client.connect(servers[1].endpoint)
    names: dict[RemoteSocket, bytes] = {}
    waiting = [server.recv_later() for server in servers]
    for turn in range(3):
        client.send(f"question {turn}")
        asked = next((n for _ in until(right.wait_ms) for n in (0, 1) if waiting[n].done(0.005)), None)
        assert asked is not None, "the question does not arrive"
        identity, delimiter, question = waiting[asked].messages()[0]
        assert [delimiter, question] == ["", f"question {turn}"]
        names[servers[asked]] = bytes_of(identity)
        other = servers[1 - asked]
        hearing = client.recv_later()
        # It must neither be taken now nor be kept for the time when its sender is asked.
        if other in names:
            other.send(names[other], "", "nobody asked me, but")
            assert not hearing.done(0.02), f"a foreign reply was accepted: {hearing.messages()}"
        servers[asked].send(identity, "", f"answer {turn}")
        assert hearing.messages() == [[f"answer {turn}"]], "a foreign reply was accepted"
        waiting[asked] = servers[asked].recv_later()
    assert len(names) == 2, "the questions go round"
