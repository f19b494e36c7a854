"""Cells and the matrix: which combinations a run holds. Pure; nothing here starts a peer.

A cell's id has five parts, `pattern/transport/left>right/binds/what`; `what` is a payload class, or the name of a
topology or behaviour. Ids are stable: adding a row to a table adds ids and changes none, as long as rows are
appended. Where a peer runs elsewhere than on this machine, `@left>right` names the places of both after it.

The full product is far larger than one run needs. The default run holds every pattern × pair × binding side ×
transport once and spreads the payload classes over them by all-pairs: each class meets each pattern, each pair and
each transport.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from typing import Final

from harness.model.patterns import (
    BINDS,
    HOME_PATTERN,
    HOME_TRANSPORT,
    IMPLEMENTATIONS,
    MIXED,
    PATTERNS,
    TRANSPORTS,
    Pattern,
    Transport,
)
from harness.model.payloads import KIB, PAYLOADS, Payload


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One point of the matrix."""

    pattern: str
    transport: str
    left: str
    right: str
    binds: str
    what: str
    places: str = ""
    """Where left and right run, as `left>right`; "" where both run on this machine."""

    @property
    def id(self) -> str:
        """The stable name, as on the command line and in every report."""
        return f"{self.name}@{self.places}" if self.places else self.name

    @property
    def name(self) -> str:
        """The id without places: what is done, wherever."""
        return f"{self.pattern}/{self.transport}/{self.left}>{self.right}/{self.binds}/{self.what}"

    @property
    def payload(self) -> Payload | None:
        """The payload class; None for topologies and behaviours."""
        return PAYLOADS.get(self.what)

    @property
    def slow(self) -> bool:
        """Whether the payload class is one of the slow ones."""
        return self.payload is not None and self.payload.slow

    def control(self, implementation: str) -> Cell:
        """Return the same cell with one implementation on both sides."""
        return replace(self, left=implementation, right=implementation)

    @staticmethod
    def parse(text: str) -> Cell:
        """Read an id; ValueError says which part is wrong."""
        name, at, places = text.partition("@")
        parts = name.split("/")
        if len(parts) != 5 or parts[2].count(">") != 1:
            raise ValueError(f"cell {text!r}: an id has five parts: pattern/transport/left>right/binds/payload")
        pattern, transport, pair, binds, what = parts
        left, right = pair.split(">")
        for kind, word, known in (
            ("pattern", pattern, PATTERNS),
            ("transport", transport, TRANSPORTS),
            ("binding side", binds, BINDS),
        ):
            if word not in known:
                raise ValueError(f"cell {text!r}: no {kind} {word!r}; there are {', '.join(known)}")
        if not (left and right and what):
            raise ValueError(f"cell {text!r}: a part is empty")
        if at and not all(places.partition(">")):
            raise ValueError(f"cell {text!r}: after the @ stand two places: left>right")
        return Cell(pattern, transport, left, right, binds, what, places)


def possible(pattern: Pattern, transport: Transport, left: str, right: str, payload: Payload | None) -> bool:
    """Whether such a cell can exist at all, whatever the peers can do."""
    if pattern.only and transport.name not in pattern.only:
        return False
    if transport.one_peer and (left != right or left == MIXED):
        return False
    # A byte stream comes in chunks that the control channel carries whole, so its payloads stay small.
    return not (pattern.byte_stream and payload is not None and payload.size > 64 * KIB)


def full(implementations: Sequence[str] = IMPLEMENTATIONS) -> Iterator[Cell]:
    """Yield the whole product."""
    for (pattern, transport), left, right, binds, payload in product(
        product(PATTERNS.values(), TRANSPORTS.values()),
        implementations,
        implementations,
        BINDS,
        PAYLOADS.values(),
    ):
        if possible(pattern, transport, left, right, payload):
            yield Cell(pattern.name, transport.name, left, right, binds, payload.name)


def default(implementations: Sequence[str] = IMPLEMENTATIONS) -> list[Cell]:
    """Return the default run: each link once with one payload class, and a cover of the slow classes."""
    return list(_default(tuple(implementations)))


@cache
def _default(implementations: tuple[str, ...]) -> tuple[Cell, ...]:
    quick = [name for name, row in PAYLOADS.items() if not row.slow]
    cells = [
        Cell(*link, quick[_spread(link, implementations, len(quick))])
        for link in _links(implementations)
        if not PATTERNS[link[0]].byte_stream
    ]
    small = [name for name in quick if PAYLOADS[name].size <= 64 * KIB]
    cells += [
        Cell(*link, small[_spread(link, implementations, len(small))])
        for link in _links(implementations)
        if PATTERNS[link[0]].byte_stream
    ]
    for row in PAYLOADS.values():
        if row.slow:
            cells += cover([Cell(*link, row.name) for link in _links(implementations, crossed=True)])
    return tuple(cells)


def _links(implementations: Sequence[str], *, crossed: bool = False) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield every link of the default run; `crossed` leaves out drafts, optional transports and byte streams."""
    for pattern, transport, left, right, binds in product(
        PATTERNS.values(), TRANSPORTS.values(), implementations, implementations, BINDS
    ):
        if not possible(pattern, transport, left, right, None):
            continue
        if pattern.draft and (crossed or transport.name != HOME_TRANSPORT):
            continue
        if transport.optional and (crossed or pattern.name != HOME_PATTERN):
            continue
        if pattern.byte_stream and crossed:
            continue
        yield pattern.name, transport.name, left, right, binds


_PATTERN_INDEX: Final = {name: index for index, name in enumerate(PATTERNS)}
_TRANSPORT_INDEX: Final = {name: index for index, name in enumerate(TRANSPORTS)}


def _spread(link: tuple[str, str, str, str, str], implementations: Sequence[str], classes: int) -> int:
    """Choose a payload class for a link. The factors are such that each class meets each value of each axis."""
    pattern, transport, left, right, binds = link
    return (
        _PATTERN_INDEX[pattern] * 5
        + _TRANSPORT_INDEX[transport] * 3
        + implementations.index(left)
        + implementations.index(right) * 4
        + BINDS.index(binds) * 7
    ) % classes


def _axes(cell: Cell) -> set[tuple[str, str]]:
    return {
        ("pattern", cell.pattern),
        ("transport", cell.transport),
        ("pair", f"{cell.left}>{cell.right}"),
        ("binds", cell.binds),
    }


def cover(cells: Iterable[Cell]) -> list[Cell]:
    """Return a small selection that meets each pattern, transport, pair and binding side at least once (greedy)."""
    pool = list(cells)
    missing: set[tuple[str, str]] = set().union(*(_axes(cell) for cell in pool))
    chosen = []
    while missing:
        best = max(pool, key=lambda cell: len(_axes(cell) & missing))
        chosen.append(best)
        missing -= _axes(best)
    return chosen


def _exists(cell: Cell) -> bool:
    return possible(PATTERNS[cell.pattern], TRANSPORTS[cell.transport], cell.left, cell.right, cell.payload)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked for. Empty means everything; `cells` names single ids and overrides the rest."""

    patterns: frozenset[str] = frozenset()
    transports: frozenset[str] = frozenset()
    peers: frozenset[str] = frozenset()
    payloads: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    cells: frozenset[str] = frozenset()
    full: bool = False
    places: tuple[str, ...] = ("",)

    def placed(self, cells: Iterable[Cell]) -> list[Cell]:
        """Return those of these cells that are selected, in each place that is; a named cell says its own."""
        wheres = self.places
        if self.cells:
            named = [Cell.parse(text).places for text in sorted(self.cells)]
            wheres = tuple(dict.fromkeys([*filter(None, named), *(wheres if "" in named else ())]))
        plain = list(cells)
        every = [
            cell if cell.places or not where else replace(cell, places=where) for where in wheres for cell in plain
        ]
        return [cell for cell in dict.fromkeys(every) if self.holds(cell)]

    def holds(self, cell: Cell) -> bool:
        """Whether the cell is selected."""
        if self.cells:
            return cell.id in self.cells or (cell.places in self.places and cell.name in self.cells)
        if cell.places not in self.places and self.places != ("",):
            return False
        names = {cell.left, cell.right}
        return (
            (not self.patterns or cell.pattern in self.patterns)
            and (not self.transports or cell.transport in self.transports)
            and (not self.peers or names - {MIXED} <= self.peers)
            and (not self.payloads or cell.what in self.payloads)
            and not any(
                word in names or word in (cell.pattern, cell.transport, cell.what) or fnmatchcase(cell.name, word)
                for word in self.exclude
            )
        )

    def check(self, implementations: Sequence[str]) -> None:
        """Refuse words that name nothing; ValueError says which option, which word and what there is."""
        tables = (
            ("--pattern", self.patterns, PATTERNS),
            ("--transport", self.transports, TRANSPORTS),
            ("--peer", self.peers, implementations),
            ("--payload", self.payloads, PAYLOADS),
            ("--exclude", self.exclude, [*PATTERNS, *TRANSPORTS, *PAYLOADS, *implementations]),
        )
        for option, words, known in tables:
            for word in sorted(words):
                if word not in known and not (option == "--exclude" and any(sign in word for sign in "*?/")):
                    raise ValueError(f"{option} {word}: no such name; there are {', '.join(known)}")
        for text in sorted(self.cells):
            cell = Cell.parse(text)
            for name in (cell.left, cell.right):
                if name not in implementations and name != MIXED:
                    raise ValueError(f"cell {text!r}: no peer {name!r}; there are {', '.join(implementations)}")


def select(patterns: Iterable[str], selection: Selection, implementations: Sequence[str]) -> list[Cell]:
    """Return the matrix cells of these patterns that a run holds, in the order of the tables."""
    wanted = set(patterns)
    if selection.cells:
        named = map(Cell.parse, sorted(selection.cells))
        return selection.placed(cell for cell in named if cell.pattern in wanted and cell.payload and _exists(cell))
    # Naming an optional transport asks for more than its one home pattern.
    asked = {name for name in selection.transports if TRANSPORTS[name].optional}
    cells: Iterable[Cell] = full(implementations) if selection.full else default(implementations)
    if asked and not selection.full:
        cells = [
            *cells,
            *(cell for cell in full(implementations) if cell.transport in asked and not cell.slow),
        ]
    return selection.placed(cell for cell in dict.fromkeys(cells) if cell.pattern in wanted)


def scenario(
    what: str,
    patterns: Sequence[str],
    implementations: Sequence[str],
    *,
    transports: Sequence[str] = (HOME_TRANSPORT,),
    pairs: str = "all",
    binds: Sequence[str] = BINDS,
    places: Sequence[str] = ("",),
) -> list[Cell]:
    """Return the cells of a topology or behaviour called `what`; `places` are those that alone can show it.

    `pairs` says who plays: `all` ordered pairs, `same` (each implementation with itself), `mixed-left` (every
    implementation at once on the left against each one on the right) or `mixed-right`; or globs over `left>right`,
    such as `*>pebbe` or `pebbe>*|pyzmq>*`, for behaviour that only some of them can show.
    """
    if what in PAYLOADS:
        raise ValueError(f"scenario {what!r}: the name is a payload class")
    played = {
        "all": list(product(implementations, implementations)),
        "same": [(name, name) for name in implementations],
        "mixed-left": [(MIXED, name) for name in implementations],
        "mixed-right": [(name, MIXED) for name in implementations],
    }
    if ">" in pairs:
        globs = pairs.split("|")
        played[pairs] = [pair for pair in played["all"] if any(fnmatchcase(">".join(pair), glob) for glob in globs)]
    return [
        Cell(pattern, transport, left, right, side, what, where)
        for where, pattern, transport, (left, right), side in product(
            places, patterns, transports, played[pairs], binds
        )
        if possible(PATTERNS[pattern], TRANSPORTS[transport], left, right, None)
    ]
