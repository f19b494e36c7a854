"""The control channel tells apart a peer's error, its end, its silence and its breaches of the contract.

The peers here are Python programs of a few lines, started as real processes in the place `local`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.errors import CallFailed, ContractBreach, PeerCrash
from harness.peers import client as module
from harness.peers.client import PeerClient
from harness.places.local import POLITE, LocalPlace
from tests.unit.helpers import script
from tests.unit.tiny import ECHO, SILENT, Start, ended
from tests.waiting import gone, within


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait half a second for an end instead of eight."""
    monkeypatch.setattr(module, "STOP_DEADLINE", 0.5)


CAUGHT = "SIGBREAK" if sys.platform == "win32" else "SIGTERM"
"""The signal by which a process is asked to end."""


# Answers.


def test_a_call_returns_the_result(start: Start) -> None:
    assert start(ECHO).call("open", {"type": "第"}) == {"method": "open", "params": {"type": "第"}}


def test_a_call_without_parameters_sends_an_empty_object(start: Start) -> None:
    assert start(ECHO).call("stats") == {"method": "stats", "params": {}}


def test_answers_in_any_order_reach_their_calls(start: Start) -> None:
    peer = start(
        """
some = requests()
first, second, third = next(some), next(some), next(some)
for request in (third, first, second): answer(request, n=request["params"]["n"])
for request in some: pass
"""
    )
    calls = [peer.start("recv", {"n": number}) for number in range(3)]
    assert [call.result() for call in calls] == [{"n": number} for number in range(3)]


def test_a_waiting_call_does_not_hold_up_others(start: Start) -> None:
    peer = start(
        """
waiting = None
for request in requests():
    if request["method"] == "recv": waiting = request
    else:
        answer(request)
        if request["method"] == "go": answer(waiting, late=1)
"""
    )
    waiting = peer.start("recv")
    assert peer.call("stats") == {}
    assert not waiting.done()
    peer.call("go")
    assert waiting.result() == {"late": 1}
    assert waiting.done()


def test_an_answer_later_than_patience_is_awaited_where_the_call_itself_waits(start: Start) -> None:
    peer = start("for request in requests():\n    time.sleep(0.5)\n    answer(request)", patience=0.01)
    assert peer.call("recv", wait=5) == {}


def test_an_error_answer_is_raised_with_its_name_and_data(start: Start) -> None:
    peer = start(
        """
for request in requests():
    data = {"name": "state", "errno": 156384763, "text": "EFSM", "messages": []}
    error = {"code": -32000, "message": "not now", "data": data}
    write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}))
"""
    )
    with pytest.raises(CallFailed) as failed:
        peer.call("send")
    assert str(failed.value) == "tiny: send failed: state: not now (EFSM)"
    assert (failed.value.name, failed.value.code, failed.value.data["errno"]) == ("state", -32000, 156384763)
    assert peer.broken is None


def test_an_error_without_data_has_no_name(start: Start) -> None:
    peer = start(
        """
for request in requests():
    write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "no method"}}))
"""
    )
    with pytest.raises(CallFailed, match="tiny: send failed: -32601: no method") as failed:
        peer.call("send")
    assert failed.value.name == ""


# Breaches.

BREACHES = {
    "text": "write('Listening on port 5555')",
    "half an object": 'write(\'{"jsonrpc": "2.0", \')',
    "an empty line": "write('')",
    "bytes that are no text": "sys.stdout.buffer.write(b'\\xff\\xfe\\n'); sys.stdout.flush()",
    "nothing but brackets": "write('[' * 100_000)",
    "a list": "write('[]')",
    "no version": "write(json.dumps({'id': 1, 'result': {}}))",
    "neither result nor error": "write(json.dumps({'jsonrpc': '2.0', 'id': 1}))",
    "both result and error": "write(json.dumps({'jsonrpc': '2.0', 'id': 1, 'result': {}, 'error': {}}))",
    "a result that is no object": "write(json.dumps({'jsonrpc': '2.0', 'id': 1, 'result': 'ok'}))",
    "an error that is no object": "write(json.dumps({'jsonrpc': '2.0', 'id': 1, 'error': 'bad'}))",
    "an error whose data is no object": (
        "write(json.dumps({'jsonrpc': '2.0', 'id': 1, 'error': {'code': 1, 'message': '', 'data': 'bad'}}))"
    ),
    "an id that nobody asked with": "write(json.dumps({'jsonrpc': '2.0', 'id': 99, 'result': {}}))",
    "an id that cannot be one": "write(json.dumps({'jsonrpc': '2.0', 'id': [1], 'result': {}}))",
    "no id": "write(json.dumps({'jsonrpc': '2.0', 'result': {}}))",
}


@pytest.mark.parametrize("line", BREACHES.values(), ids=list(BREACHES))
@pytest.mark.filterwarnings("default::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_the_contract_forbids_is_a_breach(line: str, start: Start) -> None:
    peer = start(f"next(requests())\n{line}\ntime.sleep(60)", patience=1.0)
    with pytest.raises(ContractBreach, match=r"^tiny: "):
        peer.call("hello")
    assert ended(peer)


def test_a_line_without_an_end_is_a_breach_before_it_fills_the_memory(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST", 65_536)
    peer = start("next(requests())\nwhile True: sys.stdout.write('x' * 65_536)")
    with pytest.raises(ContractBreach, match="wrote 65536 bytes on stdout without the end of a line"):
        peer.call("hello")
    assert ended(peer)


def test_an_answer_that_comes_twice_is_a_breach(start: Start) -> None:
    peer = start("for request in requests():\n    answer(request)\n    answer(request)")
    assert peer.call("hello") == {}
    with pytest.raises(ContractBreach, match="answered a request that was not waiting"):
        peer.call("stats")


def test_a_broken_peer_answers_nothing_more(start: Start) -> None:
    peer = start("next(requests())\nwrite('oops')\ntime.sleep(60)")
    waiting = peer.start("recv")
    with pytest.raises(ContractBreach) as first:
        waiting.result()
    with pytest.raises(ContractBreach) as second:
        peer.call("stats")
    assert second.value is first.value is peer.broken


# Ends and silence.

ENDS = {
    "an exit code": ("sys.exit(3)", "the peer ended with exit code 3"),
    "an end that looks polite": ("sys.exit(0)", "the peer ended with exit code 0"),
    "a signal": (
        "os.kill(os.getpid(), 9)",
        f"the peer ended with {'exit code' if sys.platform == 'win32' else 'signal'} 9",
    ),
    "an uncaught exception": ("raise ValueError", "the peer ended with exit code 1"),
}


@pytest.mark.parametrize(("line", "said"), ENDS.values(), ids=list(ENDS))
def test_a_process_that_ends_answers_every_call_with_a_crash(line: str, said: str, start: Start) -> None:
    peer = start(f"next(requests())\nnext(requests())\n{line}")
    for call in [peer.start("recv"), peer.start("stats")]:
        with pytest.raises(PeerCrash, match=f"^tiny: {said}$"):
            call.result()


def test_a_peer_that_closed_its_stdout_is_as_good_as_dead(start: Start, hurry: None) -> None:
    peer = start("os.close(1)\ntime.sleep(60)")
    with pytest.raises(PeerCrash, match="closed its stdout and went on"):
        peer.call("hello")


def test_a_peer_that_ended_before_the_call_is_a_crash(start: Start) -> None:
    peer = start("sys.exit(7)")
    assert ended(peer)
    with pytest.raises(PeerCrash, match="exit code 7"):
        peer.call("hello")


def test_a_peer_that_ended_before_it_was_listened_to_is_a_crash(tmp_path: Path) -> None:
    for _ in range(20):
        process = LocalPlace().start(script(tmp_path, ""), tmp_path, os.environ)
        process.wait(20)
        peer = PeerClient("tiny", process, 2.0)
        with pytest.raises(PeerCrash, match="ended with exit code 0"):
            peer.call("hello")
        peer.kill()


# The log.


def test_the_tail_of_stderr_is_kept(start: Start) -> None:
    peer = start(
        "for number in range(300): print('line', number, file=sys.stderr)\n"
        "sys.stderr.buffer.write(b'\\xff last\\n'); sys.stderr.flush()\n" + ECHO
    )
    peer.call("hello")
    peer.stop()
    assert peer.log_tail(3) == "line 298\nline 299\n� last"
    assert len(peer.log_tail(10**6).splitlines()) == 200


# Stopping.


def test_a_good_peer_ends_without_a_word(start: Start, tmp_path: Path) -> None:
    peer = start(ECHO)
    peer.hello = peer.call("hello") | {"workdir": str(tmp_path / "zmq-interop-gone")}
    assert peer.stop() == []
    assert ended(peer)


@pytest.mark.skipif(sys.platform == "win32", reason="tests/windows does it there: CTRL_BREAK needs a console")
def test_a_peer_that_overlooks_the_end_of_its_stdin_is_asked_first(start: Start, hurry: None) -> None:
    peer = start(f"{ECHO}\ntime.sleep(60)")
    peer.call("hello")
    late = "tiny: did not end within 0.5 s of the end of its stdin"
    assert peer.stop() == [f"{late}; ended when asked by {POLITE.name}"]
    assert ended(peer)


def test_a_peer_that_refuses_to_end_is_killed(start: Start, hurry: None) -> None:
    deaf = f"import signal\nsignal.signal(signal.{CAUGHT}, signal.SIG_IGN)\n"
    peer = start(f"{deaf}{ECHO}\ntime.sleep(60)")
    peer.call("hello")
    assert peer.stop() == ["tiny: did not end within 0.5 s of the end of its stdin; killed"]
    assert ended(peer)


def test_a_wrong_exit_code_at_the_end_is_told(start: Start) -> None:
    peer = start(f"{ECHO}\nsys.exit(4)")
    peer.call("hello")
    assert peer.stop() == ["tiny: ended with exit code 4 instead of 0"]


def test_a_child_that_was_left_behind_is_named_and_ended(start: Start) -> None:
    peer = start(
        """
import subprocess
quiet = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], **quiet)
for request in requests(): answer(request, child=child.pid)
child.returncode = 0
"""
    )
    child = peer.call("hello")["child"]
    [wrong] = peer.stop()
    named = "" if sys.platform == "win32" else "python"  # Wine tells psutil no name
    assert wrong.startswith(f"tiny: left a child process behind: {named}")
    assert f"(pid {child})" in wrong
    assert within(5, lambda: gone(child))


def test_a_working_directory_that_was_left_behind_is_named_and_removed(start: Start, tmp_path: Path) -> None:
    workdir = tmp_path / "zmq-interop-1"
    workdir.mkdir()
    peer = start(ECHO)
    peer.hello = {"workdir": str(workdir)}
    assert peer.stop() == [f"tiny: left its working directory behind: {workdir}"]
    assert not workdir.exists()


@pytest.mark.parametrize(("name", "kept"), [("zmq-interop-1", False), ("home", True)])
def test_a_killed_peers_directory_is_removed_only_if_it_is_clearly_one(
    name: str, kept: bool, start: Start, tmp_path: Path
) -> None:
    workdir = tmp_path / name
    workdir.mkdir()
    peer = start(SILENT)
    peer.hello = {"workdir": str(workdir)}
    peer.kill()
    assert ended(peer)
    assert workdir.exists() is kept


def test_stopping_a_crashed_peer_adds_no_second_complaint(start: Start) -> None:
    peer = start("sys.exit(3)")
    with pytest.raises(PeerCrash):
        peer.call("hello")
    assert peer.stop() == []
