"""Mistakes of the process rather than of a socket: silence, crash, noise, leftovers, false claims."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import Any

from ..calls import Call, parse
from ..drivers import pyzmq
from ..errors import METHOD, PeerError, ProtocolError
from ..frames import Message
from ..jobs import RecvJob, SendJob
from ..server import Server
from .altering import AlteringLink
from .registry import register


class _CrashingLink(AlteringLink):
    def altered(self, messages: list[Message]) -> list[Message]:
        os.abort()

    def begin(self, call: Call) -> SendJob | RecvJob:
        os.abort()


register("crash", "aborts in the first send or recv", link=_CrashingLink)


class _SilentServer(Server):
    _silenced = False

    def dispatch(self, call: Call) -> None:
        self._silenced |= call.method == "recv"
        if not self._silenced:
            super().dispatch(call)

    def reply(self, identity: str | float | None, outcome: dict[str, Any]) -> None:
        if not self._silenced:
            super().reply(identity, outcome)


register("silent", "never answers a recv, and nothing after it", server=_SilentServer)


class _NoisyServer(Server):
    def reply(self, identity: str | float | None, outcome: dict[str, Any]) -> None:
        if "contract" not in outcome.get("result", {}):
            self._writer.write(b"warning: a library wrote this line to stdout")
        super().reply(identity, outcome)


register("garbage", "writes a line that is not JSON before every answer but hello's", server=_NoisyServer)


class _BoastfulServer(Server):
    def greeting(self) -> dict[str, Any]:
        about = super().greeting()
        about["capabilities"]["socket_types"] += ["CLIENT", "SERVER"]
        about["capabilities"]["transports"].append("ws")
        return about


register(
    "false-capability",
    "says in hello that it has socket types CLIENT and SERVER and transport ws",
    server=_BoastfulServer,
)


class _ParentServer(Server):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        null = subprocess.DEVNULL
        subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(300)"],
            stdin=null,
            stdout=null,
            stderr=null,
            start_new_session=True,
            creationflags=flags,
        )


register("leave-child", "starts a process that survives it by five minutes", server=_ParentServer)


class _SwallowingServer(Server):
    def _handle(self, line: bytes | None) -> None:
        if line:
            try:
                parse(line, self.reply)
            except ProtocolError as error:
                if error.code == METHOD:
                    self.reply(error.identity, {"result": {}})
                    return
        super()._handle(line)


class _SwallowingLink(pyzmq.ZmqLink):
    def set(self, name: str, value: Any) -> None:
        with contextlib.suppress(PeerError):
            super().set(name, value)

    def get(self, name: str) -> Any:
        try:
            return super().get(name)
        except PeerError:
            return 0


register(
    "swallow",
    "accepts every option and every method, and does nothing with those it does not know",
    server=_SwallowingServer,
    link=_SwallowingLink,
)

_LEAKED: list[pyzmq.ZmqLink] = []


class _LeakingServer(Server):
    def counts(self, *, collect: bool = False) -> dict[str, Any]:
        counts = super().counts(collect=collect)
        counts["sockets"] += len(_LEAKED)
        return counts


class _LeakingLink(pyzmq.ZmqLink):
    def close(self) -> None:
        _LEAKED.append(self)


register("leak", "answers close and leaves the socket open", server=_LeakingServer, link=_LeakingLink)
