"""ZAP handlers that do not look."""

from __future__ import annotations

from ..drivers import pyzmq
from ..zap import Handler
from .registry import register


class _OpenDoor(Handler):
    def admitted(self, domain: str, mechanism: str, credentials: list[bytes]) -> str | None:
        return "anybody"


class _OpenDriver(pyzmq.PyzmqDriver):
    handler = _OpenDoor


class _ShutDoor(Handler):
    def admitted(self, domain: str, mechanism: str, credentials: list[bytes]) -> str | None:
        return None


class _ShutDriver(pyzmq.PyzmqDriver):
    handler = _ShutDoor


register("anybody", "lets everybody in where a ZAP handler decides", driver=_OpenDriver)
register("nobody", "lets nobody in where a ZAP handler decides", driver=_ShutDriver)
