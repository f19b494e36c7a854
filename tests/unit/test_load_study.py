"""The load study: what is asked for, what a pair's rounds become, and what is filed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.errors import Unsupported
from harness.measure import load, study
from harness.measure.paired import Interval
from harness.measure.study import Course, Plan
from harness.model.verdicts import Verdict
from harness.peers.sockets import Link, Peer
from harness.places.descriptors import room_for
from harness.report import load_table
from tests.unit.memory import Handler, MemoryClient, MemoryPool, error
from tests.unit.test_curve import encoded

KNOWN = ["one", "two", "pyzmq"]


def test_a_plan_is_read() -> None:
    plan = study.plan("100, 10,100", ["one"], ["two", "two"], "2.5", tuned=True, known=KNOWN)
    assert plan == Plan((10, 100), ("one",), ("two",), 2.5, True)
    plan = study.plan("1000", [], [], "5s", tuned=False, known=KNOWN)
    assert (plan.servers, plan.clients, plan.seconds) == (study.SERVERS, study.CLIENTS, 5)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"counts": "10,x"}, "--clients 10,x: must be numbers of clients from 1 to 50,000"),
        ({"counts": ""}, "--clients : must be"),
        ({"counts": "0"}, "--clients 0: must be"),
        ({"counts": "²"}, "--clients ²: must be"),
        ({"counts": "50001"}, "--clients 50001: must be"),
        ({"seconds": "nan"}, "--for nan: must be a number of seconds for each row, from 0.1 to 3600"),
        ({"seconds": "long"}, "--for long: must be"),
        ({"servers": ["none"]}, "--server none: no such peer; there are one, two, pyzmq"),
        ({"clients": ["none"]}, "--client none: no such peer"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(words: dict[str, Any], says: str) -> None:
    asked: dict[str, Any] = {"counts": "10", "servers": [], "clients": [], "seconds": "1", **words}
    with pytest.raises(ValueError, match=r"^--") as refused:
        study.plan(**asked, tuned=False, known=KNOWN)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


def test_connections_and_mailboxes_take_descriptors() -> None:
    assert load.descriptors("libzmq 4.3.5", 10_000) == 20_256
    assert load.descriptors("go-zeromq/zmq4 0.17.0 (pure Go)", 10_000) == 10_256


def test_the_limit_is_put_back() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
    try:
        lowered = resource.getrlimit(resource.RLIMIT_NOFILE)
        with room_for(300) as may:
            assert may == resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(300, before[1])
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == lowered
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_step_takes_as_long_as_it_is_planned_to() -> None:
    assert load.count_for(2.0, 5000, 100) == 100
    assert load.count_for(2.0, 5000, 10_000) == 2


class Client(MemoryClient):
    """A process of which nothing is to be seen."""

    @property
    def pid(self) -> int:
        return 0

    def stop(self) -> list[str]:
        return []


class Idle(load.Gauge):
    """Says the same of every process."""

    def __init__(self, pid: int) -> None:
        self.seconds, self.grown = 0.001, 2048

    @contextmanager
    def running(self, *, look: bool) -> Iterator[None]:
        yield


def answered(params: dict[str, Any], **instead: Any) -> dict[str, Any]:
    count = params["clients"] * params["count"]
    return {"result": {"answered": count, "errors": {}, "ns": 1_000_000 * count, "hdr": encoded(1, 2), **instead}}


class LoadPool(MemoryPool):
    """A pool whose peers serve and call."""

    def __init__(self, callers: Handler = answered) -> None:
        super().__init__("server", "client")
        self.handlers = {
            "server": {"echo": lambda params: {"result": {"echoed": params["count"]}}, "tune": answered_tune},
            "client": {"callers": callers},
        }

    def start(self, name: str, env: Mapping[str, str] | None = None, *, slot: str = "left", places: str = "") -> Peer:
        client = Client(name, self.handlers[name])
        self.started.append(client)
        client.hello["capabilities"] = {
            "socket_types": ["ROUTER", "DEALER"],
            "transports": ["tcp"],
            "features": ["callers", "tune"],
            "workloads": ["echo"],
            "options": ["RCVHWM", "LINGER"],
        }
        return Peer(client)


def answered_tune(params: dict[str, Any]) -> dict[str, Any]:
    return {"result": {}}


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "Gauge", Idle)
    monkeypatch.setenv("ZMQ_INTEROP_INSIDE_TEST", "1")  # nothing is measured, so nobody is waited for


def bench(pool: LoadPool, may: int = 1000) -> load.Bench:
    return load.Bench(pool.start("server"), pool.start("client"), Link("tcp4", "right-binds"), may)


def courses(pool: LoadPool, *counts: int, tuned: bool = False) -> list[Course]:
    plan = Plan(counts, ("server",), ("client",), 0.5, tuned)
    return [course for pair in study.study(pool, plan) for course in pair]


def test_what_a_peer_lacks_is_told() -> None:
    pool = LoadPool()
    server, client = pool.start("server"), pool.start("client")
    client.capabilities["features"] = []
    with pytest.raises(Unsupported, match="no feature callers"):
        load.Bench(server, client, Link("tcp4", "right-binds"), 1000)


def test_too_few_descriptors_are_told() -> None:
    ready = bench(LoadPool())
    ready.check(700)
    with pytest.raises(Unsupported, match="10,000 clients need 10,256 descriptors, the hard limit is 1,000"):
        ready.check(10_000)


def test_each_number_of_clients_becomes_a_row() -> None:
    (course,) = courses(LoadPool(), 10, 100)
    assert [row.clients for row in course.rows] == [10, 100]
    assert course.rows[0].rate == Interval(1000, 1000, 1000)
    assert course.rows[1].server_memory == 2048 / 100 / 1024
    assert course.bend == 10
    assert course.good
    assert course.growth[0] is Verdict.PASS


def test_one_number_of_clients_says_nothing_of_growth() -> None:
    (course,) = courses(LoadPool(), 10)
    assert course.growth[0] is Verdict.INCONCLUSIVE
    assert course.good


def test_clients_without_an_answer_are_counted() -> None:
    def deaf(params: dict[str, Any]) -> dict[str, Any]:
        return answered(params, answered=params["clients"] * params["count"] - 1, errors={"timeout": 1})

    (course,) = courses(LoadPool(deaf), 10)
    assert course.rows[0].errors == {"timeout": 5}
    assert not course.good
    assert "  default: errors: 5 timeout" in list(load_table.remarks([course]))


def test_a_tuned_server_is_told_its_options_and_is_compared_with_the_default() -> None:
    pool = LoadPool()
    before, after = courses(pool, 10, tuned=True)
    assert (before.tuned, after.tuned) == (None, "RCVHWM=10000, LINGER=0, IO_THREADS=4")
    opened = [params.get("options", {}) for client in pool.started for name, params in client.asked if name == "open"]
    assert {"RCVHWM": 10_000, "LINGER": 0} in opened
    assert study.effect(before, after, 10) == (Interval(1, 1, 1), Interval(1, 1, 1))
    assert study.effect(before, after, 100) is None
    lines = list(load_table.remarks([before, after]))
    assert "  tuning at 10 clients: requests/s × 1 (1 to 1), P95 × 1 (1 to 1)" in lines


def test_a_peer_that_fails_ends_its_course_and_not_the_study() -> None:
    (course,) = courses(LoadPool(error(-32000, name="library")), 10)
    assert (course.rows, course.good) == ([], False)
    assert course.problems == ["fail: client: callers failed: library: no"]


def test_numbers_that_the_system_forbids_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "room_for", lambda wanted: nullcontext(1000))
    (course,) = courses(LoadPool(), 10, 5000)
    assert [row.clients for row in course.rows] == [10]
    assert course.problems == ["unsupported: 5,000 clients need 5,256 descriptors, the hard limit is 1,000"]
    assert course.good


def test_the_table_shows_what_was_measured() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(load_table.table(courses(LoadPool(), 10, 1000, tuned=True)))
    text = console.export_text()
    assert "client clients > server server" in text
    assert [line.split()[0] for line in text.splitlines() if "0 %" in line] == ["10", "10", "1,000", "1,000"]
    assert "…" not in text


def test_the_file_holds_every_step_and_is_written_whole(tmp_path: Path) -> None:
    found = courses(LoadPool(), 10, 100)
    file = load_table.write(tmp_path / "run", load_table.about(0.0, ["zmq-interop", "load"]), found)
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["run"]["name"] == "run"
    (course,) = document["courses"]
    assert [row["clients"] for row in course["rows"]] == [10, 100]
    assert (len(course["steps"]), len(course["costs"])) == (10, 10)
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == [load_table.FILE]
