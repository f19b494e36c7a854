"""Counted messages (section 5 of the contract): a sequence number, a source, and where asked for a stamp."""

from __future__ import annotations

from struct import Struct
from typing import Any

from .errors import InvalidError
from .frames import decode

HEADER = Struct(">QQ")  # sequence number and source
STAMPED = Struct(">QQQ")  # and ns since 1970


class Numbered:
    """Messages that carry their sequence number: one buffer, used again for each."""

    def __init__(self, params: dict[str, Any]) -> None:
        """Read ``size``, and where given ``source``, ``prefix`` and ``stamp``."""
        self.stamps: bool = params.get("stamp", False)
        if self.stamps and params["size"] < STAMPED.size:
            raise InvalidError(f"a message with a stamp has {STAMPED.size} bytes or more")
        self.prefix = [decode(frame) for frame in params.get("prefix", ())]
        self.body = bytearray(params["size"])
        self.message: list[Any] = [*self.prefix, self.body]
        self._source: int = params.get("source", 0)

    def number(self, sequence: int) -> list[Any]:
        """Give the message with this number."""
        HEADER.pack_into(self.body, 0, sequence, self._source)
        return self.message

    def stamp(self, sequence: int, moment: int) -> list[Any]:
        """Give the message with this number and this stamp."""
        STAMPED.pack_into(self.body, 0, sequence, self._source, moment)
        return self.message
