"""Each option of a selection keeps exactly the cells that it names, and words that name nothing are refused."""

from __future__ import annotations

import pytest

from harness.model import matrix
from harness.model.matrix import Cell, Selection
from harness.model.patterns import BINDS, IMPLEMENTATIONS, MIXED, PATTERNS

DEFAULT = matrix.default()
CELL = "req-rep/tcp4/pebbe>pyzmq/left-binds/empty"


def held(selection: Selection) -> list[Cell]:
    return matrix.select(PATTERNS, selection, IMPLEMENTATIONS)


def words(*names: str) -> frozenset[str]:
    return frozenset(names)


def test_an_empty_selection_is_the_default_run_in_its_order() -> None:
    assert held(Selection()) == DEFAULT


def test_full_selects_the_whole_product() -> None:
    assert held(Selection(full=True)) == list(matrix.full())


def test_patterns_keep_their_cells_only() -> None:
    assert held(Selection(patterns=words("pub-sub", "pair-pair"))) == [
        cell for cell in DEFAULT if cell.pattern in ("pub-sub", "pair-pair")
    ]


def test_a_transport_keeps_its_cells_only() -> None:
    assert held(Selection(transports=words("tcp6"))) == [cell for cell in DEFAULT if cell.transport == "tcp6"]


def test_a_payload_keeps_its_cells_only() -> None:
    assert held(Selection(payloads=words("utf8"))) == [cell for cell in DEFAULT if cell.what == "utf8"]


def test_one_peer_meets_only_itself() -> None:
    assert {(cell.left, cell.right) for cell in held(Selection(peers=words("pebbe")))} == {("pebbe", "pebbe")}


def test_two_peers_meet_in_all_four_pairs() -> None:
    cells = held(Selection(peers=words("pebbe", "pyzmq")))
    assert {(cell.left, cell.right) for cell in cells} == {
        (left, right) for left in ("pebbe", "pyzmq") for right in ("pebbe", "pyzmq")
    }


def test_a_mixed_role_counts_as_any_peer() -> None:
    cell = Cell("push-pull", "tcp4", MIXED, "pebbe", "left-binds", "crowd")
    assert Selection(peers=words("pebbe")).holds(cell)
    assert not Selection(peers=words("pyzmq")).holds(cell)


@pytest.mark.parametrize("word", ["pub-sub", "tcp6", "utf8", "pyzmq", "*/ipc/*", "*/left-binds/1m"])
def test_exclude_leaves_out_what_it_names(word: str) -> None:
    cells = set(held(Selection(exclude=words(word))))
    named = word.strip("*/").split("/")
    left_out = [cell for cell in DEFAULT if cell not in cells]
    assert left_out == [cell for cell in DEFAULT if all(part in cell.id.replace(">", "/").split("/") for part in named)]
    assert left_out


def test_options_narrow_each_other() -> None:
    cells = held(Selection(patterns=words("req-rep"), transports=words("ipc"), peers=words("pyzmq")))
    assert [cell.id.rsplit("/", 1)[0] for cell in cells] == [f"req-rep/ipc/pyzmq>pyzmq/{binds}" for binds in BINDS]


def test_a_named_cell_overrides_every_other_option() -> None:
    selection = Selection(patterns=words("pub-sub"), exclude=words("pebbe"), cells=words(CELL))
    assert [cell.id for cell in held(selection)] == [CELL]


def test_a_named_cell_need_not_be_in_the_default_run() -> None:
    usual = set(DEFAULT)
    outside = next(cell for cell in matrix.full() if cell not in usual)
    assert held(Selection(cells=words(outside.id))) == [outside]


def test_naming_an_optional_transport_asks_for_all_its_quick_cells() -> None:
    cells = held(Selection(transports=words("ws")))
    assert {cell.transport for cell in cells} == {"ws"}
    assert set(cells) == {cell for cell in matrix.full() if cell.transport == "ws" and not cell.slow}
    assert len(cells) == len(set(cells))


def test_only_cells_of_the_wanted_patterns_are_selected() -> None:
    cells = matrix.select(["pair-pair"], Selection(patterns=words("pair-pair", "pub-sub")), IMPLEMENTATIONS)
    assert {cell.pattern for cell in cells} == {"pair-pair"}


@pytest.mark.parametrize(
    ("selection", "start"),
    [
        (Selection(patterns=words("req-rap")), "--pattern req-rap: no such name; there are req-rep, "),
        (Selection(transports=words("tcp")), "--transport tcp: no such name; there are tcp4, "),
        (Selection(peers=words("nobody")), "--peer nobody: no such name; there are go-zeromq, "),
        (Selection(payloads=words("2m")), "--payload 2m: no such name; there are multipart, "),
        (Selection(exclude=words("tcp")), "--exclude tcp: no such name; there are "),
        (Selection(cells=words("req-rep")), "cell 'req-rep': an id has five parts"),
        (Selection(cells=words(CELL.replace("pebbe", "nobody"))), f"cell '{CELL.replace('pebbe', 'nobody')}': no peer"),
    ],
)
def test_a_word_that_names_nothing_is_refused_with_its_option(selection: Selection, start: str) -> None:
    with pytest.raises(ValueError, match=r"there are|five parts") as refused:
        selection.check(IMPLEMENTATIONS)
    assert str(refused.value).startswith(start)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(exclude=words("*/ipc/*", "req-rep/tcp4/pebbe>pyzmq/left-binds/fan-in", "pebbe", "utf8")),
        Selection(cells=words(CELL, CELL.replace("pebbe", MIXED))),
        Selection(words("req-rep"), words("ws"), words("pyzmq"), words("64m"), full=True),
    ],
)
def test_words_that_name_something_are_accepted(selection: Selection) -> None:
    selection.check(IMPLEMENTATIONS)
