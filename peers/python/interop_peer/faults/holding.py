"""Peers that hold others up, or hold on to what they should let go."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Any

from ..calls import Call
from ..drivers import pyzmq
from ..frames import Message
from ..server import Server
from .altering import AlteringLink
from .registry import register

_GREETING = 64  # bytes of a ZMTP greeting
_HANG = 30.0  # s


class _ImpatientServer(Server):
    def dispatch(self, call: Call) -> None:
        if call.method in ("send", "recv"):
            call.params.setdefault("timeout", 50)
        super().dispatch(call)


register("impatient", "ends a send or recv without timeout after 50 ms", server=_ImpatientServer)


class _HangingServer(Server):
    def dispatch(self, call: Call) -> None:
        if call.method == "connect":
            host, port = call.params["endpoint"].removeprefix("tcp://").rsplit(":", 1)
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), _HANG) as probe:
                probe.recv(1)
        super().dispatch(call)


register("connect-holds-all", "does nothing else until a listener has begun its greeting", server=_HangingServer)


class _SerialLink(pyzmq.ZmqLink):
    """Listens in front of the library, and lets in one client after the other."""

    def __init__(self, *arguments: Any) -> None:
        self._fronts: list[socket.socket] = []
        super().__init__(*arguments)

    def bind(self, endpoint: str) -> str:
        inner = super().bind(endpoint)
        if not inner.startswith("tcp://127"):
            return inner
        front = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._fronts.append(front)
        port = int(inner.rsplit(":", 1)[1])
        threading.Thread(target=self._accept, args=(front, port), daemon=True).start()
        return f"tcp://127.0.0.1:{front.getsockname()[1]}"

    def _accept(self, front: socket.socket, port: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = front.accept()[0]
                server = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=_back, args=(server, client), daemon=True).start()
                came = 0
                while came <= _GREETING and (data := client.recv(4096)):  # the handshake, and who is next must wait
                    server.sendall(data)
                    came += len(data)
                threading.Thread(target=_back, args=(client, server), daemon=True).start()

    def close(self) -> None:
        for front in self._fronts:
            with contextlib.suppress(OSError):
                front.shutdown(socket.SHUT_RDWR)
            front.close()
        super().close()


def _back(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while select.select([source], [], [], _HANG)[0] and (data := source.recv(65_536)):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


register("serial-handshakes", "lets a client in only when the one before has ended its handshake", link=_SerialLink)


class _HoardingLink(AlteringLink):
    def __init__(self, *arguments: Any) -> None:
        self._hoard: list[bytes] = []
        super().__init__(*arguments)

    def sent(self, message: Message) -> None:
        self._hoard.append(b"".join(map(bytes, message)) + b"\0")  # a copy


register("hoard", "keeps a copy of every message that a workload sends", link=_HoardingLink)


class _WaitingRouterLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.kind == "ROUTER":
            self.set("ROUTER_MANDATORY", 1)


register("router-waits", "lets ROUTER wait for a peer whose queue is full instead of dropping", link=_WaitingRouterLink)
