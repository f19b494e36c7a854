"""Remote sockets say to a peer what a test means, and turn what it answers into messages, evidence or breaches."""

from __future__ import annotations

import time
from typing import Any

import pytest

from harness.errors import CallFailed, ContractBreach, Unsupported
from harness.model.frames import Recipe
from harness.peers.sockets import Link, Peer, RemoteSocket, until
from tests.unit.memory import MemoryClient, error


def remote(client: MemoryClient, kind: str = "PULL") -> RemoteSocket:
    return Peer(client).socket(kind)


def told(client: MemoryClient, method: str) -> dict[str, Any]:
    """Return the parameters of the last call of a method, without the socket."""
    params = next(params for name, params in reversed(client.asked) if name == method)
    return {key: value for key, value in params.items() if key != "socket"}


def answering(method: str, **result: Any) -> MemoryClient:
    return MemoryClient("one", {method: lambda params: {"result": result}})


def test_frames_are_spelt_for_the_wire() -> None:
    client = answering("send", sent=1)
    remote(client, "PUSH").send("text", b"\xff", Recipe(10, 2), via="other", timeout=50)
    assert told(client, "send") == {
        "messages": [["text", {"base64": "/w=="}, {"size": 10, "seed": 2}]],
        "timeout": 50,
        "via": "other",
    }


def test_waits_are_as_long_as_the_patience_unless_a_test_says_otherwise() -> None:
    client = answering("recv", messages=[["x"]])
    socket = remote(client)
    socket.recv()
    assert told(client, "recv") == {"count": 1, "timeout": 100}
    socket.recv(timeout=5, inline=7)
    assert told(client, "recv") == {"count": 1, "timeout": 5, "inline": 7}


def test_a_received_message_equals_what_was_sent() -> None:
    assert remote(answering("recv", messages=[["a", {"base64": "/w=="}]])).recv() == ["a", b"\xff"]


@pytest.mark.parametrize(
    "result",
    [{}, {"messages": [[1]]}, {"messages": ["text"]}, {"messages": []}, {"messages": [["a"], ["b"]]}],
    ids=repr,
)
def test_an_answer_to_recv_that_breaks_the_contract_is_told_apart(result: dict[str, Any]) -> None:
    with pytest.raises(ContractBreach):
        remote(answering("recv", **result)).recv()


def test_what_came_before_a_timeout_is_shown() -> None:
    client = MemoryClient("one", {"recv": error(-32000, name="timeout", messages=[["first"]])})
    with pytest.raises(CallFailed, match=r"timeout: no; 1 of 2 messages came: \['first'\]") as failed:
        remote(client).recv_all(2)
    assert failed.value.data["messages"] == [["first"]]


def test_options_are_spelt_as_numbers_or_frames() -> None:
    client = answering("set")
    socket = remote(client)
    for value, spelt in ((5, 5), (True, 1), ("x", "x"), (b"\xff", {"base64": "/w=="})):
        socket.set("OPTION", value)
        assert told(client, "set") == {"option": "OPTION", "value": spelt}


def test_options_read_back_as_numbers_or_frames() -> None:
    assert remote(answering("get", value=7)).get("OPTION") == 7
    assert remote(answering("get", value={"base64": "/w=="})).get("OPTION") == b"\xff"


def test_sub_subscribes_by_option_and_xsub_by_message() -> None:
    client = MemoryClient("one", dict.fromkeys(("set", "send"), lambda params: {"result": {}}))
    peer = Peer(client)
    peer.socket("SUB").subscribe("topic")
    assert told(client, "set") == {"option": "SUBSCRIBE", "value": "topic"}
    peer.socket("XSUB").subscribe("topic")
    assert told(client, "send")["messages"] == [["\x01topic"]]


def test_closing_twice_is_no_error() -> None:
    client = MemoryClient("one", {})
    with remote(client) as socket:
        socket.close()
    assert [method for method, _ in client.asked].count("close") == 1


def test_a_socket_knows_its_endpoints() -> None:
    handlers = {"bind": lambda params: {"result": {"endpoint": "tcp://127.0.0.1:2"}}}
    socket = Peer(MemoryClient("one", handlers)).socket("PULL", bind="tcp://127.0.0.1:1")
    assert socket.bind("tcp://127.0.0.1:*") == "tcp://127.0.0.1:2"
    assert (socket.endpoint, socket.endpoints) == ("tcp://127.0.0.1:1", ["tcp://127.0.0.1:1", "tcp://127.0.0.1:2"])


@pytest.mark.parametrize(("binds", "first"), [("left-binds", "PUSH"), ("right-binds", "PULL")])
def test_the_binding_end_of_a_link_is_opened_first(binds: str, first: str) -> None:
    client = MemoryClient("one", {})
    peer = Peer(client)
    left, right = Link("tcp4", binds).open((peer, "PUSH"), (peer, "PULL", {"RCVHWM": 5}))
    opened = [params for method, params in client.asked if method == "open"]
    assert (left.type, right.type) == ("PUSH", "PULL")
    assert opened[0]["type"] == first
    assert opened[0]["bind"] == ["tcp://127.0.0.1:*"]
    assert opened[1]["connect"] == ["tcp://127.0.0.1:*"]
    assert next(params for params in opened if params["type"] == "PULL")["options"] == {"RCVHWM": 5}


def test_a_link_that_a_peer_cannot_make_opens_nothing() -> None:
    client = MemoryClient("one", {})
    with pytest.raises(Unsupported, match="has no transport ipc"):
        Link("ipc", "left-binds").open((Peer(client), "PUSH"), (Peer(client), "PULL"))
    assert client.asked == []


def test_needs_are_named_in_words() -> None:
    with pytest.raises(Unsupported, match=r"^one one-1\.0 has no option ROUTING_ID$"):
        Peer(MemoryClient("one", {})).need("options", "ROUTING_ID")


def test_polling_pauses_grow_and_end_at_the_deadline() -> None:
    started = time.perf_counter()
    pauses = []
    for pause in until(30):
        pauses.append(pause)
        time.sleep(pause)
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.0005
    assert max(pauses) <= 0.02
    assert time.perf_counter() - started >= 0.03
