"""Frames between JSON and bytes (section 2 of the contract): text, base64, recipes and digests."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from hashlib import sha256
from typing import Any

from .errors import InvalidError

BLOCK = 4_099  # bytes; prime, so that chunks swapped at any power of two change the digest
SIZE_LIMIT = 268_435_456  # bytes in one frame
SEEDS = range(-(2**63), 2**63)
INLINE = 1_024  # bytes up to which a response spells a frame out, unless ``recv`` says otherwise

Message = list[bytes]


@lru_cache(maxsize=64)
def _block(seed: int) -> bytes:
    digests = (sha256(b"%d:%d" % (seed, index)).digest() for index in range(BLOCK // 32 + 1))
    return b"".join(digests)[:BLOCK]


def recipe(size: int, seed: int) -> bytes:
    """Make ``size`` bytes: the seed's block, repeated and cut."""
    block = _block(seed)
    whole, rest = divmod(size, BLOCK)
    return block * whole + block[:rest]


def decode(frame: Any) -> bytes:
    """Turn one frame of a request into its bytes.

    :raises InvalidError: if it is none of the contract's forms.
    """
    if type(frame) is str:
        try:
            return frame.encode()
        except UnicodeEncodeError:
            raise InvalidError("a frame's text has a lone surrogate, so it has no UTF-8 form") from None
    if type(frame) is not dict:
        raise InvalidError("a frame is a string, {base64} or {size, seed}")
    if frame.keys() == {"base64"}:
        return _from_base64(frame["base64"])
    if frame.keys() == {"size", "seed"}:
        size, seed = frame["size"], frame["seed"]
        if type(size) is not int or not 0 <= size <= SIZE_LIMIT:
            raise InvalidError(f"a frame's size is an integer from 0 to {SIZE_LIMIT}")
        if type(seed) is not int or seed not in SEEDS:
            raise InvalidError("a frame's seed is an integer of 64 bits")
        return recipe(size, seed)
    raise InvalidError("a frame is a string, {base64} or {size, seed}, without other members")


def _from_base64(text: Any) -> bytes:
    if type(text) is not str:
        raise InvalidError("a frame's base64 is a string")
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError as error:  # binascii's own error is one too
        raise InvalidError(f"a frame's base64 is malformed: {error}") from None
    if b2a_base64(data, newline=False) != text.encode():
        raise InvalidError("a frame's base64 has bits left over")
    return data


def decode_message(message: Any) -> Message:
    """Turn one message of a request, a list of one frame or more, into bytes."""
    if type(message) is not list or not message:
        raise InvalidError("a message is a list of at least one frame")
    return [decode(frame) for frame in message]


def decode_messages(messages: Any) -> list[Message]:
    """Turn ``send``'s list of messages into bytes."""
    if type(messages) is not list:
        raise InvalidError("'messages' is a list of messages")
    return [decode_message(message) for message in messages]


def encode(frame: bytes, inline: int = INLINE) -> Any:
    """Turn bytes into a response's frame; over ``inline`` bytes only size and digest are given."""
    if len(frame) > inline:
        return {"size": len(frame), "sha256": sha256(frame).hexdigest()}
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return {"base64": b2a_base64(frame, newline=False).decode()}


def encode_messages(messages: list[Message], inline: int = INLINE) -> list[list[Any]]:
    """Turn received messages into a response's list."""
    return [[encode(frame, inline) for frame in message] for message in messages]
