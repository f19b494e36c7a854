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

from collections.abc import Callable, Iterable
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
    holds (None: all), and with it the memory that a direction can take.
    """

    def __init__(self, against: int | None = None, keep: int | None = None) -> None:
        self._against = 3 if against is None else against
        self._keep = _MAX_SIZE if keep is None else keep
        self._buffer = bytearray()
        self._at = 0  # the offset of the buffer's first byte
        self._told: list[Event] = []
        self._step: Callable[[], bool] = self._start
        self._form = 3  # 1, 2 or 3: the major version that decides how frames look
        self._mechanism = ""
        self._introduces = False  # whether the next frame is an identity
        self._unfinished = False  # whether the last frame promised more
        self._head = Frame(0, 0, False, 0, b"")
        self._body = bytearray()
        self._left = 0

    @property
    def lost(self) -> bool:
        """Whether the direction broke, so that what comes now cannot be read."""
        return self._step == self._skip

    @property
    def offset(self) -> int:
        """How many bytes were taken."""
        return self._at + len(self._buffer)

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; returns the events that they complete."""
        self._buffer += data
        while self._step():
            pass
        told, self._told = self._told, []
        return told

    def end(self) -> list[Event]:
        """Take the end of the direction; returns what it breaks off."""
        if self.lost:
            return []
        if self._step == self._in_body:
            missing = f"{self._left} of a frame's {self._head.size} bytes are missing"
            return [Broken(self._head.offset, f"ends within a frame: {missing}")]
        if self._buffer:
            what = "a frame's header" if self._step == self._header else "the greeting"
            return [Broken(self._at, f"ends within {what}, after {len(self._buffer)} bytes of it")]
        if self._unfinished:
            return [Broken(self._at, "ends within a message: its last frame promised more")]
        return []

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._at += count
        return taken

    def _break(self, reason: str, offset: int | None = None) -> bool:
        self._told.append(Broken(self._at if offset is None else offset, reason))
        self._step = self._skip
        return True

    def _note(self, offset: int, reason: str) -> None:
        self._told.append(Broken(offset, reason, fatal=False))

    def _skip(self) -> bool:
        self._take(len(self._buffer))
        return False

    def _start(self) -> bool:
        own = revision(bytes(self._buffer[: _SIGNATURE + 1]))
        if own is None:
            return False
        spoken = min(own, self._against)
        self._form = 1 if spoken == UNVERSIONED else 2 if spoken < 3 else 3
        self._introduces = self._form < 3
        self._step = (self._header, self._old_greeting, self._greeting)[self._form - 1]
        return True

    def _old_greeting(self) -> bool:
        if len(self._buffer) < _SIGNATURE + 2:
            return False
        offset, octets = self._at, self._take(_SIGNATURE + 2)
        self._told.append(OldGreeting(offset, octets[10], octets[11], octets[1:9], octets[9]))
        self._check_signature(offset, octets)
        if octets[11] >= len(SOCKET_TYPES):
            self._note(offset + 11, f"there is no socket type {octets[11]} (15/ZMTP)")
        self._step = self._header
        return True

    def _greeting(self) -> bool:
        if len(self._buffer) < GREETING:
            return False
        offset, octets = self._at, self._take(GREETING)
        greeting = Greeting(
            offset, (octets[10], octets[11]), octets[12:32], octets[32], octets[1:9], octets[9], octets[33:]
        )
        self._told.append(greeting)
        self._mechanism = greeting.mechanism
        self._check_signature(offset, octets)
        name = greeting.mechanism_octets.rstrip(b"\0")
        if not name or not _MECHANISM_OCTETS.issuperset(name):
            self._note(offset + 12, f"not a mechanism's name: {greeting.mechanism_octets!r}")
        if greeting.as_server > 1:
            self._note(offset + 32, f"as-server is 0 or 1, not {greeting.as_server}")
        self._step = self._header
        return True

    def _check_signature(self, offset: int, octets: bytes) -> None:
        if octets[9] != 0x7F:
            self._note(offset + 9, f"a signature ends with 7F, not {octets[9]:02X}")

    def _header(self) -> bool:
        buffer = self._buffer
        if not buffer:
            return False
        if self._form == 1:
            return self._old_header()
        flags = buffer[0]
        if reserved := flags & ~(MORE | LONG | (COMMAND if self._form == 3 else 0)):
            return self._break(f"reserved flags are set: {reserved:#04x}")
        long = bool(flags & LONG)
        if len(buffer) < (9 if long else 2):
            return False
        return self._open(flags, long, int.from_bytes(buffer[1 : 9 if long else 2], "big"), 9 if long else 2)

    def _old_header(self) -> bool:
        """Read the header of 13/ZMTP, whose length counts the flags too."""
        buffer, long = self._buffer, self._buffer[0] == 0xFF
        size_octets = 9 if long else 1
        if len(buffer) < size_octets:
            return False
        length = int.from_bytes(buffer[1:9], "big") if long else buffer[0]
        if length == 0:
            # 13/ZMTP lets a peer pass over such a frame; nobody sends one, and what shows one is hardly ZMTP.
            return self._break("a frame of length 0, which has not even flags (13/ZMTP)")
        if len(buffer) < size_octets + 1:
            return False
        return self._open(buffer[size_octets], long, length - 1, size_octets + 1)

    def _open(self, flags: int, long: bool, size: int, octets: int) -> bool:
        if size > _MAX_SIZE:
            return self._break(f"a frame of {size} bytes; 2^63 - 1 is the most")
        self._head = Frame(self._at, flags, long, size, b"")
        self._take(octets)
        self._left = size
        self._step = self._in_body
        return True

    def _in_body(self) -> bool:
        count = min(self._left, len(self._buffer))
        if room := min(count, self._keep - len(self._body)):
            self._body += self._buffer[:room]
        del self._buffer[:count]
        self._at += count
        self._left -= count
        if self._left:
            return False
        body = bytes(self._body)
        self._body.clear()
        self._step = self._header
        self._close(self._head, body)
        return True

    def _close(self, head: Frame, body: bytes) -> None:
        told = (head.offset, head.flags, head.long, head.size, body)
        if self._introduces:
            self._introduces = False
            self._told.append(Identity(*told))
            return
        if self._form == 3 and head.flags & COMMAND:
            name, data = commands.split(body)
            said = commands.meaning(name, data, self._mechanism) if len(body) == head.size else commands.Opaque()
            self._told.append(Command(*told, name, data, said))
            if isinstance(said, Malformed):
                self._note(head.offset, said.reason)
            if head.more:
                self._note(head.offset, "a command with the MORE flag")
            return
        self._told.append(Frame(*told))
        self._unfinished = head.more


def encode(events: Iterable[Event]) -> bytes:
    """Return the bytes of one direction; ValueError for what has none: `Broken`, and frames that are not whole."""
    octets = bytearray()
    form = 0  # 0: nothing was said yet
    for event in events:
        match event:
            case Broken():
                raise ValueError(f"what is broken cannot be encoded: {event.reason}")
            case Greeting():
                form = 3
                octets += _signature(event) + bytes(event.version) + event.mechanism_octets
                octets += bytes([event.as_server]) + event.filler
            case OldGreeting():
                form = 2
                octets += _signature(event) + bytes([event.revision, event.socket_octet])
            case Frame():
                form = form or (1 if isinstance(event, Identity) else 3)
                octets += _encoded(event, form)
    return bytes(octets)


def _signature(greeting: Greeting | OldGreeting) -> bytes:
    return b"\xff" + greeting.padding + bytes([greeting.footer])


def _encoded(frame: Frame, form: int) -> bytes:
    if len(frame.body) != frame.size:
        raise ValueError(f"only {len(frame.body)} of a frame's {frame.size} bytes were kept")
    flags = bytes([frame.flags])
    if form > 1:
        return flags + frame.size.to_bytes(8 if frame.long else 1, "big") + frame.body
    length = frame.size + 1
    size = b"\xff" + length.to_bytes(8, "big") if frame.long else bytes([length])
    return size + flags + frame.body
