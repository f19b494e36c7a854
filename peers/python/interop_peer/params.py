"""Which parameters each method takes (sections 4, 5 and 7 of the contract), as a table.

Decides only what can be said without a socket: names, types and ranges. ``bool`` is not an integer here,
although it is one in Python. Frames are checked where they are decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import InvalidError
from .frames import SIZE_LIMIT

Check = Callable[[str, Any], None]

_ENDLESS = 1e18  # more than any clock here can count
_KEY = 40  # characters of a CURVE key in Z85

HEADER = 16  # bytes: the sequence number and the source, which every counted message starts with


def integer(low: int, high: int | None = None) -> Check:
    """Make a check for an integer from ``low`` to ``high``, both included."""
    span = f"of {low} or more" if high is None else f"from {low} to {high}"

    def check(name: str, value: Any) -> None:
        if type(value) is not int or value < low or (high is not None and value > high):
            raise InvalidError(f"'{name}' is an integer {span}")

    return check


def _milliseconds(name: str, value: Any) -> None:
    if (type(value) is not int and type(value) is not float) or not 0 <= value < _ENDLESS:
        raise InvalidError(f"'{name}' is a number of milliseconds, 0 or more")


def _rate(name: str, value: Any) -> None:
    if (type(value) is not int and type(value) is not float) or not 0 < value < _ENDLESS:
        raise InvalidError(f"'{name}' is a number of messages a second, more than 0")


def _boolean(name: str, value: Any) -> None:
    if type(value) is not bool:
        raise InvalidError(f"'{name}' is true or false")


def _string(name: str, value: Any) -> None:
    if type(value) is not str:
        raise InvalidError(f"'{name}' is a string")


def _strings(name: str, value: Any) -> None:
    if type(value) is not list or not all(type(item) is str for item in value):
        raise InvalidError(f"'{name}' is a list of strings")


def _list(name: str, value: Any) -> None:
    if type(value) is not list:
        raise InvalidError(f"'{name}' is a list")


def _object(name: str, value: Any) -> None:
    if type(value) is not dict:
        raise InvalidError(f"'{name}' is an object")


def _passwords(name: str, value: Any) -> None:
    if type(value) is not dict or not all(type(password) is str for password in value.values()):
        raise InvalidError(f"'{name}' is an object of user names and passwords")


def _keys(name: str, value: Any) -> None:
    if value == "any":
        return
    if type(value) is not list or not all(type(key) is str and len(key) == _KEY for key in value):
        raise InvalidError(f"'{name}' is a list of public keys of {_KEY} characters, or \"any\"")


def one_of(*names: str) -> Check:
    """Make a check for one of these strings."""

    def check(name: str, value: Any) -> None:
        if value not in names:
            raise InvalidError(f"'{name}' is one of {', '.join(names)}")

    return check


def _any(name: str, value: Any) -> None:
    """Accept; the options table knows better."""


_handle = integer(1)
_count = integer(1)
_workers = integer(1, 1_000)
_SOCKET: dict[str, Check] = {"socket": _handle}
_WORK: dict[str, Check] = {"timeout": _milliseconds}
_NUMBERED: dict[str, Check] = {
    "count": _count,
    "size": integer(HEADER, SIZE_LIMIT),
}
_MARKED: dict[str, Check] = {"source": integer(0, 2**64 - 1), "prefix": _list, "stamp": _boolean}

# method -> (required parameters, optional parameters)
METHODS: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "hello": ({}, {}),
    "open": ({"type": _string}, {"context": _string, "options": _object, "bind": _strings, "connect": _strings}),
    "bind": (_SOCKET | {"endpoint": _string}, {}),
    "connect": (_SOCKET | {"endpoint": _string}, {}),
    "unbind": (_SOCKET | {"endpoint": _string}, {}),
    "disconnect": (_SOCKET | {"endpoint": _string}, {}),
    "set": (_SOCKET | {"option": _string, "value": _any}, {}),
    "get": (_SOCKET | {"option": _string}, {}),
    "send": (_SOCKET | {"messages": _list}, {"timeout": _milliseconds, "via": _string}),
    "recv": (
        _SOCKET,
        {"count": _count, "timeout": _milliseconds, "inline": integer(0), "size": integer(1, SIZE_LIMIT)},
    ),
    "close": (_SOCKET, {}),
    "stats": ({}, {"collect": _boolean}),
    "dump": ({}, {}),
    "quit": ({}, {}),
    "echo": (_SOCKET | {"count": _count}, _WORK | {"size": integer(1, SIZE_LIMIT)}),
    "flood": (_SOCKET | _NUMBERED, _WORK | _MARKED),
    "pace": (_SOCKET | _NUMBERED | {"rate": _rate}, _WORK | _MARKED),
    "drain": (_SOCKET | {"count": _count}, _WORK | {"strip": integer(0), "stamped": _boolean}),
    "ping": (
        _SOCKET | _NUMBERED,
        _WORK | {"prefix": _list, "strip": integer(0), "warmup": integer(0), "rate": _rate},
    ),
    "proxy": (_SOCKET | {"backend": _handle}, _WORK),
    "timer": ({"ms": _milliseconds}, {}),
    "term": ({"context": _string}, {}),
    "monitor": (_SOCKET, {}),
    "events": (_SOCKET, {"count": _count, "timeout": _milliseconds}),
    "zap": ({"context": _string}, {"domain": _string, "plain": _passwords, "curve": _keys}),
    "keypair": ({}, {}),
    "swarm": (
        {"context": _string, "type": _string, "endpoint": _string, "workers": _workers} | _NUMBERED,
        _WORK,
    ),
    "share": (_SOCKET | {"workers": _workers, "how": one_of("mutex", "handover", "none")} | _NUMBERED, _WORK),
    "callers": (
        {"type": one_of("REQ", "DEALER"), "endpoint": _string, "clients": integer(1, 65_000)} | _NUMBERED,
        _WORK,
    ),
    "abandon": (_SOCKET, {}),
    "tune": ({"context": _string, "options": _object}, {}),
    "beside": (
        {"how": one_of("spin", "allocate", "reuse"), "threads": _workers, "ms": _milliseconds},
        {"bytes": integer(1, SIZE_LIMIT)},
    ),
    "runtime": ({}, {}),
    "steer": (_SOCKET | {"command": one_of("PAUSE", "RESUME", "TERMINATE")}, {}),
}

WORKLOADS = ("echo", "flood", "pace", "drain", "ping", "proxy")

ALONE = frozenset((*WORKLOADS, "share"))
"""Methods that have their socket to themselves."""


def check(method: str, params: Any) -> None:
    """Compare a call's parameters with the table.

    :raises InvalidError: naming the parameter and the reason.
    """
    if type(params) is not dict:
        raise InvalidError("'params' is an object")
    required, optional = METHODS[method]
    for name, value in params.items():
        test = required.get(name) or optional.get(name)
        if test is None:
            raise InvalidError(f"{method} has no parameter '{name}'")
        test(name, value)
    for name in required:
        if name not in params:
            raise InvalidError(f"{method} needs the parameter '{name}'")


def refuse_size(method: str, params: dict[str, Any]) -> None:
    """Refuse what ``recv`` and ``echo`` take on ``RAW`` only.

    :raises InvalidError: if it is there.
    """
    if method in ("recv", "echo") and "size" in params:
        raise InvalidError("'size' is for RAW only")
