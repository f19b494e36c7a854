"""Section 1: however a peer is ended, it ends in time, with everything it made; nothing outlives its harness."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.peers import build
from harness.peers.manifest import Manifest
from tests.contract.needs import need, pipeline
from tests.contract.wire import DEADLINE, END_DEADLINE, RawPeer, command
from tests.waiting import gone, within

Start = Callable[[], RawPeer]


def idle(peer: RawPeer) -> None:
    """Leave the peer as it starts."""


def with_sockets(peer: RawPeer) -> None:
    """Open sockets of several kinds, contexts and transports."""
    for transport, wildcard in {"tcp": "tcp://127.0.0.1:*", "ipc": "ipc://*", "inproc": "inproc://*"}.items():
        if transport in peer.capabilities["transports"]:
            peer.bound("PULL", wildcard, context="shared")
            peer.bound("PUSH", wildcard)


def receiving(peer: RawPeer) -> None:
    """Let receives wait for ever, by the library's own rule and by the peer's."""
    for params in ({}, {"timeout": 3_600_000}):
        _, puller = pipeline(peer)
        peer.start("recv", socket=puller, **params)
    peer.call("stats")


def sending(peer: RawPeer) -> None:
    """Let a send wait for ever."""
    pusher, _ = peer.bound("PUSH")
    peer.start("send", socket=pusher, messages=[["x"]])
    peer.call("stats")


def flooding(peer: RawPeer) -> None:
    """Let a flood run into a receiver that never reads."""
    need(peer, "workloads", "flood")
    pusher, _ = pipeline(peer)
    peer.start("flood", socket=pusher, count=10**9, size=1000, timeout=3_600_000)
    peer.call("stats")


def unsent(peer: RawPeer) -> None:
    """Leave messages that nobody will ever take."""
    pusher, puller = pipeline(peer)
    peer.start("send", socket=pusher, messages=[[{"size": 1_000_000, "seed": 1}]] * 40, timeout=3_600_000)
    peer.call("stats")
    assert puller


STATES = pytest.mark.parametrize(
    "state", [idle, with_sockets, receiving, sending, flooding, unsent], ids=lambda state: state.__name__
)


def nothing_left(peer: RawPeer) -> None:
    """Check that the peer ended well and took everything with it."""
    assert peer.ended() == 0
    assert not Path(peer.hello["workdir"]).exists()
    assert peer.stray == []
    left = peer.descendants()
    for process in left:
        process.kill()
    assert left == []


@STATES
def test_the_end_of_stdin_ends_a_peer(state: Callable[[RawPeer], None], start: Start) -> None:
    peer = start()
    state(peer)
    peer.hang_up()
    nothing_left(peer)


@STATES
def test_quit_is_answered_and_ends_a_peer(state: Callable[[RawPeer], None], start: Start) -> None:
    peer = start()
    state(peer)
    assert peer.call("quit") == {}
    nothing_left(peer)


def test_a_peer_that_was_asked_nothing_ends_as_well(own_manifest: Manifest) -> None:
    done = subprocess.run(
        command(own_manifest),
        cwd=own_manifest.here,
        env=build.environment(own_manifest),
        input=b"",
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_requests_before_the_end_are_answered_on_stdout_and_nowhere_else(own_manifest: Manifest) -> None:
    lines = [json.dumps({"jsonrpc": "2.0", "id": number, "method": "stats"}) + "\n" for number in range(20)]
    done = subprocess.run(
        command(own_manifest),
        cwd=own_manifest.here,
        env=build.environment(own_manifest),
        input="".join(["oops\n", *lines]).encode(),
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in done.stdout.splitlines())
    assert done.stdout.endswith(b"\n")


def test_a_peer_that_nobody_reads_any_more_still_ends(start: Start) -> None:
    peer = start()
    assert peer.process.stdout is not None
    with_sockets(peer)
    lines = [peer.line("stats") for _ in range(100)]
    peer.process.stdout = _closed(peer.process.stdout)
    try:
        peer.write(b"".join(line for _, line in lines))
        peer.hang_up()
    except OSError:
        pass  # It may end as soon as it notices.
    assert peer.ended() is not None
    assert not Path(peer.hello["workdir"]).exists()


def _closed(stream: Any) -> Any:
    # The reader thread holds the stream's lock while it waits, so only the descriptor can be taken away.
    os.dup2(os.open(os.devnull, os.O_RDONLY), stream.fileno())
    return stream


POLITE = [signal.SIGTERM, signal.SIGINT] if sys.platform != "win32" else []


@pytest.mark.parametrize("number", POLITE, ids=lambda number: signal.Signals(number).name)
@pytest.mark.parametrize("state", [with_sockets, receiving], ids=lambda state: state.__name__)
def test_a_polite_signal_ends_a_peer_with_everything(
    state: Callable[[RawPeer], None], number: int, start: Start
) -> None:
    peer = start()
    state(peer)
    peer.process.send_signal(number)
    assert peer.ended() is not None
    assert not Path(peer.hello["workdir"]).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGQUIT")
@pytest.mark.parametrize("state", [idle, receiving, sending, flooding], ids=lambda state: state.__name__)
def test_a_peer_that_is_given_up_tells_where_it_hangs(
    state: Callable[[RawPeer], None], own_manifest: Manifest, tmp_path: Path
) -> None:
    log = tmp_path / "stderr"
    with log.open("wb") as stderr:
        peer = RawPeer(own_manifest, stderr)
        try:
            state(peer)
            peer.process.send_signal(signal.SIGQUIT)
            sign = {"go": "goroutine ", "python": 'File "'}.get(own_manifest.language, "")
            assert within(5, lambda: sign in log.read_text("utf-8", "replace") and log.stat().st_size > 0)
        finally:
            peer.kill()


HARNESS = """
    import json, os, subprocess, sys
    command, folder = json.loads(sys.argv[1])
    peer = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=os.name != "nt"
    )
    def call(method, **params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        peer.stdin.write(json.dumps(request).encode() + b"\\n")
        peer.stdin.flush()
        return json.loads(peer.stdout.readline()).get("result", {})
    hello = call("hello")
    opened = call("open", type="PULL", bind=["ipc://*"])
    if opened:
        request = {"jsonrpc": "2.0", "id": 2, "method": "recv", "params": {"socket": opened["socket"]}}
        peer.stdin.write(json.dumps(request).encode() + b"\\n")
        peer.stdin.flush()
    print(json.dumps({"hello": hello, "endpoints": opened.get("endpoints", [])}), flush=True)
    sys.stdin.read()
"""


def test_a_peer_does_not_outlive_a_killed_harness(own_manifest: Manifest) -> None:
    harness = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HARNESS), json.dumps([command(own_manifest), str(own_manifest.here)])],
        env=build.environment(own_manifest),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with harness:
        assert harness.stdout is not None
        told = json.loads(harness.stdout.readline())
        pid, workdir = told["hello"]["pid"], Path(told["hello"]["workdir"])
        paths = [Path(endpoint.removeprefix("ipc://")) for endpoint in told["endpoints"]]
        try:
            assert not gone(pid)
            assert workdir.exists()
            assert all(path.exists() for path in paths)
            harness.kill()
            assert within(END_DEADLINE, lambda: gone(pid)), "the peer outlives its harness"
            assert not workdir.exists()
            assert not any(path.exists() for path in paths)
        finally:
            harness.kill()
            if not gone(pid):
                psutil.Process(pid).kill()
