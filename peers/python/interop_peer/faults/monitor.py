"""Monitors that tell nothing, or always the same."""

from __future__ import annotations

from typing import Any

import zmq

from ..drivers import pyzmq
from ..events import Ledger, Recorder
from .registry import register


class _Blind(Ledger):
    def note(self, event: dict[str, Any]) -> None:
        pass


class _BlindRecorder(Recorder):
    ledger = _Blind


class _BlindLink(pyzmq.ZmqLink):
    make_recorder = _BlindRecorder


class _Optimist(Ledger):
    def note(self, event: dict[str, Any]) -> None:
        super().note(event | {"event": zmq.Event.CONNECTED})


class _OptimistRecorder(Recorder):
    ledger = _Optimist


class _OptimistLink(pyzmq.ZmqLink):
    make_recorder = _OptimistRecorder


register("no-events", "records no event of a monitored socket", link=_BlindLink)
register("wrong-event", "reports CONNECTED for every event of a monitored socket", link=_OptimistLink)
