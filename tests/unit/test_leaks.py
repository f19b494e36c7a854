"""What counts as a leak: counters that do not come back, memory that grows for sure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.judge import Outcome, _judged
from harness.measure import leaks
from harness.measure.leaks import Course
from harness.measure.probe import Leak, Probe, Watch
from harness.model.figures import Figures
from harness.model.verdicts import Verdict
from harness.report import evidence
from tests.unit.helpers import cell, record
from tests.unit.memory import Answer, MemoryPool


def course(warm: dict[str, int], settled: dict[str, int], memory: Iterable[int] = (), cycles: int = 20) -> Course:
    samples = [(float(at), {"uss": value}) for at, value in enumerate(memory, 1)]
    return Course({"uss": 0, **warm}, settled, cycles, samples)


def test_counters_that_are_back_are_no_finding() -> None:
    assert leaks.findings(course({"handles": 9, "threads": 3}, {"handles": 9, "threads": 2})) == []


@pytest.mark.parametrize("counter", leaks.EXACT)
def test_a_counter_that_stays_higher_is_a_finding_that_says_how_much_a_cycle(counter: str) -> None:
    (found,) = leaks.findings(course({counter: 5}, {counter: 25}))
    assert found.counter == counter
    assert found.per_cycle == 1.0
    assert str(found) == f"{counter} grew from 5 to 25 in 20 cycles, 1 a cycle"


def test_one_handle_more_is_one_too_many() -> None:
    assert not leaks.back({"handles": 9}, {"handles": 10})
    assert leaks.back({"handles": 9}, {"handles": 8})


def test_a_counter_that_a_process_does_not_have_is_not_judged() -> None:
    assert leaks.back({"handles": 9}, {"threads": 9})


def test_a_runtime_with_goroutines_may_keep_some_threads() -> None:
    warm = {"goroutines": 4, "threads": 8}
    assert leaks.back(warm, {"goroutines": 4, "threads": 8 + leaks.POOLED})
    assert not leaks.back(warm, {"goroutines": 4, "threads": 9 + leaks.POOLED})


def test_memory_that_grows_steadily_is_a_finding_with_its_interval() -> None:
    (found,) = leaks.findings(course({}, {}, [100_000 * at + (at % 3) * 5000 for at in range(20)]))
    assert found.counter == "uss"
    assert found.per_cycle == pytest.approx(100_000, rel=0.02)
    assert "bytes a cycle (" in str(found)


@pytest.mark.parametrize(
    "values",
    [
        [5_000_000 * (at % 2) for at in range(20)],
        [min(at, 4) * 500_000 for at in range(20)],
        [leaks.ROOM // 40 * at for at in range(20)],
    ],
    ids=["a saw", "a start that levels off", "within the room"],
)
def test_memory_that_may_be_steady_is_no_finding(values: list[int]) -> None:
    assert leaks.findings(course({}, {}, values)) == []


def test_the_longer_it_takes_the_less_a_cycle_may_grow() -> None:
    values = [3 * leaks.ROOM // 100 * at for at in range(100)]
    assert leaks.findings(course({}, {}, values[:20])) == []
    assert leaks.findings(course({}, {}, values, cycles=100))


def test_few_samples_say_nothing_about_memory() -> None:
    assert leaks.slope(course({}, {}, range(0, 5_000_000, 1_000_000))) is None


def test_resident_memory_is_judged_only_where_unique_memory_is_not_known() -> None:
    assert leaks.memory({"rss": 1, "uss": 1}) == "uss"
    assert leaks.memory({"rss": 1}) == "rss"
    assert leaks.memory({"handles": 1}) == ""


def test_figures_hold_the_growth_of_each_counter_and_the_ends_of_the_interval() -> None:
    shown = leaks.figures(course({"handles": 5}, {"handles": 25}, range(0, 20_000, 1000)))
    assert shown["handles_per_cycle"] == 1.0
    assert shown["uss_per_cycle_low"] <= shown["uss_per_cycle"] <= shown["uss_per_cycle_high"]


def opened(pool: MemoryPool) -> int:
    """Return how many sockets the newest peer of a pool has open."""
    return len(pool.started[-1].open)


def counting(pool: MemoryPool, handles: int = 0, **more: int) -> Answer:
    """Return what the newest peer of a pool counts: a handle for each open socket, and these."""
    return {"result": {"handles": opened(pool) + handles, **more}}


def probed() -> tuple[Watch, Figures, list[int]]:
    """Return a watch over a peer, its figures, and a list whose first number says how many handles more it has."""
    grown = [0]

    def stats(params: object) -> Answer:
        return {"result": {"handles": opened(pool) + 9 + grown[0], "switches": {"voluntary": 1}}}

    def dump(params: object) -> Answer:
        return {"result": {"text": "x" * 40_000, "handles": ["9 socket"]}}

    pool = MemoryPool(handlers={"one": {"stats": stats, "dump": dump}})
    peer = pool.start("one")
    peer.capabilities["features"] = ["dump"]
    figures = Figures()
    return Watch(figures, {"right": peer}), figures, grown


def test_a_peer_that_comes_back_is_not_refused() -> None:
    watch, figures, _ = probed()
    watch.refuse_leaks(lambda number: None)
    assert figures == {"right_handles_per_cycle": 0.0}


def test_a_leak_names_peer_role_and_growth_and_brings_the_peers_dump_as_evidence() -> None:
    watch, _, grown = probed()

    def cycle(number: int) -> None:
        grown[0] += 2

    outcome = Outcome(Verdict.PASS)
    with _judged(outcome):
        watch.refuse_leaks(cycle)
    assert isinstance(outcome.error, Leak)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.reason == "one (right) leaks: handles grew from 19 to 59 in 20 cycles, 2 a cycle"
    held = evidence.of(outcome)["held"]
    assert held["open handles of one, right"] == "9 socket"
    assert held["stacks of one, right"].endswith("and 23616 characters more")
    assert ("open handles of one, right", "9 socket") in evidence.sections(cell(), outcome)


def test_counters_are_awaited_until_they_are_back() -> None:
    late: list[int] = []
    pool = MemoryPool(handlers={"one": {"stats": lambda params: counting(pool, handles=late.pop() if late else 9)}})
    probe = Probe(pool.start("one"))
    probe.warm()
    late += [10, 11, 12]
    assert leaks.findings(probe.settle(3)) == []
    assert late == []


def test_the_course_of_the_counters_is_filed_from_warm_to_settled() -> None:
    watch, figures, grown = probed()

    def cycle(number: int) -> None:
        grown[0] += 1

    watch.findings(cycle, warm_up=2, cycles=3, settle_ms=1)
    assert figures.courses == {"right": {"cycles": [0, 1, 3, 3], "counters": {"handles": [11, 12, 14, 14]}}}


def test_a_cells_explanation_has_its_counters_cycle_by_cycle() -> None:
    watched = record(courses={"right": {"cycles": [0, 1, 3], "counters": {"handles": [9, 10, 12]}}})
    lines = [*evidence.explained(watched, Path())]
    assert "cycles (right):       0 1 3" in lines
    assert "handles (right):      9 10 12" in lines


@pytest.mark.parametrize(
    ("counted", "says"),
    [
        ({"handles": 9, "sockets": 0}, "its handles stayed at 9; its sockets stayed at 0 while a PULL bound to tcp"),
        ({"sockets": 3}, "one one-1.0 cannot be watched: it counts no handles while a PULL bound to tcp://127.0.0.1:*"),
    ],
    ids=["a count that stands still", "no count"],
)
def test_a_peer_whose_counters_do_not_move_cannot_be_watched(counted: dict[str, int], says: str) -> None:
    pool = MemoryPool(handlers={"one": {"stats": lambda params: {"result": counted}}})
    outcome = Outcome(Verdict.PASS)
    with _judged(outcome):
        Watch(Figures(), {"both": pool.start("one")}).refuse_leaks(lambda number: None)
    assert outcome.verdict is Verdict.UNSUPPORTED
    assert says in outcome.reason
    assert not pool.started[0].open


def test_a_counter_that_is_not_judged_need_not_move() -> None:
    pool = MemoryPool(handlers={"one": {"stats": lambda params: counting(pool, sockets=3)}})
    Watch(Figures(), {"both": pool.start("one")}, ignored=("sockets",)).refuse_leaks(lambda number: None)


def test_a_count_that_is_still_falling_may_hide_at_first_what_is_opened() -> None:
    falling = [0, 1, 2, 3, 4, 5, 6]
    pool = MemoryPool(
        handlers={"one": {"stats": lambda params: counting(pool, handles=falling.pop() if falling else 0)}}
    )
    Probe(pool.start("one")).prove()
    assert falling == []


def test_what_must_rise_is_what_is_counted_and_handles() -> None:
    assert leaks.stuck({"handles": 5, "threads": 3}, {"handles": 6, "threads": 3}) == []
    assert leaks.stuck({"handles": 5, "goroutines": 3}, {"handles": 6, "goroutines": 3}) == ["goroutines"]
    assert leaks.stuck({"sockets": 0}, {"sockets": 1}) == ["handles"]
