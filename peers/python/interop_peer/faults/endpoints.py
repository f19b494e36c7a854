"""Endpoints that are taken for others, kept, or given up too early."""

from __future__ import annotations

import os
import time
from errno import EADDRINUSE
from typing import Any

import zmq

from ..calls import Call
from ..drivers import pyzmq
from ..errors import PeerError
from ..events import Ledger, Recorder
from ..jobs import RecvJob
from .connection import _WatchingLink
from .registry import register


class _OnceOnlyLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        super().set("RECONNECT_IVL", -1)

    def set(self, name: str, value: Any) -> None:
        if name != "RECONNECT_IVL":
            super().set(name, value)


register("connect-once", "never tries again to connect where nobody listened", link=_OnceOnlyLink)


class _CredulousLink(pyzmq.ZmqLink):
    def bind(self, endpoint: str) -> str:
        try:
            return super().bind(endpoint)
        except (PeerError, zmq.ZMQError):
            if not endpoint.startswith("tcp://"):
                raise
            return endpoint


register("any-endpoint", "answers that a bind to any TCP endpoint went well", link=_CredulousLink)


class _VagueLink(pyzmq.ZmqLink):
    def bind(self, endpoint: str) -> str:
        actual = super().bind(endpoint)
        return endpoint if endpoint.endswith((":*", ":0")) else actual


register("vague-endpoint", "answers a bind on a wildcard with the wildcard", link=_VagueLink)


class _TidyLink(pyzmq.ZmqLink):
    def bind(self, endpoint: str) -> str:
        if os.path.exists(endpoint.removeprefix("ipc://")):
            raise PeerError("library", "bind: the file exists", errno=EADDRINUSE)
        return super().bind(endpoint)


register("keep-file", "does not bind where there is a file already, whoever left it", link=_TidyLink)


class _ClingingLink(pyzmq.ZmqLink):
    def operate(self, call: Call) -> dict[str, Any]:
        return {} if call.method in ("unbind", "disconnect") else super().operate(call)


register("cling", "answers unbind and disconnect, and does neither", link=_ClingingLink)


class _NamelessLink(pyzmq.ZmqLink):
    def connect(self, endpoint: str) -> str:
        return endpoint if "localhost" in endpoint else super().connect(endpoint)


register("no-names", "does not connect to localhost, and says that it did", link=_NamelessLink)


class _ResolvingLink(pyzmq.ZmqLink):
    def connect(self, endpoint: str) -> str:
        host = endpoint.removeprefix("tcp://").rpartition(":")[0]
        while host.endswith(".invalid"):
            time.sleep(0.05)
        return super().connect(endpoint)


register("wait-for-names", "does nothing else until the name to connect to can be resolved", link=_ResolvingLink)


class _TellingLink(_WatchingLink):
    def __init__(self, *arguments: Any) -> None:
        self._losses = 0
        super().__init__(*arguments)

    def lost(self, endpoint: str) -> None:
        self._losses += 1

    def try_recv(self, job: RecvJob) -> bool:
        if self._losses:
            self._losses -= 1
            raise PeerError("library", "recv: EOF", text="EOF")
        return super().try_recv(job)


register("eof", "lets a recv fail whenever a connection was lost", link=_TellingLink)


class _Pessimist(Ledger):
    def note(self, event: dict[str, Any]) -> None:
        super().note(event | {"event": zmq.Event.DISCONNECTED})


class _PessimistRecorder(Recorder):
    ledger = _Pessimist


class _PessimistLink(pyzmq.ZmqLink):
    make_recorder = _PessimistRecorder


register("alarm", "reports DISCONNECTED for every event of a monitored socket", link=_PessimistLink)


class _OpenLink(pyzmq.ZmqLink):
    def bind(self, endpoint: str) -> str:
        actual = super().bind(endpoint.replace("//127.0.0.1:", "//0.0.0.0:").replace("//[::1]:", "//[::]:"))
        return actual.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


register("listen-everywhere", "listens on every address of the machine instead of loopback", link=_OpenLink)
