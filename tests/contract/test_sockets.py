"""Section 4, from open to close: sockets, endpoints, options and contexts."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.model.patterns import PATTERNS
from tests.contract.needs import need, pipeline
from tests.contract.wire import RawPeer
from tests.waiting import within

WILDCARDS = {
    "tcp": ("tcp://127.0.0.1:*", r"tcp://127\.0\.0\.1:[1-9]\d{0,4}"),
    "tcp6": ("tcp://[::1]:*", r"tcp://\[::1\]:[1-9]\d{0,4}"),
    "ipc": ("ipc://*", r"ipc://[^@*].*"),
    "ipc-abstract": ("ipc://@*", r"ipc://@zmq-interop-.+"),
    "inproc": ("inproc://*", r"inproc://[^*]+"),
    "ws": ("ws://127.0.0.1:*", r"ws://127\.0\.0\.1:[1-9]\d{0,4}.*"),
}
SOCKET_TYPES = list(dict.fromkeys(kind for row in PATTERNS.values() for kind in (row.left, row.right)))


def name_of(error: dict[str, Any]) -> Any:
    assert error["code"] == (-32602 if error["data"]["name"] == "invalid" else -32000)
    return error["data"]["name"]


@pytest.mark.parametrize("kind", SOCKET_TYPES)
def test_a_listed_socket_type_opens_and_closes_and_others_are_unsupported(kind: str, peer: RawPeer) -> None:
    if kind not in peer.capabilities["socket_types"]:
        assert name_of(peer.refused("open", type=kind)) == "unsupported"
        return
    result = peer.call("open", type=kind)
    assert result["endpoints"] == []
    assert peer.call("close", socket=result["socket"]) == {}


def test_handles_are_never_used_twice(peer: RawPeer) -> None:
    handles = []
    for _ in range(5):
        handles.append(peer.open(peer.capabilities["socket_types"][0]))
        peer.close(handles[-1])
    assert len(set(handles)) == 5


# Endpoints.


@pytest.mark.parametrize("transport", WILDCARDS)
def test_a_wildcard_becomes_a_concrete_endpoint_each_time_another(transport: str, peer: RawPeer) -> None:
    wildcard, shape = WILDCARDS[transport]
    if transport not in peer.capabilities["transports"]:
        if transport not in ("tcp6", "ipc-abstract"):  # the library can, the machine can't
            assert name_of(peer.refused("open", type="PULL", bind=[wildcard])) == "unsupported"
        return
    endpoints = [peer.bound("PULL", wildcard)[1] for _ in range(2)]
    assert [endpoint for endpoint in endpoints if not re.fullmatch(shape, endpoint)] == []
    assert endpoints[0] != endpoints[1]


def test_a_path_lies_below_the_working_directory_and_is_short(peer: RawPeer) -> None:
    need(peer, "transports", "ipc")
    _, endpoint = peer.bound("PULL", "ipc://*")
    path = Path(endpoint.removeprefix("ipc://"))
    assert path.parent == Path(peer.hello["workdir"])
    assert len(str(path).encode()) <= 107
    assert path.exists()


@pytest.mark.parametrize("transport", WILDCARDS)
def test_messages_pass_over_each_listed_transport(transport: str, peer: RawPeer) -> None:
    need(peer, "transports", transport)
    need(peer, "socket_types", "PUSH", "PULL")
    puller, endpoint = peer.bound("PULL", WILDCARDS[transport][0], context="one")
    opened = peer.call("open", type="PUSH", connect=[endpoint], context="one")
    assert opened["endpoints"] == [endpoint]
    peer.send(opened["socket"], ["over", transport])
    assert peer.recv(puller) == [["over", transport]]


def test_endpoints_are_told_binds_first_in_their_order(peer: RawPeer) -> None:
    need(peer, "transports", "tcp", "inproc")
    _, endpoint = peer.bound("PULL")
    result = peer.call(
        "open", type="PUSH", connect=[endpoint], bind=["inproc://*", "tcp://127.0.0.1:*"], context="order"
    )
    inproc, tcp, connected = result["endpoints"]
    assert inproc.startswith("inproc://")
    assert re.fullmatch(WILDCARDS["tcp"][1], tcp)
    assert connected == endpoint


def test_bind_and_connect_tell_the_actual_endpoint(peer: RawPeer) -> None:
    need(peer, "transports", "tcp")
    puller, pusher = peer.open("PULL"), peer.open("PUSH")
    endpoint = peer.call("bind", socket=puller, endpoint="tcp://127.0.0.1:*")["endpoint"]
    assert re.fullmatch(WILDCARDS["tcp"][1], endpoint)
    assert peer.call("connect", socket=pusher, endpoint=endpoint) == {"endpoint": endpoint}
    peer.send(pusher, ["hello"])
    assert peer.recv(puller) == [["hello"]]


@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_a_concrete_endpoint_can_be_bound_again_after_its_socket_was_closed(transport: str, peer: RawPeer) -> None:
    need(peer, "transports", transport)
    first, endpoint = peer.bound("PULL", WILDCARDS[transport][0])
    peer.close(first)
    assert peer.bound("PULL", endpoint)[1] == endpoint


def test_an_endpoint_in_use_is_an_error_of_the_library(peer: RawPeer) -> None:
    need(peer, "transports", "tcp")
    _, endpoint = peer.bound("PULL")
    error = peer.refused("open", type="PULL", bind=[endpoint])
    assert name_of(error) == "library"
    assert error["data"]["text"]


@pytest.mark.parametrize(
    "endpoint", ["", "nonsense", "tcp:", "tcp://", "://", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:port"]
)
def test_an_endpoint_that_cannot_be_read_is_invalid(endpoint: str, peer: RawPeer) -> None:
    socket = peer.open("PULL")
    for method in ("bind", "connect"):
        assert name_of(peer.refused(method, socket=socket, endpoint=endpoint)) == "invalid", method
        assert name_of(peer.refused("open", type="PULL", **{method: [endpoint]})) == "invalid", method


@pytest.mark.parametrize("method", ["bind", "connect"])
def test_a_transport_that_does_not_exist_is_unsupported(method: str, peer: RawPeer) -> None:
    socket = peer.open("PULL")
    assert name_of(peer.refused(method, socket=socket, endpoint="made-up://x")) == "unsupported"


def test_unbinding_frees_the_endpoint(peer: RawPeer) -> None:
    puller, endpoint = peer.bound("PULL")
    if "unbind" not in peer.capabilities["features"]:
        assert name_of(peer.refused("unbind", socket=puller, endpoint=endpoint)) == "unsupported"
        return
    assert peer.call("unbind", socket=puller, endpoint=endpoint) == {}

    def free() -> bool:
        # libzmq frees an endpoint some time after it answered.
        return "result" in peer.answer(peer.start("open", type="PULL", bind=[endpoint]))

    assert within(5, free)


def test_disconnecting_is_told_or_unsupported(peer: RawPeer) -> None:
    _, endpoint = peer.bound("PULL")
    pusher = peer.open("PUSH", connect=[endpoint])
    if "disconnect" not in peer.capabilities["features"]:
        assert name_of(peer.refused("disconnect", socket=pusher, endpoint=endpoint)) == "unsupported"
        return
    assert peer.call("disconnect", socket=pusher, endpoint=endpoint) == {}
    assert peer.refused("disconnect", socket=pusher, endpoint=endpoint)["code"] in (-32000, -32602)


# Opening as a whole.

SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "type": ({"type": "MADE_UP"}, "unsupported"),
    "type's spelling": ({"type": "pull"}, "unsupported"),
    "option": ({"options": {"MADE_UP": 1}}, "unsupported"),
    "option after a good bind": ({"options": {"MADE_UP": 1}, "bind": ["tcp://127.0.0.1:*"]}, "unsupported"),
    "second bind": ({"bind": ["tcp://127.0.0.1:*", "made-up://x"]}, "unsupported"),
    "connect": ({"bind": ["tcp://127.0.0.1:*"], "connect": ["made-up://x"]}, "unsupported"),
    "connect's endpoint": ({"bind": ["tcp://127.0.0.1:*"], "connect": ["nonsense"]}, "invalid"),
}


@pytest.mark.parametrize(("params", "name"), SPOILT.values(), ids=list(SPOILT))
def test_an_open_that_fails_half_way_leaves_nothing_open(params: dict[str, Any], name: str, peer: RawPeer) -> None:
    assert name_of(peer.refused("open", **{"type": "PULL", "context": "spoilt", **params})) == name
    assert peer.open_now() == (0, 0)


def test_an_open_that_fails_half_way_frees_its_endpoint(peer: RawPeer) -> None:
    need(peer, "transports", "tcp")
    first, endpoint = peer.bound("PULL")
    peer.close(first)
    assert name_of(peer.refused("open", type="PULL", bind=[endpoint, "made-up://x"])) == "unsupported"
    assert peer.bound("PULL", endpoint)[1] == endpoint


# Contexts.


def test_inproc_reaches_sockets_of_the_same_context(peer: RawPeer) -> None:
    need(peer, "transports", "inproc")
    need(peer, "socket_types", "PUSH", "PULL")
    pullers = {name: peer.bound("PULL", "inproc://*", context=name) for name in ("here", "there")}
    for name, (puller, endpoint) in pullers.items():
        peer.send(peer.open("PUSH", connect=[endpoint], context=name), [name])
        assert peer.recv(puller) == [[name]]


def test_a_context_outlives_its_first_socket(peer: RawPeer) -> None:
    first = peer.open("PULL", context="shared")
    second = peer.open("PULL", context="shared")
    peer.close(first)
    assert peer.call("bind", socket=second, endpoint="inproc://*")["endpoint"].startswith("inproc://")


# Options.

INTEGERS = {"SNDHWM": 17, "RCVHWM": 18, "LINGER": 1234, "RCVTIMEO": 4321, "SNDTIMEO": 4322, "IMMEDIATE": 1}
BYTES: dict[str, Any] = {"text": "a name", "bytes": {"base64": "/wD+"}}


@pytest.mark.parametrize("option", INTEGERS)
def test_a_listed_number_reads_back_as_it_was_set(option: str, peer: RawPeer) -> None:
    value = INTEGERS[option]
    if option not in peer.capabilities["options"]:
        socket = peer.open("DEALER")
        assert name_of(peer.refused("set", socket=socket, option=option, value=value)) == "unsupported"
        assert name_of(peer.refused("get", socket=socket, option=option)) == "unsupported"
        return
    socket = peer.open("DEALER")
    assert peer.call("set", socket=socket, option=option, value=value) == {}
    opened = peer.open("DEALER", options={option: value})
    read = [peer.call("get", socket=handle, option=option)["value"] for handle in (socket, opened)]
    assert read == [value, value]
    assert [type(number) for number in read] == [int, int]


@pytest.mark.parametrize("value", BYTES.values(), ids=list(BYTES))
def test_a_routing_id_arrives_as_it_was_set(value: Any, peer: RawPeer) -> None:
    need(peer, "options", "ROUTING_ID")
    need(peer, "socket_types", "ROUTER", "DEALER")
    router, endpoint = peer.bound("ROUTER")
    dealer = peer.open("DEALER", options={"ROUTING_ID": value}, connect=[endpoint])
    peer.send(dealer, ["hello"])
    assert peer.recv(router) == [[value, "hello"]]
    read = peer.answer(peer.start("get", socket=dealer, option="ROUTING_ID"))
    # Some libraries take it and have no way to give it back.
    assert read.get("result") == {"value": value} or name_of(read["error"]) == "unsupported"


def test_linger_is_0_unless_it_is_set(peer: RawPeer) -> None:
    need(peer, "options", "LINGER")
    assert peer.call("get", socket=peer.open("PUSH"), option="LINGER") == {"value": 0}


def test_options_come_before_endpoints(peer: RawPeer) -> None:
    need(peer, "options", "SUBSCRIBE")
    need(peer, "socket_types", "PUB", "SUB")
    publisher, endpoint = peer.bound("PUB")
    subscriber = peer.open("SUB", options={"SUBSCRIBE": "news"}, connect=[endpoint])
    waiting = peer.start("recv", socket=subscriber, timeout=10_000)

    def come() -> bool:
        peer.send(publisher, ["noise"], ["news", "first"])
        return any(answer["id"] == waiting for answer in peer.unanswered())

    assert within(10, come)
    assert peer.result(waiting)["messages"] == [["news", "first"]]


def test_an_option_that_does_not_exist_is_unsupported(peer: RawPeer) -> None:
    socket = peer.open("PULL")
    for value in (1, "text", {"base64": "AA=="}):
        assert name_of(peer.refused("set", socket=socket, option="MADE_UP_FEATURE", value=value)) == "unsupported"
    assert name_of(peer.refused("get", socket=socket, option="MADE_UP_FEATURE")) == "unsupported"


@pytest.mark.parametrize("value", [None, 1.5, [], [1], {}, {"base64": "#"}, {"size": 3}])
def test_a_value_is_a_number_or_a_frame(value: Any, peer: RawPeer) -> None:
    option = peer.capabilities["options"][0]
    assert name_of(peer.refused("set", socket=peer.open("SUB"), option=option, value=value)) == "invalid"


# Handles.

CALLS: dict[str, dict[str, Any]] = {
    "bind": {"endpoint": "tcp://127.0.0.1:*"},
    "connect": {"endpoint": "tcp://127.0.0.1:9"},
    "unbind": {"endpoint": "tcp://127.0.0.1:9"},
    "disconnect": {"endpoint": "tcp://127.0.0.1:9"},
    "set": {"option": "LINGER", "value": 0},
    "get": {"option": "LINGER"},
    "send": {"messages": [["x"]], "timeout": 0},
    "recv": {"timeout": 0},
    "close": {},
    "echo": {"count": 1},
    "flood": {"count": 1, "size": 16},
    "pace": {"count": 1, "size": 16, "rate": 1000},
    "drain": {"count": 1},
    "ping": {"count": 1, "size": 16},
}
WORKLOADS = ("echo", "flood", "pace", "drain", "ping")


def test_a_closed_handle_is_closed_for_every_call(peer: RawPeer) -> None:
    handle = peer.open("PULL")
    peer.close(handle)
    for method, params in CALLS.items():
        if method not in WORKLOADS or method in peer.capabilities["workloads"]:
            assert name_of(peer.refused(method, socket=handle, **params)) == "closed", method


@pytest.mark.parametrize("handle", [10**9, -1, 0, "1", 1.5, True, None, [], {}])
def test_a_handle_that_was_never_given_is_invalid(handle: Any, peer: RawPeer) -> None:
    for method in ("bind", "set", "send", "recv", "close"):
        assert name_of(peer.refused(method, socket=handle, **CALLS[method])) == "invalid", method


@pytest.mark.parametrize("timeout", [{}, {"timeout": 60_000}], ids=["without timeout", "with timeout"])
@pytest.mark.parametrize("kind", ["PULL", "REP", "SUB", "ROUTER", "DEALER", "PAIR"])
def test_closing_ends_a_receive_that_waits(kind: str, timeout: dict[str, int], peer: RawPeer) -> None:
    need(peer, "socket_types", kind)
    socket, _ = peer.bound(kind)
    waiting = peer.start("recv", socket=socket, **timeout)
    assert peer.call("stats")["sockets"] == 1
    peer.close(socket)
    assert name_of(peer.error(waiting)) == "closed"
    assert name_of(peer.refused("recv", socket=socket, timeout=0)) == "closed"


def test_closing_gives_what_a_receive_had_got_already(peer: RawPeer) -> None:
    sent = [["one"], ["two"]]
    for pause in (0.01, 0.1, 1):  # whether the messages arrived before the close can't be asked
        pusher, puller = pipeline(peer)
        waiting = peer.start("recv", socket=puller, count=3, timeout=60_000)
        peer.send(pusher, *sent)
        time.sleep(pause)
        peer.close(puller)
        error = peer.error(waiting)
        assert name_of(error) == "closed"
        if error["data"]["messages"] == sent:
            return
        assert error["data"]["messages"] == sent[: len(error["data"]["messages"])]
    pytest.fail("what was received is never told")


@pytest.mark.skipif(sys.platform == "win32", reason="no paths there")
def test_a_closed_sockets_path_may_stay_but_only_below_the_working_directory(peer: RawPeer) -> None:
    need(peer, "transports", "ipc")
    before = set(Path(peer.hello["workdir"]).iterdir())
    puller, endpoint = peer.bound("PULL", "ipc://*")
    peer.close(puller)
    assert set(Path(peer.hello["workdir"]).iterdir()) - before <= {Path(endpoint.removeprefix("ipc://"))}


# Parameters.

BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "open without type": ("open", {}),
    "open of a number": ("open", {"type": 1}),
    "open in a context without name": ("open", {"type": "PULL", "context": 1}),
    "open with options as list": ("open", {"type": "PULL", "options": []}),
    "open with one bind as text": ("open", {"type": "PULL", "bind": "tcp://127.0.0.1:*"}),
    "open with a number to connect to": ("open", {"type": "PULL", "connect": [1]}),
    "open with more": ("open", {"type": "PULL", "made_up": 1}),
    "bind without endpoint": ("bind", {"socket": 1}),
    "bind without socket": ("bind", {"endpoint": "tcp://127.0.0.1:*"}),
    "bind to a number": ("bind", {"socket": 1, "endpoint": 5555}),
    "set without value": ("set", {"socket": 1, "option": "LINGER"}),
    "set of option 1": ("set", {"socket": 1, "option": 1, "value": 1}),
    "get without option": ("get", {"socket": 1}),
    "close without socket": ("close", {}),
    "close with more": ("close", {"socket": 1, "linger": 0}),
}


@pytest.mark.parametrize(("method", "params"), BAD.values(), ids=list(BAD))
def test_parameters_that_are_missing_unknown_or_of_the_wrong_type_are_invalid(
    method: str, params: dict[str, Any], peer: RawPeer
) -> None:
    if "socket" in params:
        params = params | {"socket": peer.open("PULL")}
    assert name_of(peer.refused(method, **params)) == "invalid"
    if "socket" in params:
        assert peer.open_now() == (1, 1), "a refused call changes nothing"
