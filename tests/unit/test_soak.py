"""The soak: how long, what it writes, and that it ends cleanly whatever happens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.errors import PeerCrash
from harness.measure import soak as soaking
from harness.measure.leaks import Finding
from harness.measure.soak import Series, Soak, Soaker
from harness.plugin import ROOT
from tests.unit.memory import MemoryPool, error, failing
from tests.waiting import within


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5s", 1.5), ("1d", 86_400)]
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert soaking.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-5s", "0s", "5 m", "10m!", "8d", "1e3s"])
def test_what_is_no_time_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^--for .*: must be a time from 1s to 7d") as refused:
        soaking.duration(text)
    assert "\n" not in str(refused.value)


def test_a_soak_is_filed_as_one_series_for_each_process_and_counter(tmp_path: Path) -> None:
    soak = Soak(60, 61.5, turns=3, judged=True, series=[Series("one left", "handles", [(0.5, 9), (1.5, 10)])])
    soak.grew["one left"] = [Finding("handles", 1.0, "handles grew")]
    soak.errors["close one: timeout"] += 1
    found = json.loads(soaking.write(soak, tmp_path / "run").read_text(encoding="utf-8"))
    assert found["series"] == [{"peer": "one left", "counter": "handles", "points": [[0.5, 9], [1.5, 10]]}]
    assert found["grew"] == [{"peer": "one left", "counter": "handles", "per_cycle": 1.0, "text": "handles grew"}]
    assert found["errors"] == {"close one: timeout": 1}


def test_the_summary_says_what_grew_or_that_nothing_did() -> None:
    soak = Soak(60, 61.5, turns=30, judged=True)
    assert soak.summary()[-1] == "nothing grew"
    soak.grew["one left"] = [Finding("handles", 1.0, "handles grew")]
    assert soak.summary()[-1] == "one left: handles grew"
    soak.judged = False
    assert soak.summary()[-1] == "too short to judge: the peers were not warm yet"


def test_a_peer_whose_counters_do_not_move_is_not_judged_and_the_soak_says_so() -> None:
    stats = {"result": {"handles": 9, "sockets": 0, "contexts": 0}}
    mute = dict.fromkeys(("send", "recv", "set"), error(-32000, name="timeout"))
    pool = MemoryPool("one", handlers={"one": {"stats": lambda params: stats, **mute}})

    def interrupt(soak: Soak) -> None:
        if soak.unwatched:
            raise KeyboardInterrupt

    soak = Soaker(pool, 60, interrupt).run()
    assert list(soak.unwatched) == ["one left"]
    assert not soak.judged
    assert "nothing grew" not in soak.summary()
    assert soak.summary()[-1].startswith(
        "one left is not judged: one one-1.0 cannot be watched: its handles stayed at 9"
    )
    assert soak.to_json()["unwatched"] == soak.unwatched


def test_ctrl_c_ends_a_soak_with_what_there_is_and_no_peer_is_left() -> None:
    def interrupt(soak: Soak) -> None:
        if soak.turns == 3:
            raise KeyboardInterrupt

    pool = MemoryPool("one", handlers={"one": {"open": error(-32000, name="library")}})
    soak = Soaker(pool, 60, interrupt).run()
    assert soak.interrupted
    assert soak.turns == 3
    assert soak.seconds < 30
    assert all(client.killed for client in pool.started)
    assert soak.summary()[0].startswith("interrupted after ")


def test_a_peer_that_dies_is_counted_and_replaced() -> None:
    pool = MemoryPool("one", handlers={"one": {"open": failing(PeerCrash("one: the peer ended"))}})

    def interrupt(soak: Soak) -> None:
        if soak.errors:
            raise KeyboardInterrupt

    soak = Soaker(pool, 60, interrupt).run()
    assert sum(soak.errors.values()) == 1
    assert soak.restarts >= 1
    assert not soak.judged


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there")
def test_the_command_ends_by_ctrl_c_with_its_summary_and_file(tmp_path: Path) -> None:
    # What runs in the background inherits that Ctrl-C is ignored.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from harness.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "soak", "--for", "60s", "--peer", "pyzmq"]
    with subprocess.Popen(
        [*command, "--reports", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert within(60, lambda: bool(psutil.Process(process.pid).children())), "no peer was started"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "interrupted after" in out
    assert list(tmp_path.glob("*/soak.json"))
