"""Section 1: JSON-RPC, one object a line; what is no request is answered as section 3 says, and the next line works."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.needs import pair, pipeline
from tests.contract.wire import RawPeer

LIMIT = 1_048_576
"""Bytes of a line before its LF."""


def codes(answer: dict[str, Any]) -> tuple[Any, Any]:
    return answer["id"], answer["error"]["code"]


def request(number: Any, method: str = "stats", **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, **more}


def line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def next_line_works(peer: RawPeer) -> bool:
    return "sockets" in peer.call("stats")


@pytest.mark.parametrize(
    "text",
    [
        b"hello",
        b"{",
        b'{"jsonrpc": "2.0", "id": 1, "method": "stats"',
        b'{"jsonrpc": "2.0", "id": 1, "method": "stats"} {}',
        b"{'jsonrpc': '2.0'}",
        b"\xff\xfe\x00",
        b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}',
        b"[" * 10_000,
        b"\x00",
    ],
    ids=["word", "brace", "half", "two", "quotes", "bytes", "not UTF-8", "nesting", "NUL"],
)
def test_a_line_that_is_not_json_is_answered_without_id(text: bytes, peer: RawPeer) -> None:
    peer.write(text + b"\n")
    assert codes(peer.answer(None)) == (None, -32700)
    assert next_line_works(peer)


@pytest.mark.parametrize("value", [[], [request(1)], "stats", 1, True, None, 1.5])
def test_json_that_is_no_object_is_no_request(value: Any, peer: RawPeer) -> None:
    peer.write(line(value))
    assert codes(peer.answer(None)) == (None, -32600)
    assert next_line_works(peer)


@pytest.mark.parametrize(
    "broken",
    [
        {"id": 77, "method": "stats"},
        {"jsonrpc": "1.0", "id": 77, "method": "stats"},
        {"jsonrpc": 2.0, "id": 77, "method": "stats"},
        {"jsonrpc": "2.0", "id": 77},
        {"jsonrpc": "2.0", "id": 77, "method": 1},
        {"jsonrpc": "2.0", "id": 77, "method": None},
    ],
    ids=["no version", "version 1", "version as number", "no method", "method 1", "method null"],
)
def test_an_object_that_is_no_request_is_answered_with_its_id(broken: dict[str, Any], peer: RawPeer) -> None:
    peer.write(line(broken))
    assert codes(peer.answer(77)) == (77, -32600)
    assert next_line_works(peer)


@pytest.mark.parametrize(
    "broken",
    [{"jsonrpc": "2.0", "method": "stats"}, request([1]), request({}), request(True), {}],
    ids=["no id", "list", "object", "true", "nothing"],
)
def test_a_request_without_a_valid_id_is_answered_with_null(broken: dict[str, Any], peer: RawPeer) -> None:
    peer.write(line(broken))
    assert codes(peer.answer(None)) == (None, -32600)
    assert next_line_works(peer)


@pytest.mark.parametrize("params", [[], [1], "x", 1, True])
def test_params_are_an_object(params: Any, peer: RawPeer) -> None:
    peer.write(line(request(78, params=params)))
    number, code = codes(peer.answer(78))
    assert number == 78
    assert code in (-32600, -32602)


def test_params_may_be_absent(peer: RawPeer) -> None:
    peer.write(line(request(79)))
    assert peer.answer(79)["result"]["sockets"] == 0


@pytest.mark.parametrize("number", ["text", "", "第", 0, -1, 2**53 - 1])
def test_an_answer_carries_the_id_of_its_request(number: Any, peer: RawPeer) -> None:
    peer.write(line(request(number)))
    assert peer.answer(number)["id"] == number


@pytest.mark.parametrize("method", ["MADE_UP_FEATURE", "", "Hello", "rpc.discover"])
def test_an_unknown_method_is_said_to_be_one(method: str, peer: RawPeer) -> None:
    assert peer.refused(method)["code"] == -32601


def test_an_unknown_method_with_unknown_params_is_still_an_unknown_method(peer: RawPeer) -> None:
    assert peer.refused("MADE_UP_FEATURE", socket=1)["code"] == -32601


def test_empty_lines_and_carriage_returns_are_ignored(peer: RawPeer) -> None:
    number, text = peer.line("stats")
    peer.write(b"\n\r\n\n" + text.rstrip(b"\n") + b"\r\n\r\n\n")
    assert peer.result(number)["sockets"] == 0
    assert next_line_works(peer)
    assert peer.unanswered() == []


def test_blanks_around_a_request_are_json(peer: RawPeer) -> None:
    number, text = peer.line("stats")
    peer.write(b" \t" + text.rstrip(b"\n") + b"  \n")
    assert peer.result(number)["sockets"] == 0


def test_a_line_may_come_in_pieces(peer: RawPeer) -> None:
    number, text = peer.line("stats")
    for start in range(0, len(text), 7):
        peer.write(text[start : start + 7])
    assert peer.result(number)["sockets"] == 0


def test_many_lines_may_come_at_once(peer: RawPeer) -> None:
    lines = [peer.line("stats") for _ in range(300)]
    peer.write(b"".join(text for _, text in lines))
    assert [peer.result(number)["sockets"] for number, _ in lines] == [0] * 300


def padded(peer: RawPeer, size: int) -> tuple[int, bytes]:
    """Return a request whose line has `size` bytes before its LF."""
    number, text = peer.line("stats")
    return number, text.rstrip(b"\n").ljust(size) + b"\n"


def test_a_line_at_the_limit_works(peer: RawPeer) -> None:
    number, text = padded(peer, LIMIT)
    peer.write(text)
    assert peer.result(number)["sockets"] == 0


@pytest.mark.parametrize("size", [LIMIT + 1, 3 * LIMIT])
def test_a_line_beyond_the_limit_is_refused_and_the_next_one_works(size: int, peer: RawPeer) -> None:
    _, text = padded(peer, size)
    number, after = peer.line("stats")
    peer.write(text + after)
    assert codes(peer.answer(None)) == (None, -32600)
    assert peer.result(number)["sockets"] == 0
    assert peer.unanswered() == []


def test_a_long_line_is_refused_whatever_it_holds(peer: RawPeer) -> None:
    peer.write(b"x" * (2 * LIMIT) + b"\n")
    assert codes(peer.answer(None)) == (None, -32600)
    assert next_line_works(peer)


def test_a_waiting_receive_holds_up_nothing_else(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    other_pusher, other_puller = pipeline(peer)
    waiting = peer.start("recv", socket=puller, timeout=60_000)
    assert peer.call("stats")["sockets"] == 4
    peer.send(other_pusher, ["elsewhere"])
    assert peer.recv(other_puller) == [["elsewhere"]]
    peer.close(other_puller)
    assert peer.unanswered() == []
    peer.send(pusher, ["at last"])
    assert peer.result(waiting)["messages"] == [["at last"]]


def test_a_receive_without_timeout_holds_up_no_other_socket(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    other_pusher, other_puller = pipeline(peer)
    waiting = peer.start("recv", socket=puller)
    assert peer.call("stats")["sockets"] == 4
    peer.send(other_pusher, ["elsewhere"])
    assert peer.recv(other_puller) == [["elsewhere"]]
    peer.send(pusher, ["at last"])
    assert peer.result(waiting)["messages"] == [["at last"]]


def test_a_waiting_receive_does_not_hold_up_its_own_socket(peer: RawPeer) -> None:
    one, other = pair(peer)
    waiting = peer.start("recv", socket=one, timeout=60_000)
    peer.send(one, ["forth"])
    assert peer.recv(other) == [["forth"]]
    peer.send(other, ["back"])
    assert peer.result(waiting)["messages"] == [["back"]]


def test_fifty_receives_wait_on_fifty_sockets(peer: RawPeer) -> None:
    """No pool of workers inside the peer is used up by calls that wait."""
    sockets = [peer.bound("PULL")[0] for _ in range(50)]
    waiting = [peer.start("recv", socket=socket, timeout=60_000) for socket in sockets]
    assert peer.call("stats")["sockets"] == 50
    peer.close(*sockets)
    assert {peer.error(number)["data"]["name"] for number in waiting} == {"closed"}
