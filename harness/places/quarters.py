"""The places of one worker: opened when a cell first asks for them, and closed together.

`left>right` names the places of a cell's two sides; both together decide what network lies between. A place's name may
say how after a colon: `docker:host`, `ssh:user@machine`. What cannot be opened here makes its cells `unsupported`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from docker import DockerClient as Client

from harness.errors import SetupFault, Unsupported
from harness.model.matrix import Cell
from harness.places import docker, netns, ssh, wine
from harness.places.face import LOCAL, Foreign, Place
from harness.places.lan import Lan, Switch
from harness.places.routes import Book, Route

NAMES: Final = (LOCAL, "netns", "docker", "ssh", "wine")
"""The places there are. An option of one follows a colon."""

SIDES: Final = ("left", "right")


def pair(options: Sequence[str]) -> str:
    """Return the places that `--place left=docker --place right=netns` names, as in a cell's id; "" for this machine.

    ValueError says which option names nothing.
    """
    chosen = dict.fromkeys(SIDES, LOCAL)
    for option in options:
        side, _, name = option.partition("=")
        if side not in SIDES or not name:
            raise ValueError(f"--place {option}: must be left=PLACE or right=PLACE")
        chosen[side] = checked(name, f"--place {option}")
    return "" if set(chosen.values()) == {LOCAL} else ">".join(chosen.values())


def several(text: str) -> tuple[str, ...]:
    """Return the pairs that `--places all` or `--places docker>netns,local>ssh:there` names; ValueError."""
    if text == "all":
        others = [name for name in NAMES if name != LOCAL]
        return ("", *(pair for name in others for pair in (f"{name}>{LOCAL}", f"{LOCAL}>{name}")))
    pairs = []
    for word in text.split(","):
        left, arrow, right = word.partition(">")
        if not arrow:
            raise ValueError(f"--places {word}: must be all, or pairs such as docker>netns, separated by commas")
        pairs.append(pair([f"left={left}", f"right={right}"]))
    return tuple(dict.fromkeys(pairs))


def checked(name: str, where: str) -> str:
    """Return a place's name; ValueError if there is no such place, or if it could not stand in a cell's id."""
    if name.partition(":")[0] not in NAMES:
        raise ValueError(f"{where}: no such place; there are {', '.join(NAMES)}")
    if name.startswith(f"{docker.NAME}:"):
        try:
            docker.parsed(name.partition(":")[2])
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    if any(sign in name for sign in "/>[], "):
        raise ValueError(f"{where}: a place's name holds none of / > [ ] , and no space")
    return name


@dataclass(slots=True)
class Room:
    """Where one side of a cell runs, and how endpoints are spelled there."""

    place: Place
    route: Route


class Quarters:
    """All places that a worker uses. `home` is this machine."""

    def __init__(self, home: Place) -> None:
        self._home = home
        self._rooms: dict[str, tuple[Room, Room]] = {}
        self._refused: dict[str, Unsupported | SetupFault] = {}
        self._open = ExitStack()

    def room(self, places: str, side: str) -> Room:
        """Return where a side runs; Unsupported says what to install."""
        return self.rooms(places)[SIDES.index(side)]

    def rooms(self, places: str) -> tuple[Room, Room]:
        """Return where both sides run."""
        if not places:
            return Room(self._home, Route()), Room(self._home, Route())
        if refusal := self._refused.get(places):
            raise type(refusal)(*refusal.args)
        if places not in self._rooms:
            try:
                self._rooms[places] = self._enter(places)
            except (Unsupported, SetupFault) as refusal:
                self._refused[places] = refusal
                raise
        return self._rooms[places]

    def _enter(self, places: str) -> tuple[Room, Room]:
        names = places.split(">")
        for name in names:
            checked(name, f"places {places}")
        with ExitStack() as opening:
            left, right = open_pair(names[0], names[1], self._home, opening)
            self._open.push(opening.pop_all())
        book = Book()
        self._open.callback(book.clear)
        return Room(left, Route(left, right, book)), Room(right, Route(right, left, book))

    def admit(self, cell: Cell) -> None:
        """Forget what the last cell named; Unsupported if a cell's transport does not lead from place to place."""
        if not cell.places:
            return
        left, right = self.rooms(cell.places)
        for side, room in zip(SIDES, (left, right), strict=True):
            room.route.forget()
            if isinstance(room.place, Foreign) and (lack := room.place.lacks(cell, side)):
                raise Unsupported(lack)
        if cell.transport == "ipc" and left.place.files != right.place.files:
            raise Unsupported(f"ipc needs a file system that both share: {_told(cell.places)} share none")
        if cell.transport == "ipc-abstract" and left.place.network != right.place.network:
            raise Unsupported(f"abstract names end with a network namespace: {_told(cell.places)} share none")

    def close(self) -> None:
        """Close every place."""
        self._rooms.clear()
        self._open.close()


def _told(places: str) -> str:
    return " and ".join(places.split(">"))


def open_pair(left: str, right: str, home: Place, opening: ExitStack) -> tuple[Place, Place]:
    """Open both places and the network between them; `opening` closes them. Unsupported, SetupFault."""
    kinds = {name.partition(":")[0] for name in (left, right)}
    if "ssh" in kinds and kinds & {"netns", "docker"}:
        raise Unsupported("a machine beyond ssh does not reach into a network that lives on this one")
    shared = _Shared(opening, home)
    return shared.place(left, right), shared.place(right, left)


class _Shared:
    """What the two places of a pair have in common, made when first needed."""

    def __init__(self, opening: ExitStack, home: Place) -> None:
        self._opening = opening
        self._home = home
        self._lan: Lan | None = None
        self._engine: tuple[Client, docker.Bridge | None] | None = None

    def place(self, name: str, partner: str) -> Place:
        """Open a place; its partner's name says what network lies between."""
        kind, _, how = name.partition(":")
        if kind == LOCAL:
            return self._home
        place = self._new(kind, how, partner.partition(":")[0])
        self._opening.callback(place.close)
        return place

    def _new(self, kind: str, how: str, partner: str) -> Place:
        if kind == docker.NAME:
            return docker.DockerPlace(*self._containers(), how)
        if kind == netns.NAME:
            if partner == docker.NAME:
                self._containers()
            return netns.NetnsPlace(self._network())
        if kind == ssh.NAME:
            return ssh.SshPlace(how)
        if kind == wine.NAME:
            return wine.WinePlace()
        raise SetupFault(f"no such place: {kind}")

    def _containers(self) -> tuple[Client, docker.Bridge | None]:
        if self._engine is None:
            self._engine = self._opening.enter_context(docker.engine())
            self._lan = self._engine[1]
        return self._engine

    def _network(self) -> Lan:
        if self._lan is None:
            switch = Switch()
            self._opening.callback(switch.close)
            self._lan = switch
        return self._lan


def placed(names: Iterable[str]) -> list[str]:
    """Return how a run's places are told: `local` for those of this machine."""
    return [name or LOCAL for name in names]
