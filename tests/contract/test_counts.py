"""Section 4, stats and dump: a peer counts right what it has. `psutil` looks at the same process from outside."""

from __future__ import annotations

import psutil
import pytest

from tests.contract.needs import need
from tests.contract.wire import RawPeer
from tests.waiting import within

CLOSE = 0.25
"""The share by which memory may differ between two looks at it."""


def linux(peer: RawPeer) -> psutil.Process:
    """Return the peer's process, where the system tells everything about it."""
    if peer.hello["os"] != "linux":
        pytest.skip("asks Linux")
    return psutil.Process(peer.hello["pid"])


def test_a_fresh_peer_has_nothing_open(peer: RawPeer) -> None:
    assert peer.open_now() == (0, 0)


def test_stats_count_sockets_and_contexts(peer: RawPeer) -> None:
    kind = peer.capabilities["socket_types"][0]
    alone = [peer.open(kind), peer.open(kind)]
    assert peer.open_now() == (2, 2)
    shared = [peer.open(kind, context="shared"), peer.open(kind, context="shared")]
    assert peer.open_now() == (4, 3)
    peer.close(shared[0])
    assert peer.open_now() == (3, 3)
    peer.close(shared[1], *alone)
    assert peer.open_now() == (0, 0)


def test_a_context_that_ended_may_be_named_again(peer: RawPeer) -> None:
    kind = peer.capabilities["socket_types"][0]
    for _ in range(3):
        peer.close(peer.open(kind, context="again"))
    assert peer.open_now() == (0, 0)


def test_stats_are_counts(peer: RawPeer) -> None:
    stats = peer.call("stats")
    assert stats.keys() <= {"sockets", "contexts", "threads", "goroutines", "handles", "rss", "uss", "switches"}
    counts = stats | stats.pop("switches", {})
    assert [key for key, count in counts.items() if type(count) is not int or count < 0] == []


def test_stats_are_what_the_system_says(peer: RawPeer) -> None:
    process = linux(peer)
    stats = peer.call("stats")
    assert stats["threads"] == process.num_threads()
    assert abs(stats["handles"] - process.num_fds()) <= 1
    memory = process.memory_full_info()
    for name in ("rss", "uss"):
        assert abs(stats[name] - getattr(memory, name)) < CLOSE * getattr(memory, name), name
    assert stats["uss"] < stats["rss"]


def test_switches_count_up(peer: RawPeer) -> None:
    linux(peer)
    before = peer.call("stats")["switches"]
    for _ in range(50):
        peer.call("hello")
    after = peer.call("stats")["switches"]
    assert after["voluntary"] >= before["voluntary"] + 25  # a peer that waits for a line gives its processor away
    assert after["involuntary"] >= before["involuntary"]


def test_a_dump_shows_stacks(peer: RawPeer) -> None:
    if "dump" not in peer.capabilities["features"]:
        assert peer.refused("dump")["data"]["name"] == "unsupported"
        return
    assert len(peer.call("dump")["text"].splitlines()) > 3


def handles(peer: RawPeer) -> list[str]:
    """Return what a peer says its handles are."""
    need(peer, "features", "dump")
    found: list[str] = peer.call("dump")["handles"]
    return found


def test_a_dump_says_what_each_handle_is(peer: RawPeer) -> None:
    linux(peer)
    found = handles(peer)
    numbers = [int(text.split()[0]) for text in found]
    assert numbers == sorted(set(numbers))
    assert {0, 1, 2} <= set(numbers)
    assert abs(len(found) - peer.call("stats")["handles"]) <= 1


@pytest.mark.parametrize("transport", ["tcp", "tcp6"])
def test_a_dump_names_both_ends_of_a_connection(transport: str, peer: RawPeer) -> None:
    linux(peer)
    need(peer, "socket_types", "RAW")
    need(peer, "transports", transport)
    host = "127.0.0.1" if transport == "tcp" else "[::1]"
    listener, endpoint = peer.bound("RAW", f"tcp://{host}:*")
    address = endpoint.removeprefix("tcp://")

    def sockets() -> list[list[str]]:
        return [text.split()[1:] for text in handles(peer) if address in text]

    [[kind, name, ends, state]] = sockets()
    assert (kind, name, ends.split(">")[0], state) == ("socket", transport, address, "LISTEN")
    connected = peer.open("RAW", connect=[endpoint])
    peer.send(connected, ["x"])
    assert peer.call("recv", socket=listener, size=1, timeout=10_000)["messages"] == [["x"]]
    established = [words[2].split(">") for words in sockets() if words[3] == "ESTABLISHED"]
    assert len(established) == 2
    assert established[0] == established[1][::-1]
    assert address in established[0]
    peer.close(connected, listener)
    assert sockets() == []


def test_a_dump_names_the_path_of_a_socket(peer: RawPeer) -> None:
    linux(peer)
    need(peer, "socket_types", "RAW")
    need(peer, "transports", "ipc")
    listener, endpoint = peer.bound("RAW", "ipc://*")
    path = endpoint.removeprefix("ipc://")
    assert [text.split()[1:] for text in handles(peer) if path in text] == [["socket", "unix", path, "LISTEN"]]
    peer.close(listener)
    assert within(5, lambda: not any(path in text for text in handles(peer)))


def test_a_closed_socket_has_no_handle_any_more(peer: RawPeer) -> None:
    linux(peer)
    need(peer, "socket_types", "PULL")
    puller, endpoint = peer.bound("PULL")
    address = endpoint.removeprefix("tcp://")
    assert any(address in text for text in handles(peer))
    peer.close(puller)
    assert within(5, lambda: not any(address in text for text in handles(peer)))
