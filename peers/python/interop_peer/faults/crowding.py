"""A ROUTER to which every message costs more, the more peers it has heard."""

from __future__ import annotations

from time import thread_time_ns

from ..frames import Message
from .altering import AlteringLink
from .registry import register

_EACH = 0  # ns for each peer


def _take(text: str) -> None:
    global _EACH
    _EACH = int(text) * 1000


class _CrowdedLink(AlteringLink):
    def altered(self, messages: list[Message]) -> list[Message]:
        if self.kind == "ROUTER":
            until = thread_time_ns() + _EACH * len(self.heard) * len(messages)
            while thread_time_ns() < until:
                pass
        return messages


register(
    "crowded",
    "lets a ROUTER compute so many microseconds longer over each message for every peer that it has heard",
    link=_CrowdedLink,
    take=_take,
)
