"""Sections 2 and 4: frames in and out, and that no message is lost between two calls."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.frames import b64, digest, recipe
from tests.contract.needs import need, pair, pipeline
from tests.contract.wire import RawPeer

GENEROUS = 5.0
"""Seconds that a busy machine may add to a timeout."""


def through(peer: RawPeer, *message: Any, **params: Any) -> Any:
    """Send a message through the library, and return what came out."""
    pusher, puller = pipeline(peer)
    peer.send(pusher, list(message))
    [received] = peer.recv(puller, **params)
    return received


# Frames.


def test_text_comes_out_as_text(peer: RawPeer) -> None:
    texts = ["", "a", "hello", "第1号 ✓ 🚀", "\x00\n\r\t\x7f", '"\\/<&>', "\u2028\ufeff", "x" * 1024]
    assert through(peer, *texts) == texts


def test_bytes_that_are_no_utf8_come_out_as_base64(peer: RawPeer) -> None:
    contents = [b"\xff", b"\x00\xff\x01", bytes(range(256)), b"\xc3", b"\xed\xa0\x80", b"\xf5" * 1024]
    frames = [b64(content) for content in contents]
    assert through(peer, *frames) == frames


def test_bytes_that_are_utf8_come_out_as_text(peer: RawPeer) -> None:
    assert through(peer, b64(b"text"), b64(b"")) == ["text", ""]


def test_a_recipe_is_made_by_the_peer(peer: RawPeer) -> None:
    # The vector of CONTRACT.md.
    assert through(peer, {"size": 8, "seed": 7}) == [b64(bytes.fromhex("f5ff61d7b533cd73"))]
    assert through(peer, {"size": 100_000, "seed": 7}) == [
        {"size": 100_000, "sha256": "a688504d6d6c34ef98b79dd89db85a755c7cdc399ccf8626c51454173a1469e4"}
    ]


@pytest.mark.parametrize("size", [0, 1, 4098, 4099, 4100, 8198, 1_000_000])
def test_a_recipe_is_its_block_again_and_again(size: int, peer: RawPeer) -> None:
    seeds = (0, 7, 2**32)
    received = through(peer, *({"size": size, "seed": seed} for seed in seeds), inline=0)
    assert received == [digest(recipe(size, seed)) if size else "" for seed in seeds]


@pytest.mark.parametrize(
    ("size", "params", "inline"),
    [
        (1024, {}, True),
        (1025, {}, False),
        (1024, {"inline": 1023}, False),
        (1024, {"inline": 1024}, True),
        (5000, {"inline": 5000}, True),
        (5001, {"inline": 5000}, False),
        (1, {"inline": 0}, False),
        (0, {"inline": 0}, True),
    ],
)
def test_a_frame_beyond_inline_is_told_by_size_and_digest(
    size: int, params: dict[str, int], inline: bool, peer: RawPeer
) -> None:
    text, data = "x" * size, b"\xff" * size
    expected = [text, b64(data) if size else ""] if inline else [digest(text.encode()), digest(data)]
    assert through(peer, text, b64(data), **params) == expected


def test_inline_counts_bytes_and_not_characters(peer: RawPeer) -> None:
    text = "第" * 342
    assert through(peer, text) == [digest(text.encode())]


def test_a_message_keeps_its_borders_and_its_order(peer: RawPeer) -> None:
    frames = ["", "a", b64(b"\xff"), "", *(f"frame {number}" for number in range(500)), ""]
    assert through(peer, *frames) == frames


@pytest.mark.parametrize(
    "frame",
    [
        1,
        None,
        True,
        ["nested"],
        {},
        {"base64": "A"},
        {"base64": "AA"},
        {"base64": "_wA="},
        {"base64": "//8=\n"},
        {"base64": "####"},
        {"base64": 1},
        {"base64": "AA==", "size": 1},
        {"text": "x"},
        {"size": 3},
        {"seed": 3},
        {"size": "3", "seed": 1},
        {"size": 3.5, "seed": 1},
        {"size": -1, "seed": 1},
        {"size": 268_435_457, "seed": 1},
        {"size": True, "seed": 1},
        {"size": 3, "seed": "1"},
        {"size": 3, "seed": 1, "more": 1},
        {"size": 3, "sha256": "00"},
    ],
    ids=repr,
)
def test_a_malformed_frame_is_invalid_and_nothing_is_sent(frame: Any, peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    error = peer.refused("send", socket=pusher, messages=[["good"], ["head", frame]], timeout=1000)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")
    peer.send(pusher, ["next"])
    assert peer.recv(puller) == [["next"]]


@pytest.mark.parametrize("messages", [None, "text", [["good"], "text"], {}, [1], [None]], ids=repr)
def test_malformed_messages_are_invalid(messages: Any, peer: RawPeer) -> None:
    error = peer.refused("send", socket=peer.open("PUSH"), messages=messages, timeout=1000)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")


# Send and receive.


def test_sending_tells_how_many_messages_went(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    messages = [[f"message {number}"] for number in range(20)]
    assert peer.send(pusher, *messages) == {"sent": 20}
    assert peer.recv(puller, 20) == messages


def test_a_whole_number_may_be_spelt_with_a_fraction_in_a_timeout(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    for timeout in (1000.0, 250.5, 1e3):
        assert peer.call("send", socket=pusher, messages=[["x"]], timeout=timeout) == {"sent": 1}
        assert peer.call("recv", socket=puller, timeout=timeout)["messages"] == [["x"]]


def test_every_listed_path_sends_whole_messages(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    for path in peer.capabilities["send_paths"]:
        assert peer.send(pusher, [path], [path, "", "end"], via=path) == {"sent": 2}
        assert peer.recv(puller, 2) == [[path], [path, "", "end"]]


def test_a_path_that_is_not_listed_is_unsupported(peer: RawPeer) -> None:
    pusher, _ = pipeline(peer)
    error = peer.refused("send", socket=pusher, messages=[["x"]], timeout=1000, via="MADE_UP_PATH")
    assert (error["code"], error["data"]["name"]) == (-32000, "unsupported")


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("recv", {"timeout": -1}),
        ("recv", {"timeout": "100"}),
        ("recv", {"timeout": True}),
        ("recv", {"timeout": None}),
        ("recv", {"timeout": 0, "count": -1}),
        ("recv", {"timeout": 0, "count": 1.5}),
        ("recv", {"timeout": 0, "count": "1"}),
        ("recv", {"timeout": 0, "count": True}),
        ("recv", {"timeout": 0, "inline": -1}),
        ("recv", {"timeout": 0, "inline": True}),
        ("recv", {"timeout": 0, "made_up": 1}),
        ("send", {"timeout": 0}),
        ("send", {"messages": [["x"]], "timeout": -1}),
        ("send", {"messages": [["x"]], "timeout": True}),
        ("send", {"messages": [["x"]], "via": 1}),
        ("send", {"messages": [["x"]], "made_up": 1}),
    ],
    ids=repr,
)
def test_parameters_out_of_type_or_range_are_invalid(method: str, more: dict[str, Any], peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    error = peer.refused(method, socket=puller if method == "recv" else pusher, **more)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")


def test_overlapping_sends_keep_their_order(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    lines = [peer.line("send", socket=pusher, messages=[[str(n)]], timeout=10_000) for n in range(50)]
    peer.write(b"".join(line for _, line in lines))
    assert peer.recv(puller, 50) == [[str(n)] for n in range(50)]
    assert [peer.result(number) for number, _ in lines] == [{"sent": 1}] * 50


def test_overlapping_receives_are_served_in_their_order(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    lines = [peer.line("recv", socket=puller, count=1 + n % 2, timeout=10_000) for n in range(20)]
    peer.write(b"".join(line for _, line in lines))
    peer.send(pusher, *([str(n)] for n in range(30)))
    received = [message for number, _ in lines for message in peer.result(number)["messages"]]
    assert received == [[str(n)] for n in range(30)]


# Timeouts.


@pytest.mark.parametrize("timeout", [0, 1, 150])
def test_a_receive_waits_as_long_as_it_may_and_no_longer(timeout: int, peer: RawPeer) -> None:
    _, puller = pipeline(peer)
    started = time.perf_counter()
    error = peer.refused("recv", socket=puller, timeout=timeout)
    took = time.perf_counter() - started
    assert (error["code"], error["data"]["name"], error["data"]["messages"]) == (-32000, "timeout", [])
    assert timeout / 1000 <= took < timeout / 1000 + GENEROUS


def test_a_receive_that_ran_out_gives_what_it_got(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    peer.send(pusher, ["one"], ["two", "more"])
    assert peer.recv(puller) == [["one"]]
    error = peer.refused("recv", socket=puller, count=2, timeout=300)
    assert error["data"]["name"] == "timeout"
    assert error["data"]["messages"] == [["two", "more"]]
    peer.send(pusher, ["three"])
    assert peer.recv(puller) == [["three"]]


def test_inline_holds_for_what_a_receive_got_before_it_ran_out(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    peer.send(pusher, ["x" * 20])
    error = peer.refused("recv", socket=puller, count=2, timeout=300, inline=10)
    assert error["data"]["messages"] == [[digest(b"x" * 20)]]


@pytest.mark.parametrize("timeout", [0, 1, 3])
def test_no_message_is_lost_between_receives_that_run_out(timeout: int, peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    expected = [[str(number)] for number in range(300)]
    sending = [peer.line("send", socket=pusher, messages=[message], timeout=10_000) for message in expected]
    received: list[Any] = []
    end = time.perf_counter() + 15
    for number, line in sending:
        peer.write(line)
        if int(number) % 3 == 0:
            answer = peer.answer(peer.start("recv", socket=puller, count=4, timeout=timeout))
            received += answer["result"]["messages"] if "result" in answer else answer["error"]["data"]["messages"]
    while len(received) < 300 and time.perf_counter() < end:
        answer = peer.answer(peer.start("recv", socket=puller, count=7, timeout=timeout))
        received += answer["result"]["messages"] if "result" in answer else answer["error"]["data"]["messages"]
    assert received == expected
    assert all(peer.result(number) == {"sent": 1} for number, _ in sending)


def test_a_send_that_nobody_takes_runs_out_and_tells_what_went(peer: RawPeer) -> None:
    need(peer, "socket_types", "PUSH")
    pusher, _ = peer.bound("PUSH")
    started = time.perf_counter()
    error = peer.refused("send", socket=pusher, messages=[["x"], ["y"]], timeout=200)
    took = time.perf_counter() - started
    assert (error["code"], error["data"]["name"], error["data"]["sent"]) == (-32000, "timeout", 0)
    assert 0.2 <= took < 0.2 + GENEROUS


def test_a_send_that_is_stopped_half_way_tells_what_went(peer: RawPeer) -> None:
    need(peer, "options", "SNDHWM", "RCVHWM")
    need(peer, "socket_types", "PUSH", "PULL")
    puller, endpoint = peer.bound("PULL", "inproc://*", context="full", options={"RCVHWM": 3})
    pusher = peer.open("PUSH", connect=[endpoint], context="full", options={"SNDHWM": 2})
    error = peer.refused("send", socket=pusher, messages=[[str(n)] for n in range(20)], timeout=200)
    assert error["data"]["name"] == "timeout"
    sent = error["data"]["sent"]
    assert 0 < sent < 20
    assert peer.recv(puller, sent) == [[str(n)] for n in range(sent)]
    assert peer.refused("recv", socket=puller, timeout=50)["data"]["messages"] == []


@pytest.mark.parametrize(("method", "option"), [("recv", "RCVTIMEO"), ("send", "SNDTIMEO")])
def test_without_timeout_the_sockets_own_option_rules(method: str, option: str, peer: RawPeer) -> None:
    need(peer, "options", option)
    kind, more = ("PULL", {}) if method == "recv" else ("PUSH", {"messages": [["x"]]})
    socket, _ = peer.bound(kind, options={option: 150})
    started = time.perf_counter()
    error = peer.refused(method, socket=socket, **more)
    took = time.perf_counter() - started
    assert error["data"]["name"] == "timeout"
    assert 0.15 <= took < 0.15 + GENEROUS


def test_with_timeout_the_sockets_own_option_does_not_count(peer: RawPeer) -> None:
    need(peer, "options", "RCVTIMEO")
    socket, _ = peer.bound("PULL", options={"RCVTIMEO": 20})
    started = time.perf_counter()
    assert peer.refused("recv", socket=socket, timeout=200)["data"]["name"] == "timeout"
    assert time.perf_counter() - started >= 0.2
    assert peer.call("get", socket=socket, option="RCVTIMEO") == {"value": 20}


# What the library says.


def test_the_state_machine_of_req_is_the_librarys(peer: RawPeer) -> None:
    need(peer, "socket_types", "REQ", "REP")
    server, client = peer.joined("REP", "REQ")
    assert peer.send(client, ["question"]) == {"sent": 1}
    assert peer.recv(server) == [["question"]]
    peer.send(server, ["answer"])
    assert peer.recv(client) == [["answer"]]


def test_a_call_that_the_state_forbids_says_so_at_once(peer: RawPeer) -> None:
    need(peer, "socket_types", "REQ", "REP")
    need(peer, "options", "REQ_RELAXED")  # libzmq's: another library may have another machine
    _, client = peer.joined("REP", "REQ")
    early = peer.refused("recv", socket=client, timeout=10_000)
    peer.send(client, ["question"])
    again = peer.refused("send", socket=client, messages=[["question"]], timeout=10_000)
    assert [error["data"]["name"] for error in (early, again)] == ["state", "state"]
    assert early["data"]["errno"]
    assert early["data"]["text"]


def test_a_message_without_receiver_is_unroutable(peer: RawPeer) -> None:
    need(peer, "options", "ROUTER_MANDATORY")
    router, _ = peer.bound("ROUTER", options={"ROUTER_MANDATORY": 1})
    error = peer.refused("send", socket=router, messages=[["nobody", "x"]], timeout=1000)
    assert (error["code"], error["data"]["name"], error["data"]["sent"]) == (-32000, "unroutable", 0)


def test_an_operation_that_a_socket_type_lacks_is_unsupported_or_the_librarys_error(peer: RawPeer) -> None:
    pusher, puller = pipeline(peer)
    wrong = [
        peer.refused("send", socket=puller, messages=[["x"]], timeout=1000),
        peer.refused("recv", socket=pusher, timeout=1000),
    ]
    assert {error["data"]["name"] for error in wrong} <= {"unsupported", "library"}
    peer.send(pusher, ["still works"])
    assert peer.recv(puller) == [["still works"]]


def test_a_pair_talks_both_ways_at_once(peer: RawPeer) -> None:
    one, other = pair(peer)
    sends = [
        peer.start("send", socket=who, messages=[[str(n)] for n in range(50)], timeout=10_000) for who in (one, other)
    ]
    received = [peer.start("recv", socket=who, count=50, timeout=10_000) for who in (one, other)]
    assert [peer.result(number)["sent"] for number in sends] == [50, 50]
    assert [peer.result(number)["messages"] for number in received] == [[[str(n)] for n in range(50)]] * 2
