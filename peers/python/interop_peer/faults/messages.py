"""Mistakes with messages: lost, doubled, reordered, cut, joined, changed, sent to somebody else."""

from __future__ import annotations

from collections.abc import Callable

from ..frames import Message
from .altering import AlteringLink
from .registry import register

_CUT = 65_536  # bytes
_LOCKSTEP = ("REQ", "REP")  # socket types that take exactly one message at a time

Alter = Callable[[AlteringLink, list[Message]], list[Message]]


# Messages as a whole


def _drop(link: AlteringLink, messages: list[Message]) -> list[Message]:
    if len(messages) > 1:
        return messages[:1] + messages[2:]
    link.single += 1
    return [] if link.single % 2 == 0 else messages


def _double(link: AlteringLink, messages: list[Message]) -> list[Message]:
    return messages if link.kind in _LOCKSTEP else messages[:1] + messages


def _reorder(link: AlteringLink, messages: list[Message]) -> list[Message]:
    if link.kind in _LOCKSTEP or not messages:
        return messages
    if len(messages) > 1:
        return [messages[1], messages[0], *messages[2:]]
    held, link.held_back = link.held_back, None
    if held is None:
        link.held_back = messages[0]
        return []
    return [*messages, held]


# One message, without the routing id that a ROUTER or STREAM writes before it


def _merge(frames: Message) -> list[Message]:
    return [[frames[0] + frames[1], *frames[2:]]] if len(frames) > 1 else [frames]


def _split(frames: Message) -> list[Message]:
    return [frames[:1], frames[1:]] if len(frames) > 1 else [frames]


def _eat_empty(frames: Message) -> list[Message]:
    if b"" not in frames:
        return [frames]
    at = frames.index(b"")
    rest = frames[:at] + frames[at + 1 :]
    return [rest] if rest else []


def _flip(frames: Message) -> list[Message]:
    at = max(range(len(frames)), key=lambda index: len(frames[index]))
    frame = frames[at]
    if not frame:
        return [frames]
    return [[*frames[:at], frame[:-1] + bytes([frame[-1] ^ 1]), *frames[at + 1 :]]]


def _truncate(frames: Message) -> list[Message]:
    return [[frame[:_CUT] for frame in frames]]


def _everything(frames: Message) -> list[Message]:
    # 29/PUBSUB: a subscription is a message of one frame, 1 or 0 and the topic
    return [[frames[0][:1]]] if frames[0][:1] in (b"\0", b"\1") else [frames]


def _each(alter: Callable[[Message], list[Message]], *kinds: str, lockstep: bool = True) -> Alter:
    """Make a fault of all messages from one of a single message; ``kinds`` are the socket types it is for."""

    def fault(link: AlteringLink, messages: list[Message]) -> list[Message]:
        if (kinds and link.kind not in kinds) or (link.kind in _LOCKSTEP and not lockstep):
            return messages
        head = 1 if link.kind in ("ROUTER", "STREAM") else 0
        return [
            message[:head] + part
            for message in messages
            for part in (alter(message[head:]) if len(message) > head else [message[head:]])
        ]

    return fault


def _wrong_requester(link: AlteringLink, messages: list[Message]) -> list[Message]:
    def other(name: bytes) -> bytes:
        return next((heard for heard in link.heard if heard != name), name)

    return [[other(message[0]), *message[1:]] for message in messages] if link.kind == "ROUTER" else messages


def _with(alter: Alter) -> type[AlteringLink]:
    class Link(AlteringLink):
        def altered(self, messages: list[Message]) -> list[Message]:
            return alter(self, messages)

    return Link


_TABLE: dict[str, tuple[str, Alter]] = {
    "drop": ("does not send one message of a call with two or more, or every second message of single ones", _drop),
    "double": ("sends one message of every call twice", _double),
    "reorder": ("swaps two neighbouring messages of a call, or holds a single one back until after the next", _reorder),
    "merge": ("joins the first two frames of a multi-frame message", _each(_merge)),
    "split": ("sends the first frame of a multi-frame message as a message of its own", _each(_split, lockstep=False)),
    "eat-empty": ("drops one empty frame; a message that is nothing else is not sent", _each(_eat_empty)),
    "flip": ("flips a bit in the last byte of the largest frame", _each(_flip)),
    "truncate": ("cuts frames over 64 KiB to 65,536 bytes", _each(_truncate)),
    "wrong-requester": ("lets a ROUTER that has heard two or more peers answer another one of them", _wrong_requester),
}

for _name, (_description, _alter) in _TABLE.items():
    register(_name, _description, link=_with(_alter))
