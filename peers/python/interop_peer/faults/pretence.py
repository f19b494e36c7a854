"""Options that are stored, told again when asked for, and never applied."""

from __future__ import annotations

from typing import Any

from ..drivers import pyzmq
from .registry import register

_PRETENDED: set[str] = set()


class _PretendingLink(pyzmq.ZmqLink):
    _told: dict[str, Any] | None = None  # until the socket is made; what the peer itself sets then is set

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._told = {}

    def set(self, name: str, value: Any) -> None:
        if self._told is not None and name in _PRETENDED:
            self._told[name] = value
        else:
            super().set(name, value)

    def get(self, name: str) -> Any:
        return self._told[name] if self._told and name in self._told else super().get(name)


register(
    "pretend-option",
    "=NAME: answers that this option is set, gives the value back when asked for it, and does not set it",
    link=_PretendingLink,
    take=_PRETENDED.add,
)
