"""ZMTP as bytes and as events: an incremental decoder and an encoder, without I/O.

It reads one direction of one connection: 3.0 and 3.1 (23/ZMTP and 37/ZMTP), and 2.0 and 1.0 (15/ZMTP and 13/ZMTP), in
which a newer library talks to an older one. An event is told when its last byte has come, so the same bytes give the
same events however they were sliced. What cannot be ZMTP is told as `Broken`, never raised. The decoder does not know
the other direction, except for the revision that it was told: the lower one of the two decides how both speak.

How a direction goes on:

    1.0   identity frame, frames                 length flags body
    2.0   signature, revision, socket type,      flags length body
          identity frame, frames
    3.x   greeting of 64 octets, frames          flags length body; some are commands
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from harness.wire import commands
from harness.wire.commands import Malformed, Meaning

MORE: Final = 1
LONG: Final = 2
COMMAND: Final = 4

UNVERSIONED: Final = 0
"""The revision of ZMTP 1.0, which does not tell one; 2.0 is revision 1, and 3.x is revision 3."""

GREETING: Final = 64
_SIGNATURE: Final = 10
_MAX_SIZE: Final = 2**63 - 1
_MECHANISM_OCTETS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+")

SOCKET_TYPES: Final = ("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH")
"""The socket types of 15/ZMTP, by their octet."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """The greeting of ZMTP 3.x. `offset` is where it begins; `padding`, `footer` and `filler` are as they came."""

    offset: int
    version: tuple[int, int] = (3, 1)
    mechanism_octets: bytes = b"NULL".ljust(20, b"\0")
    as_server: int = 0
    padding: bytes = bytes(8)
    footer: int = 0x7F
    filler: bytes = bytes(31)

    @property
    def mechanism(self) -> str:
        """The mechanism's name."""
        return self.mechanism_octets.rstrip(b"\0").decode("latin-1")


@dataclass(frozen=True, slots=True)
class OldGreeting:
    """The greeting of ZMTP 2.0, which its identity frame follows."""

    offset: int
    revision: int
    socket_octet: int
    padding: bytes = bytes(8)
    footer: int = 0x7F

    @property
    def socket_type(self) -> str:
        """The socket type's name."""
        octet = self.socket_octet
        return SOCKET_TYPES[octet] if octet < len(SOCKET_TYPES) else f"type {octet}"


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a message. `size` is what it announced; `body` holds its first bytes, all of them unless limited."""

    offset: int
    flags: int
    long: bool
    size: int
    body: bytes

    @staticmethod
    def of(body: bytes, *, more: bool = False) -> Frame:
        """Make a frame to encode: long from 256 bytes on."""
        long = len(body) > 255
        return Frame(0, MORE * more | LONG * long, long, len(body), body)

    @property
    def more(self) -> bool:
        """Whether the message goes on."""
        return bool(self.flags & MORE)


@dataclass(frozen=True, slots=True)
class Identity(Frame):
    """The first frame of ZMTP 1.0 and 2.0, by which a socket introduces itself."""


@dataclass(frozen=True, slots=True)
class Command(Frame):
    """A command of ZMTP 3.x."""

    name: bytes
    data: bytes
    meaning: Meaning

    @staticmethod
    def make(name: bytes, data: bytes = b"", mechanism: str = "") -> Command:
        """Make a command to encode."""
        frame = Frame.of(bytes([len(name)]) + name + data)
        said = commands.meaning(name, data, mechanism)
        return Command(0, frame.flags | COMMAND, frame.long, frame.size, frame.body, name, data, said)


@dataclass(frozen=True, slots=True)
class Broken:
    """What breaks the protocol at `offset`. After a `fatal` one nobody can say where the next frame begins."""

    offset: int
    reason: str
    fatal: bool = True


Event: TypeAlias = "Greeting | OldGreeting | Identity | Command | Frame | Broken"


def revision(first: bytes) -> int | None:
    """Return the revision that a direction's first bytes announce; None while there are too few of them."""
    if not first:
        return None
    if first[0] != 0xFF:
        return UNVERSIONED
    # 15/ZMTP: the tenth octet is the flags of a 1.0 frame, whose last bit is 0, or ends a signature.
    if len(first) < _SIGNATURE:
        return None
    if not first[_SIGNATURE - 1] & 1:
        return UNVERSIONED
    return first[_SIGNATURE] if len(first) > _SIGNATURE else None


class Decoder:
    """Turns the bytes of one direction into events.

    `against` is the other direction's `revision`, if it is known; `keep` limits the bytes that each frame's `body`
    holds (None: all), and so the memory that a direction can take.
    """

    def __init__(self, against: int | None = None, keep: int | None = None) -> None:
        self._against = 3 if against is None else against
        self._keep = _MAX_SIZE if keep is None else keep
        self._buffer = bytearray()
        self._at = 0  # the offset of the buffer's first byte
        self._steps = self._run()
        self._told: list[Event] = []
        self._state = _State()

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; returns what they complete."""
        raise NotImplementedError


@dataclass(slots=True)
class _State:
    pass
