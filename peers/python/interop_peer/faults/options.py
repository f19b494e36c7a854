"""Options and subscriptions that are accepted and not applied."""

from __future__ import annotations

from typing import Any

from ..drivers import pyzmq
from ..frames import Message
from .altering import AlteringLink
from .registry import register

_IGNORED: set[str] = set()


class _IgnoringLink(pyzmq.ZmqLink):
    def set(self, name: str, value: Any) -> None:
        if name not in _IGNORED:
            super().set(name, value)


register(
    "ignore-option",
    "=NAME: answers that this option is set, and does not set it, not even where the peer itself would",
    link=_IgnoringLink,
    take=_IGNORED.add,
)


def _subscribes(message: Message, first: bytes) -> bool:
    # 29/PUBSUB: a subscription is a message of one frame, 1 or 0 and the topic
    return len(message) == 1 and message[0][:1] == first


class _EverythingLink(AlteringLink):
    def set(self, name: str, value: Any) -> None:
        super().set(name, "" if name in ("SUBSCRIBE", "UNSUBSCRIBE") else value)

    def altered(self, messages: list[Message]) -> list[Message]:
        if self.kind != "XSUB":
            return messages
        return [
            [message[0][:1]] if _subscribes(message, b"\0") or _subscribes(message, b"\1") else message
            for message in messages
        ]


register("ignore-prefix", "subscribes SUB and XSUB to everything instead of the topic given", link=_EverythingLink)


class _StickyTopicLink(AlteringLink):
    def set(self, name: str, value: Any) -> None:
        if name != "UNSUBSCRIBE":
            super().set(name, value)

    def altered(self, messages: list[Message]) -> list[Message]:
        return [message for message in messages if self.kind != "XSUB" or not _subscribes(message, b"\0")]


register("no-unsubscribe", "never ends a subscription of SUB or XSUB", link=_StickyTopicLink)


class _StallingLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.kind in ("PUB", "XPUB"):
            self.set("XPUB_NODROP", 1)


register("block-on-slow", "lets PUB and XPUB wait for a slow subscriber instead of dropping", link=_StallingLink)
