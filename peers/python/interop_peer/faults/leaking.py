"""What stays behind a closed socket or context without being counted as open."""

from __future__ import annotations

import threading
from typing import Any

from ..asyncio_socket import AsyncioSocket
from ..drivers import pyzmq
from ..libzmq import Contexts, Held, ZmqSocket
from ..server import Server
from .registry import register

_KEPT: list[Any] = []


def _keep(socket: ZmqSocket[Any, Any]) -> None:
    _KEPT.append(socket.socket)
    if socket.contexts.leave(socket.held):
        socket.contexts.gone()


class _ForgetfulLink(pyzmq.ZmqLink):
    def close(self) -> None:
        _keep(self)


class _ForgetfulSocket(AsyncioSocket):
    async def end(self) -> None:
        _keep(self)


register(
    "forget-close",
    "answers close and leaves the library's socket open, but does not count it",
    link=_ForgetfulLink,
    asyncio=_ForgetfulSocket,
)

_BYTES = 0


def _grow_by(text: str) -> None:
    global _BYTES
    _BYTES = int(text)


class _GrowingLink(pyzmq.ZmqLink):
    def close(self) -> None:
        super().close()
        _KEPT.append(b"x" * _BYTES)  # written, so that the memory is there


register("grow", "=BYTES: keeps so many bytes more for each closed socket", link=_GrowingLink, take=_grow_by)


class _LeavingContexts(Contexts[pyzmq.Context]):
    def release(self, held: Held[pyzmq.Context]) -> None:
        before = self.count
        super().release(held)
        if self.count < before:
            threading.Thread(target=threading.Event().wait, name="left behind", daemon=True).start()


class _LeavingDriver(pyzmq.PyzmqDriver):
    contexts_type = _LeavingContexts


register("leak-thread", "leaves a thread behind for each closed context", driver=_LeavingDriver)


class _StuckServer(Server):
    def counts(self, *, collect: bool = False) -> dict[str, Any]:
        return super().counts(collect=collect) | {"handles": 9}


register("stuck-handles", "says that it has 9 open handles, whatever is open", server=_StuckServer)
