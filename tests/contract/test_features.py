"""Section 7: what a peer lists among its features works."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.needs import need, pipeline
from tests.contract.test_workloads import bytes_of, numbered, tally
from tests.contract.wire import RawPeer

# timer


def test_a_timer_waits_and_says_how_long(peer: RawPeer) -> None:
    need(peer, "features", "timer")
    assert 45_000_000 <= peer.call("timer", ms=50)["ns"] <= 5_000_000_000


def test_a_timer_holds_up_nothing(peer: RawPeer) -> None:
    need(peer, "features", "timer")
    timer = peer.start("timer", ms=600)
    started = time.perf_counter()
    peer.call("stats")
    assert time.perf_counter() - started < 0.5
    assert peer.result(timer)["ns"] >= 590_000_000


@pytest.mark.parametrize("how", ["timeout", "option"])
@pytest.mark.parametrize("method", ["send", "recv"])
def test_a_timeout_says_how_long_the_library_was_asked(how: str, method: str, peer: RawPeer) -> None:
    need(peer, "features", "timer")
    option, kind = {"send": ("SNDTIMEO", "PUSH"), "recv": ("RCVTIMEO", "PULL")}[method]
    more: dict[str, Any] = {"messages": [["nobody takes it"]]} if method == "send" else {}
    if how == "option":
        need(peer, "options", option)
        socket, _ = peer.bound(kind, options={option: 150})
    else:
        socket, _ = peer.bound(kind)
        more["timeout"] = 150
    started = time.perf_counter_ns()
    data = peer.refused(method, socket=socket, **more)["data"]
    assert data["name"] == "timeout"
    assert 145_000_000 <= data["waited_ns"] <= time.perf_counter_ns() - started


# term


def test_the_end_of_a_context_ends_what_waits_in_it(peer: RawPeer) -> None:
    need(peer, "features", "term")
    puller, _ = peer.bound("PULL", context="ended")
    other, _ = peer.bound("PULL", context="ended")
    alone, _ = peer.bound("PULL")
    waiting = [peer.start("recv", socket=puller, timeout=60_000) for _ in range(2)]
    waiting.append(peer.start("recv", socket=other))
    elsewhere = peer.start("recv", socket=alone, timeout=500)
    peer.call("stats")
    assert peer.call("term", context="ended") == {}
    assert {peer.error(number)["data"]["name"] for number in waiting} == {"closed"}
    assert peer.error(elsewhere)["data"]["name"] == "timeout"
    assert peer.open_now() == (3, 2)


def test_after_the_end_of_a_context_its_sockets_only_close(peer: RawPeer) -> None:
    need(peer, "features", "term")
    socket, endpoint = peer.bound("DEALER", context="ended")
    peer.call("term", context="ended")
    calls: dict[str, dict[str, Any]] = {
        "send": {"messages": [["x"]], "timeout": 1000},
        "recv": {"timeout": 1000},
        "bind": {"endpoint": "tcp://127.0.0.1:*"},
        "connect": {"endpoint": endpoint},
        "set": {"option": "SNDHWM", "value": 10},
        "get": {"option": "SNDHWM"},
    }
    for method, params in calls.items():
        assert peer.refused(method, socket=socket, **params)["data"]["name"] == "closed", method
    assert peer.call("close", socket=socket) == {}
    assert peer.open_now() == (0, 0)


def test_a_context_that_was_ended_may_be_named_again(peer: RawPeer) -> None:
    need(peer, "features", "term")
    for _ in range(2):
        socket, _ = peer.bound("PULL", context="ended")
        peer.call("term", context="ended")
        peer.close(socket)


# monitor


def test_a_monitor_tells_of_connections_in_order_and_once(peer: RawPeer) -> None:
    need(peer, "features", "monitor")
    puller, endpoint = peer.bound("PULL")
    pusher = peer.open("PUSH")
    peer.call("monitor", socket=pusher)
    peer.call("connect", socket=pusher, endpoint=endpoint)
    events: list[dict[str, Any]] = []
    while not events or events[-1]["event"] not in ("HANDSHAKE_SUCCEEDED", "DISCONNECTED"):
        events += peer.call("events", socket=pusher, timeout=10_000)["events"]
    names = [event["event"] for event in events]
    assert [name for name in names if name != "CONNECT_DELAYED"] == ["CONNECTED", "HANDSHAKE_SUCCEEDED"]
    assert {event["endpoint"] for event in events} == {endpoint}
    peer.close(puller)
    [event] = peer.call("events", socket=pusher, timeout=10_000)["events"]
    assert event["event"] == "DISCONNECTED"


def test_events_that_do_not_come_run_out_with_those_that_came(peer: RawPeer) -> None:
    need(peer, "features", "monitor")
    socket = peer.open("PULL")
    peer.call("monitor", socket=socket)
    endpoint = peer.call("bind", socket=socket, endpoint="tcp://127.0.0.1:*")["endpoint"]
    data = peer.refused("events", socket=socket, count=5, timeout=300)["data"]
    assert (data["name"], [event["event"] for event in data["events"]]) == ("timeout", ["LISTENING"])
    assert data["events"][0]["endpoint"] == endpoint
    assert peer.refused("events", socket=socket, timeout=0)["data"]["events"] == []


def test_events_are_told_while_the_socket_is_busy(peer: RawPeer) -> None:
    need(peer, "features", "monitor")
    puller, endpoint = peer.bound("PULL")
    peer.call("monitor", socket=puller)
    draining = peer.start("drain", socket=puller, count=1)
    waiting = peer.start("events", socket=puller, timeout=10_000)
    pusher = peer.open("PUSH", connect=[endpoint])
    assert peer.result(waiting)["events"][0]["event"] == "ACCEPTED"
    peer.send(pusher, ["x"])
    assert peer.result(draining)["received"] == 1


def test_closing_its_socket_ends_a_wait_for_events(peer: RawPeer) -> None:
    need(peer, "features", "monitor")
    socket = peer.open("PULL")
    peer.call("monitor", socket=socket)
    waiting = peer.start("events", socket=socket)
    peer.call("stats")
    peer.close(socket)
    assert peer.error(waiting)["data"]["name"] == "closed"


def test_a_monitor_leaves_nothing_behind(peer: RawPeer) -> None:
    need(peer, "features", "monitor")

    def rounds(count: int) -> tuple[int, int]:
        for _ in range(count):
            socket, endpoint = peer.bound("PULL", context="watched")
            peer.call("monitor", socket=socket)
            other = peer.open("PUSH", context="watched", connect=[endpoint])
            peer.call("events", socket=socket, timeout=10_000)
            peer.close(other, socket)
        stats = peer.call("stats")
        return stats.get("threads", 0), stats.get("handles", 0)

    before = rounds(5)
    after = rounds(20)
    assert [late - early for early, late in zip(before, after, strict=True) if late - early > 10] == []


# zap, keypair and the mechanisms


def credentials(peer: RawPeer, mechanism: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return a policy and the options of a server, of a client that is listed and of one that is not."""
    need(peer, "mechanisms", mechanism)
    if mechanism == "PLAIN":
        good = {"PLAIN_USERNAME": "admin", "PLAIN_PASSWORD": "secret"}
        return {"plain": {"admin": "secret"}}, {"PLAIN_SERVER": 1}, good, {**good, "PLAIN_PASSWORD": "guess"}
    server, listed, stranger = (peer.call("keypair") for _ in range(3))

    def client(pair: dict[str, Any]) -> dict[str, Any]:
        own = {"CURVE_PUBLICKEY": pair["public"], "CURVE_SECRETKEY": pair["secret"]}
        return {"CURVE_SERVERKEY": server["public"], **own}

    options = {"CURVE_SERVER": 1, "CURVE_SECRETKEY": server["secret"]}
    return {"curve": [listed["public"]]}, options, client(listed), client(stranger)


def heard(peer: RawPeer, puller: int, endpoint: str, options: dict[str, Any]) -> bool:
    """Whether a message of a client with these options arrives; nothing else ever stops it."""
    pusher = peer.open("PUSH", options=options, connect=[endpoint])
    peer.start("send", socket=pusher, messages=[["x"]], timeout=1000)
    answer = peer.answer(peer.start("recv", socket=puller, timeout=700))
    peer.close(pusher)
    return "result" in answer


@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
def test_zap_lets_in_who_is_listed_and_nobody_else(mechanism: str, peer: RawPeer) -> None:
    need(peer, "features", "zap")
    policy, server, good, bad = credentials(peer, mechanism)
    assert peer.call("zap", context="guarded", domain="home", **policy) == {}
    puller, endpoint = peer.bound("PULL", context="guarded", options={"ZAP_DOMAIN": "home", **server})
    assert heard(peer, puller, endpoint, good)
    assert not heard(peer, puller, endpoint, bad)
    assert not heard(peer, puller, endpoint, {})
    peer.close(puller)
    assert peer.open_now() == (0, 0)


@pytest.mark.parametrize(("domain", "let_in"), [({"domain": "elsewhere"}, False), ({}, True)], ids=str)
def test_zap_speaks_for_its_domain_or_for_all(domain: dict[str, str], let_in: bool, peer: RawPeer) -> None:
    need(peer, "features", "zap")
    policy, server, good, _ = credentials(peer, "PLAIN")
    peer.call("zap", context="guarded", **domain, **policy)
    puller, endpoint = peer.bound("PULL", context="guarded", options={"ZAP_DOMAIN": "home", **server})
    assert heard(peer, puller, endpoint, good) == let_in


def test_zap_may_let_any_curve_key_in(peer: RawPeer) -> None:
    need(peer, "features", "zap")
    _, server, good, other = credentials(peer, "CURVE")
    peer.call("zap", context="guarded", curve="any")
    puller, endpoint = peer.bound("PULL", context="guarded", options={"ZAP_DOMAIN": "home", **server})
    assert heard(peer, puller, endpoint, good)
    assert heard(peer, puller, endpoint, other)


def test_zap_refuses_null_where_a_domain_is_named(peer: RawPeer) -> None:
    need(peer, "features", "zap")
    peer.call("zap", context="guarded", plain={"admin": "secret"})
    puller, endpoint = peer.bound("PULL", context="guarded", options={"ZAP_DOMAIN": "home"})
    assert not heard(peer, puller, endpoint, {})


def test_a_handler_ends_with_its_context(peer: RawPeer) -> None:
    need(peer, "features", "zap")
    policy, server, good, _ = credentials(peer, "PLAIN")
    for _ in range(2):
        peer.call("zap", context="guarded", **policy)
        puller, endpoint = peer.bound("PULL", context="guarded", options=server | {"ZAP_DOMAIN": "home"})
        assert heard(peer, puller, endpoint, good)
        peer.close(puller)
        assert peer.open_now() == (0, 0)


# reconnect


def test_a_lost_connection_is_made_again(peer: RawPeer) -> None:
    need(peer, "features", "reconnect")
    asked = {"AUTO_RECONNECT": 1} if "AUTO_RECONNECT" in peer.capabilities["options"] else {}
    need(peer, "socket_types", "DEALER")
    bound, endpoint = peer.bound("DEALER")
    connected = peer.open("DEALER", connect=[endpoint], options=asked)
    peer.send(connected, ["before"])
    assert peer.recv(bound) == [["before"]]
    peer.close(bound)
    again, _ = peer.bound("DEALER", endpoint)
    # What is sent before the loss is noticed may be lost with the connection
    for number in range(100):
        peer.start("send", socket=connected, messages=[[f"after {number}"]], timeout=5000)
        answer = peer.answer(peer.start("recv", socket=again, timeout=200))
        if "result" in answer:
            return
    pytest.fail("nothing came over a new connection")


# swarm and share


def test_a_swarm_sends_everything_from_each_of_its_sockets(peer: RawPeer) -> None:
    need(peer, "features", "swarm")
    puller, endpoint = peer.bound("PULL")
    swarming = peer.start("swarm", context="swarm", type="PUSH", endpoint=endpoint, workers=4, count=100, size=64)
    messages: list[Any] = []
    while len(messages) < 400:
        answer = peer.answer(peer.start("recv", socket=puller, count=400 - len(messages), timeout=10_000))
        # A library may report the end of a connection between the messages of others
        assert "result" in answer or answer["error"]["data"]["name"] == "library"
        messages += (answer.get("result") or answer["error"]["data"])["messages"]
    done = peer.result(swarming)
    assert (done["sent"], done["ns"] > 0) == (400, True)
    for worker in range(4):
        expected = [bytes_of(numbered(sequence, worker, 64)) for sequence in range(100)]
        own = [message for message in messages if bytes_of(message[0])[15] == worker]
        assert [bytes_of(frame) for [frame] in own] == expected
    peer.close(puller)
    assert peer.open_now() == (0, 0)


def test_a_swarm_that_nobody_hears_runs_out(peer: RawPeer) -> None:
    need(peer, "features", "swarm")
    puller, endpoint = peer.bound("PULL")
    peer.close(puller)
    error = peer.refused(
        "swarm", context="swarm", type="PUSH", endpoint=endpoint, workers=2, count=10**6, size=1000, timeout=500
    )
    assert error["data"]["name"] in ("timeout", "library")
    assert error["data"]["sent"] < 2 * 10**6


@pytest.mark.parametrize("how", ["mutex", "handover"])
def test_workers_that_share_a_socket_properly_lose_nothing(how: str, peer: RawPeer) -> None:
    need(peer, "features", "share")
    pusher, puller = pipeline(peer)
    draining = peer.start("drain", socket=puller, count=800)
    done = peer.call("share", socket=pusher, workers=4, count=200, size=64, how=how)
    assert (done["sent"], done["ns"] > 0) == (800, True)
    assert peer.result(draining)["sources"] == {str(number): tally(200) for number in range(4)}


@pytest.mark.parametrize("how", ["mutex", "handover", "none"])
def test_workers_that_share_a_socket_that_nobody_reads_run_out(how: str, peer: RawPeer) -> None:
    need(peer, "features", "share")
    pusher, _ = peer.bound("PUSH")
    workers = 1 if how == "none" else 3
    error = peer.refused("share", socket=pusher, workers=workers, count=10, size=64, how=how, timeout=300)
    assert (error["data"]["name"], error["data"]["sent"]) == ("timeout", 0)


def test_closing_its_socket_ends_the_workers_that_share_it(peer: RawPeer) -> None:
    need(peer, "features", "share")
    for more in ({}, {"context": "shared"}):
        pusher, _ = peer.bound("PUSH", **more)
        sharing = peer.start("share", socket=pusher, workers=3, count=10, size=64, how="mutex")
        peer.call("stats")
        peer.close(pusher)
        assert peer.error(sharing)["data"]["name"] == "closed"


# steer


def test_a_proxy_obeys(peer: RawPeer) -> None:
    need(peer, "features", "steer")
    (frontend, front), (backend, back) = peer.bound("PULL"), peer.bound("PUSH")
    pusher, puller = peer.open("PUSH", connect=[front]), peer.open("PULL", connect=[back])
    passing = peer.start("proxy", socket=frontend, backend=backend)
    peer.send(pusher, ["1"])
    assert peer.recv(puller) == [["1"]]
    assert peer.call("steer", socket=frontend, command="PAUSE") == {}
    peer.send(pusher, ["2"])
    assert peer.refused("recv", socket=puller, timeout=300)["data"]["name"] == "timeout"
    assert peer.call("steer", socket=frontend, command="RESUME") == {}
    assert peer.recv(puller) == [["2"]]
    assert peer.call("steer", socket=frontend, command="TERMINATE") == {}
    assert peer.result(passing) == {"forward": 2, "backward": 0}
    assert peer.open_now()[0] == 4
