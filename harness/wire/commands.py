"""What ZMTP's commands say: the body of a command frame as a name and a typed meaning, or why it has none.

It knows the commands of 23/ZMTP and 37/ZMTP and those of 24/ZMTP-PLAIN. What a mechanism encrypts stays `Opaque`: its
bytes mean something to the two peers only. Nothing here raises on what a peer sent; that is `Malformed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

CLEAR: Final = frozenset({"NULL", "PLAIN", ""})
"""Mechanisms whose commands can be read; "" is a greeting that nobody saw."""


@dataclass(frozen=True, slots=True)
class Ready:
    """READY (37/ZMTP), or INITIATE of PLAIN: the sender's metadata, in its order; names as they were spelt."""

    metadata: tuple[tuple[str, bytes], ...]

    def get(self, name: str) -> bytes | None:
        """Return a property; the case of names is not significant."""
        return next((value for key, value in self.metadata if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Error:
    """ERROR: why the sender refuses the handshake."""

    reason: bytes


@dataclass(frozen=True, slots=True)
class Subscription:
    """SUBSCRIBE or CANCEL: the prefix that is wanted, or no longer."""

    prefix: bytes


@dataclass(frozen=True, slots=True)
class Group:
    """JOIN or LEAVE: a DISH's group."""

    name: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """PING: a sign of life is wanted. `ttl` is in tenths of a second, 0 to 65535; 0 means none."""

    ttl: int
    context: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """PONG: the answer to a PING, with its context."""

    context: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """HELLO of PLAIN: name and password, in the clear."""

    username: bytes
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Welcome:
    """WELCOME of PLAIN: the server accepts name and password."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A command that only the peers can read, or that no specification here names."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A command that breaks its own grammar."""

    reason: str


Meaning: TypeAlias = "Ready | Error | Subscription | Group | Ping | Pong | Hello | Welcome | Opaque | Malformed"


class _Wrong(ValueError):
    """A command's data breaks its grammar."""


def split(body: bytes) -> tuple[bytes, bytes]:
    """Split a command's body into name and data; ("", body) if it has no name (37/ZMTP: 1 to 255 characters)."""
    size = body[0] if body else 0
    return (body[1 : 1 + size], body[1 + size :]) if 0 < size < len(body) else (b"", body)


def meaning(name: bytes, data: bytes, mechanism: str = "") -> Meaning:
    """Return what a command says, under the mechanism that its sender announced."""
    if not name:
        return Malformed("a command without a name")
    if mechanism not in CLEAR:
        return Opaque()
    read = _COMMANDS.get(name)
    if read is None:
        return Opaque()
    try:
        return read(data)
    except _Wrong as wrong:
        return Malformed(f"{name.decode('ascii')}: {wrong}")


def _take(data: bytes, size_octets: int, what: str) -> tuple[bytes, bytes]:
    """Take a string with its size before it; returns it and the rest."""
    if len(data) < size_octets:
        raise _Wrong(f"{what} has no size")
    size, rest = int.from_bytes(data[:size_octets], "big"), data[size_octets:]
    if size > len(rest):
        raise _Wrong(f"{what} of {size} bytes, of which {len(rest)} are there")
    return rest[:size], rest[size:]


def _ready(data: bytes) -> Ready:
    found: list[tuple[str, bytes]] = []
    while data:
        name, data = _take(data, 1, "a property's name")
        if not name:
            raise _Wrong("a property without a name")
        if any(octet not in _NAME_OCTETS for octet in name):
            raise _Wrong(f"a property's name with other than letters, digits and -_.+: {name[:40]!r}")
        value, data = _take(data, 4, f"the value of {name.decode('ascii')}")
        found.append((name.decode("ascii"), value))
    return Ready(tuple(found))


_NAME_OCTETS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+")


def _error(data: bytes) -> Error:
    reason, rest = _take(data, 1, "the reason")
    if rest:
        raise _Wrong(f"{len(rest)} bytes behind the reason")
    return Error(reason)


def _ping(data: bytes) -> Ping:
    if len(data) < 2:
        raise _Wrong("no time to live")
    return Ping(int.from_bytes(data[:2], "big"), _context(data[2:]))


def _context(data: bytes) -> bytes:
    if len(data) > 16:
        raise _Wrong(f"a context of {len(data)} bytes; it has at most 16")
    return data


def _hello(data: bytes) -> Hello:
    username, rest = _take(data, 1, "the user name")
    password, rest = _take(rest, 1, "the password")
    if rest:
        raise _Wrong(f"{len(rest)} bytes behind the password")
    return Hello(username, password)


def _welcome(data: bytes) -> Welcome:
    if data:
        raise _Wrong(f"{len(data)} bytes where there are none")
    return Welcome()


_COMMANDS: Final[dict[bytes, Callable[[bytes], Meaning]]] = {
    b"READY": _ready,
    b"INITIATE": _ready,
    b"ERROR": _error,
    b"SUBSCRIBE": Subscription,
    b"CANCEL": Subscription,
    b"JOIN": Group,
    b"LEAVE": Group,
    b"PING": _ping,
    b"PONG": lambda data: Pong(_context(data)),
    b"HELLO": _hello,
    b"WELCOME": _welcome,
}
"""Each command's name and how its data is read."""
