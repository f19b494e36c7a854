"""Frames as tests write them, as peers report them, and as the contract spells them.

A frame that a peer received may be known by size and digest only; it still equals the text, the bytes or the
recipe it was made from. This file knows section 2 of CONTRACT.md and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, zip_longest
from typing import Any, Final, TypeAlias

BLOCK_SIZE: Final = 4099
"""Bytes in a recipe's block; prime, so that chunks swapped at a power of two change the digest."""

MAX_FRAME: Final = 268_435_456
INLINE: Final = 1024
_PREVIEW: Final = 48


@dataclass(frozen=True, slots=True)
class Recipe:
    """Bytes that both sides can make: `size` bytes of a block derived from `seed` (CONTRACT.md, section 2)."""

    size: int
    seed: int = 0

    def make(self) -> bytes:
        """Make the bytes."""
        block = _block(self.seed)
        return (block * (self.size // BLOCK_SIZE + 1))[: self.size]


@lru_cache(maxsize=64)
def _block(seed: int) -> bytes:
    block = bytearray()
    for index in count():
        block += hashlib.sha256(f"{seed}:{index}".encode()).digest()
        if len(block) >= BLOCK_SIZE:
            return bytes(block[:BLOCK_SIZE])
    raise AssertionError


@lru_cache(maxsize=256)
def _digest_of(recipe: Recipe) -> str:
    return hashlib.sha256(recipe.make()).hexdigest()


Content: TypeAlias = "str | bytes | Recipe | Frame"


class Frame:
    """One frame: its bytes where they are known, else its size and SHA-256."""

    __slots__ = ("_digest", "data", "recipe", "size")

    def __init__(
        self, data: bytes | None = None, *, recipe: Recipe | None = None, size: int = 0, sha256: str = ""
    ) -> None:
        self.data = data
        self.recipe = recipe
        self.size = len(data) if data is not None else recipe.size if recipe else size
        self._digest = sha256

    @property
    def sha256(self) -> str:
        """Lower-case hex digest of the content."""
        if not self._digest:
            if self.recipe is not None:
                self._digest = _digest_of(self.recipe)
            else:
                assert self.data is not None
                self._digest = hashlib.sha256(self.data).hexdigest()
        return self._digest

    def head(self, size: int) -> bytes:
        """Return the first `size` bytes, of a frame whose content is known."""
        if self.data is not None:
            return self.data[:size]
        assert self.recipe is not None
        return Recipe(min(size, self.size), self.recipe.seed).make()

    def to_wire(self) -> str | dict[str, Any]:
        """Spell the frame for a request."""
        if self.recipe is not None:
            return {"size": self.recipe.size, "seed": self.recipe.seed}
        assert self.data is not None
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(self.data).decode()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            if isinstance(other, str) and self.data is not None:  # the common case, and messages may be long
                return self.data == other.encode()
            if not isinstance(other, str | bytes | Recipe):
                return NotImplemented
            other = frame(other)
        if self.data is not None and other.data is not None:
            return self.data == other.data
        return self.size == other.size and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash((self.size, self.sha256))

    def __repr__(self) -> str:
        if self.data is not None and self.size <= _PREVIEW:
            try:
                return repr(self.data.decode())
            except UnicodeDecodeError:
                return repr(self.data)
        start = f" {self.data[:12]!r}…" if self.data is not None else ""
        return f"<{self.size} bytes{start} sha256 {self.sha256[:12]}…>"


class Message(list[Frame]):
    """A received message. Equal to a list or tuple of text, bytes, recipes or frames with the same content."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return list.__eq__(self, list(other) if isinstance(other, tuple) else other)


def frame(content: Content) -> Frame:
    """Turn what a test writes into a frame."""
    if isinstance(content, Frame):
        return content
    if isinstance(content, Recipe):
        return Frame(recipe=content)
    return Frame(content.encode() if isinstance(content, str) else content)


def message_to_wire(contents: Iterable[Content]) -> list[str | dict[str, Any]]:
    """Spell a message for a request."""
    return [content if isinstance(content, str) else frame(content).to_wire() for content in contents]


def message_from_wire(wire: Any) -> Message:
    """Read a message from a response; ValueError says what is wrong with it."""
    if not isinstance(wire, list):
        raise ValueError(f"a message must be a list of frames, not {wire!r:.80}")
    return Message(_frame_from_wire(item) for item in wire)


def _frame_from_wire(item: Any) -> Frame:
    if isinstance(item, str):
        return Frame(item.encode())
    if isinstance(item, dict):
        if item.keys() == {"base64"} and isinstance(item["base64"], str):
            try:
                return Frame(base64.b64decode(item["base64"], validate=True))
            except binascii.Error as error:
                raise ValueError(f"a frame's base64 is damaged: {error}") from None
        if item.keys() == {"size", "sha256"} and isinstance(item["size"], int):
            return Frame(size=item["size"], sha256=str(item["sha256"]))
    raise ValueError(f"not a frame: {item!r:.80}")


def first_difference(received: Sequence[Content], expected: Sequence[Content]) -> str:
    """Say in one line where two messages part; "" if they are equal."""
    same = len(received) == len(expected)
    counts = "" if same else f"{len(received)} frames received, {len(expected)} expected"
    for index, (got, want) in enumerate(zip_longest(received, expected)):
        if got is None or want is None:
            return counts
        left, right = frame(got), frame(want)
        if left != right:
            where = f"frame {index}: received {left!r}, expected {right!r}"
            if left.data is not None and (right.data is not None or right.recipe is not None):
                other = right.head(right.size)
                at = next(
                    (i for i, (a, b) in enumerate(zip(left.data, other, strict=False)) if a != b),
                    min(len(left.data), len(other)),
                )
                where += f" (first different byte: {at})"
            return f"{counts}; {where}" if counts else where
    return ""
