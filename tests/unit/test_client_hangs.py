"""A peer that gives no answer in time is a hang: it is asked where it stands, and killed, and every call ends."""

from __future__ import annotations

import sys
import threading

import psutil
import pytest

from harness.errors import PeerFault, PeerHang
from tests.unit.tiny import SILENT, Start, ended

no_sigquit = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGQUIT")


def test_silence_is_a_hang_and_the_peer_is_killed(start: Start) -> None:
    peer = start(SILENT, patience=0.1)
    with pytest.raises(PeerHang, match=r"^tiny: no answer to recv within the deadline; killed$"):
        peer.call("recv")
    assert ended(peer)
    assert isinstance(peer.broken, PeerHang)


@no_sigquit
def test_a_hung_peer_is_asked_for_its_stacks(start: Start) -> None:
    where = "import faulthandler, signal\nfaulthandler.register(signal.SIGQUIT)\ndef stuck(): time.sleep(60)\nstuck()"
    peer = start(where, patience=2.0)
    with pytest.raises(PeerHang) as raised:
        peer.call("recv")
    assert "in stuck" in raised.value.evidence["stacks of tiny"]


@no_sigquit
def test_a_hung_peer_that_ends_when_it_is_asked_is_a_hang_and_no_crash(start: Start) -> None:
    peer = start(SILENT, patience=0.1)  # SIGQUIT ends it
    with pytest.raises(PeerHang) as raised:
        peer.call("recv")
    assert raised.value.evidence == {}
    assert isinstance(peer.broken, PeerHang)


def test_a_hung_windows_program_is_asked_for_its_stacks_by_a_call(start: Start) -> None:
    peer = start("for request in requests():\n if request['method'] != 'recv': answer(request, text='in stuck')")
    peer.call("hello")
    peer.hello, peer.grace = {"os": "windows"}, 0.2
    with pytest.raises(PeerHang) as raised:
        peer.call("recv")
    assert raised.value.evidence == {"stacks of tiny": "in stuck"}
    assert ended(peer)


def test_one_silent_call_ends_all_the_others(start: Start) -> None:
    peer = start(SILENT, patience=0.1)
    long, short = peer.start("recv", wait=60), peer.start("stats")
    for call in (short, long):
        with pytest.raises(PeerHang):
            call.result()


def test_a_peer_that_stops_reading_is_a_hang_too(start: Start) -> None:
    """A request that fills the pipe may not block the harness for longer than its deadline."""
    peer = start("time.sleep(60)", patience=0.2)
    raised: list[PeerFault] = []

    def call() -> None:
        try:
            peer.call("send", {"messages": [["x" * 1_000_000]]})
        except PeerFault as fault:
            raised.append(fault)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(5)
    in_time = not thread.is_alive()
    if not in_time:
        psutil.Process(peer.pid).kill()
        thread.join(5)
    assert in_time, "the call waits beyond its deadline"
    assert [type(fault) for fault in raised] == [PeerHang]
