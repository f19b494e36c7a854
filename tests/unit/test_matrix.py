"""The matrix holds what it promises: unique, stable ids, and a default run that leaves no combination out."""

from __future__ import annotations

from itertools import count, product

import pytest

from harness.model import matrix
from harness.model.matrix import Cell
from harness.model.patterns import BINDS, HOME_PATTERN, HOME_TRANSPORT, IMPLEMENTATIONS, MIXED, PATTERNS, TRANSPORTS
from harness.model.payloads import PAYLOADS, Payload

QUICK = [name for name, row in PAYLOADS.items() if not row.slow]
CELL = "req-rep/tcp4/pebbe>pyzmq/left-binds/empty"


def ids(cells: list[Cell]) -> list[str]:
    return [cell.id for cell in cells]


@pytest.fixture(scope="module")
def default() -> list[Cell]:
    return matrix.default()


@pytest.fixture(scope="module")
def full() -> list[Cell]:
    return list(matrix.full())


def test_every_id_of_the_whole_product_reads_back_as_its_cell(full: list[Cell]) -> None:
    assert [Cell.parse(cell.id) for cell in full] == full


def test_ids_are_unique(full: list[Cell], default: list[Cell]) -> None:
    assert len(full) == len(set(ids(full)))
    assert len(default) == len(set(ids(default)))


def test_the_default_run_is_part_of_the_whole_product(full: list[Cell], default: list[Cell]) -> None:
    assert set(default) <= set(full)


def test_the_default_run_holds_at_least_1500_cells(default: list[Cell]) -> None:
    assert len(default) >= 1500


def test_the_default_run_holds_each_possible_link_of_the_ordinary_patterns(default: list[Cell]) -> None:
    expected = {
        (pattern.name, transport.name, left, right, binds)
        for pattern, transport, left, right, binds in product(
            PATTERNS.values(), TRANSPORTS.values(), IMPLEMENTATIONS, IMPLEMENTATIONS, BINDS
        )
        if not pattern.draft
        and not transport.optional
        and not (transport.one_peer and left != right)
        and not (pattern.only and transport.name not in pattern.only)
    }
    links = {(cell.pattern, cell.transport, cell.left, cell.right, cell.binds) for cell in default}
    assert expected <= links


@pytest.mark.parametrize("what", PAYLOADS)
def test_each_payload_class_meets_each_pattern(what: str, full: list[Cell], default: list[Cell]) -> None:
    crossed = {name for name, row in PATTERNS.items() if not (row.draft or row.byte_stream)}
    possible = {cell.pattern for cell in full if cell.what == what}
    expected = possible & crossed if PAYLOADS[what].slow else possible
    assert {cell.pattern for cell in default if cell.what == what} == expected


@pytest.mark.parametrize("what", PAYLOADS)
def test_each_payload_class_meets_each_pair_of_implementations(what: str, default: list[Cell]) -> None:
    met = {(cell.left, cell.right) for cell in default if cell.what == what}
    assert met == set(product(IMPLEMENTATIONS, IMPLEMENTATIONS))


@pytest.mark.parametrize("what", PAYLOADS)
def test_each_payload_class_meets_each_transport(what: str, default: list[Cell]) -> None:
    expected = {name for name, row in TRANSPORTS.items() if not (PAYLOADS[what].slow and row.optional)}
    assert {cell.transport for cell in default if cell.what == what} == expected


@pytest.mark.parametrize("what", QUICK)
def test_each_quick_class_meets_both_binding_sides(what: str, default: list[Cell]) -> None:
    assert {cell.binds for cell in default if cell.what == what} == set(BINDS)


def test_a_draft_pattern_stays_on_the_home_transport(default: list[Cell]) -> None:
    assert {cell.transport for cell in default if PATTERNS[cell.pattern].draft} == {HOME_TRANSPORT}


def test_an_optional_transport_carries_the_home_pattern_only(default: list[Cell]) -> None:
    assert {cell.pattern for cell in default if cell.transport == "ws"} == {HOME_PATTERN}


def test_inproc_joins_an_implementation_with_itself_only(full: list[Cell]) -> None:
    assert all(cell.left == cell.right for cell in full if cell.transport == "inproc")


def test_a_byte_stream_never_carries_a_large_payload(full: list[Cell]) -> None:
    streams = {cell.what for cell in full if PATTERNS[cell.pattern].byte_stream}
    assert streams == {name for name, row in PAYLOADS.items() if row.size <= 64 * 1024}


def test_one_more_implementation_changes_no_quick_id_of_the_default_run(default: list[Cell]) -> None:
    longer = set(matrix.default([*IMPLEMENTATIONS, "zz-another"]))
    assert {cell for cell in default if not cell.slow} <= longer


def test_one_more_implementation_changes_no_id_of_the_whole_product(full: list[Cell]) -> None:
    assert set(full) <= set(matrix.full([*IMPLEMENTATIONS, "zz-another"]))


def test_one_more_payload_class_changes_no_id_of_the_whole_product(
    full: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PAYLOADS, "newest", Payload("newest", lambda n: [str(n)], "appended by a test"))
    longer = list(matrix.full())
    assert [cell for cell in longer if cell.what != "newest"] == full
    assert any(cell.what == "newest" for cell in longer)


def test_a_cell_knows_its_payload_and_whether_it_is_slow() -> None:
    assert Cell.parse(CELL).payload is PAYLOADS["empty"]
    assert Cell.parse(CELL.replace("empty", "64m")).slow
    assert not Cell.parse(CELL).slow


def test_a_behaviour_has_no_payload() -> None:
    assert Cell.parse(CELL.replace("empty", "fan-in")).payload is None


def test_a_control_plays_one_implementation_on_both_sides() -> None:
    assert Cell.parse(CELL).control("pyzmq").id == CELL.replace("pebbe", "pyzmq")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("req-rep", "five parts"),
        (f"{CELL}/more", "five parts"),
        (CELL.replace(">", "-"), "five parts"),
        (CELL.replace(">", ">>"), "five parts"),
        (CELL.replace("req-rep", "req-rap"), "no pattern 'req-rap'"),
        (CELL.replace("tcp4", "tcp"), "no transport 'tcp'"),
        (CELL.replace("left-binds", "both-bind"), "no binding side 'both-bind'"),
        (CELL.replace("pebbe", ""), "a part is empty"),
        (CELL.replace(">pyzmq", ">"), "a part is empty"),
        (CELL.replace("empty", ""), "a part is empty"),
    ],
    ids=count(),
)
def test_a_bad_id_is_refused_by_the_part_that_is_wrong(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part) as refused:
        Cell.parse(text)
    assert repr(text) in str(refused.value)


def test_a_cover_meets_each_value_of_each_axis_with_few_cells() -> None:
    cells = [cell for cell in matrix.full() if cell.what == "empty" and not PATTERNS[cell.pattern].draft]
    chosen = matrix.cover(cells)
    for axis in ("pattern", "transport", "binds"):
        assert {getattr(cell, axis) for cell in chosen} == {getattr(cell, axis) for cell in cells}
    assert {(c.left, c.right) for c in chosen} == {(c.left, c.right) for c in cells}
    assert len(chosen) <= 2 * len(IMPLEMENTATIONS) ** 2


def test_a_scenario_plays_every_ordered_pair_on_both_sides() -> None:
    cells = matrix.scenario("fan-in", ["push-pull"], ["a", "b"])
    assert ids(cells) == [
        f"push-pull/tcp4/{left}>{right}/{binds}/fan-in" for left, right in product("ab", "ab") for binds in BINDS
    ]


def test_a_scenario_may_set_many_against_one() -> None:
    left = matrix.scenario("fan-in", ["push-pull"], ["a", "b"], pairs="mixed-left", binds=BINDS[:1])
    right = matrix.scenario("fan-in", ["push-pull"], ["a", "b"], pairs="mixed-right", binds=BINDS[:1])
    assert [(cell.left, cell.right) for cell in left] == [(MIXED, "a"), (MIXED, "b")]
    assert [(cell.left, cell.right) for cell in right] == [("a", MIXED), ("b", MIXED)]


def test_a_scenario_leaves_out_impossible_links() -> None:
    cells = matrix.scenario("fan-in", ["push-pull", "stream-raw"], ["a", "b"], transports=("inproc",))
    assert {(cell.pattern, cell.left, cell.right) for cell in cells} == {("push-pull", n, n) for n in "ab"}
    assert matrix.scenario("crowd", ["push-pull"], ["a"], transports=("inproc",), pairs="mixed-left") == []


def test_a_scenario_may_not_be_called_like_a_payload_class() -> None:
    with pytest.raises(ValueError, match="'empty': the name is a payload class"):
        matrix.scenario("empty", ["push-pull"], ["a"])
