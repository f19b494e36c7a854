"""One request and its one response."""

from __future__ import annotations

import sys
from collections.abc import Callable
from json import JSONDecoder, JSONEncoder
from math import isfinite
from time import monotonic
from typing import Any

from .errors import METHOD, PARSE, REQUEST, PeerError, ProtocolError
from .frames import Message, encode_messages
from .lines import LIMIT
from .params import METHODS

Identity = str | float
"""What a request's id may be; to a type checker, an int is a float too."""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_decode = JSONDecoder(parse_constant=_no_constant).decode
_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Call:
    """A request on its way: whoever holds it owes it exactly one answer."""

    __slots__ = ("_reply", "arrived", "backend", "identity", "method", "params")

    def __init__(
        self, identity: Identity, method: str, params: Any, reply: Callable[[Identity | None, dict[str, Any]], None]
    ) -> None:
        """``reply`` writes the response that carries ``identity``."""
        self.identity = identity
        self.method = method
        self.params = params
        self.backend: Any = None
        """The other socket of ``proxy``."""
        self.arrived = monotonic()
        self._reply = reply

    def answer(self, result: dict[str, Any]) -> None:
        """Succeed."""
        self._reply(self.identity, {"result": result})

    def fail(self, error: Exception) -> None:
        """Fail; anything but a ``PeerError`` is a surprise and goes to the log too."""
        if not isinstance(error, PeerError):
            import traceback

            traceback.print_exception(error, file=sys.stderr)
            error = PeerError("library", f"unexpected {type(error).__name__}", text=str(error))
        self._reply(self.identity, {"error": error.to_json()})


def parse(line: bytes, reply: Callable[[Identity | None, dict[str, Any]], None]) -> Call:
    """Read one line as a request.

    :raises ProtocolError: if it is none; ``params`` are not looked at here.
    """
    try:
        request = _decode(line.decode())
    except (ValueError, RecursionError) as error:
        raise ProtocolError(PARSE, f"not JSON: {error}") from None
    if type(request) is not dict:
        raise ProtocolError(REQUEST, "a request is an object")
    identity = request.get("id")
    if type(identity) is not str and type(identity) is not int and not (type(identity) is float and isfinite(identity)):
        raise ProtocolError(REQUEST, "a request has an id, a string or a number")
    method = request.get("method")
    if request.get("jsonrpc") != "2.0" or type(method) is not str:
        raise ProtocolError(REQUEST, 'a request has "jsonrpc": "2.0" and a method', identity)
    if method not in METHODS:
        raise ProtocolError(METHOD, f"no method '{method}'", identity)
    return Call(identity, method, request.get("params", {}), reply)


def response(identity: Identity | None, outcome: dict[str, Any]) -> bytes:
    """Put one response into a line."""
    # Text of a library may hold surrogates; their escape is what JSON writes for them
    return _encode({"jsonrpc": "2.0", "id": identity, **outcome}).encode(errors="backslashreplace")


def spell_out(messages: list[Message], inline: int) -> list[list[Any]]:
    """Encode received messages so that they fit into one line: as digests, if it must be."""
    encoded = encode_messages(messages, inline)
    size = sum(len(frame) for message in messages for frame in message if len(frame) <= inline)
    # A byte takes up to six in JSON (\u0000); the sum spares nearly every answer the second encoding
    if size * 6 > LIMIT - 4_096 and len(_encode(encoded).encode()) > LIMIT - 4_096:
        return encode_messages(messages, 0)
    return encoded
