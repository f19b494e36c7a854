"""Payload classes: the shapes of message that have broken implementations before.

Each class is a function from a number to a message body, so that the messages of one burst differ where the class
lets them. A new class is a row in `PAYLOADS`; append it, since the order decides which cell gets which class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.model.frames import Content, Recipe

KIB: Final = 1024
MIB: Final = 1024 * KIB

Body = list[Content]


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload class. `slow` ones are selected apart; `size` is its size in bytes, about."""

    name: str
    body: Callable[[int], Body]
    why: str
    size: int = 16
    slow: bool = False


def _sized(size: int) -> Callable[[int], Body]:
    return lambda n: [Recipe(size, n)]


_POEMS: Final = ("床前明月光，疑是地上霜", "Привет, ZeroMQ ✓", "naïve Ωmega 🚀 ñ", "زيرو إم كيو")

PAYLOADS: Final = {
    row.name: row
    for row in (
        Payload("multipart", lambda n: [f"head {n}", f"body {n}", f"tail {n}"], "MORE flags"),
        Payload("empty", lambda n: [""], "a message may be one empty frame", size=0),
        Payload("1-byte", lambda n: [bytes([n % 256])], "the smallest body; also a subscription's shape"),
        Payload("255-bytes", _sized(255), "the largest short frame (ZMTP 3.1, 2.2)", size=255),
        Payload("256-bytes", _sized(256), "the smallest long frame (ZMTP 3.1, 2.2)", size=256),
        Payload("64k-minus-1", _sized(64 * KIB - 1), "the largest 16-bit size", size=64 * KIB),
        Payload("64k", _sized(64 * KIB), "past 16 bits", size=64 * KIB),
        Payload("1m", _sized(MIB), "past every socket buffer", size=MIB),
        Payload(
            "1000-frames",
            lambda n: [f"frame {i} of {n}" for i in range(1000)],
            "long multipart messages stay whole",
            size=14_000,
        ),
        Payload("empty-front", lambda n: ["", f"a{n}", "b"], "an empty frame also marks REQ's envelope"),
        Payload("empty-middle", lambda n: [f"a{n}", "", "b"], "an empty frame inside a body"),
        Payload("empty-end", lambda n: [f"a{n}", "b", ""], "an empty last frame"),
        Payload("all-bytes", lambda n: [bytes((i + n) % 256 for i in range(256))], "bytes are not text"),
        Payload("utf8", lambda n: [_POEMS[n % len(_POEMS)], f"第{n}号"], "text beyond ASCII", size=60),
        Payload("64m", _sized(64 * MIB), "large messages", size=64 * MIB, slow=True),
    )
}
