"""Peers in memory: the harness's own sockets and pool over a control channel that is a Python function."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import PeerFault
from harness.peers.client import PeerClient, PendingCall
from harness.peers.pool import Pool
from harness.peers.sockets import Peer
from harness.places.local import LocalPlace
from tests.unit.helpers import python_manifest

Answer = dict[str, Any] | PeerFault
Handler = Callable[[dict[str, Any]], Answer]


class MemoryClient(PeerClient):
    """A control channel without a process. `handlers` answer or fail a method in place of what it usually does."""

    def __init__(self, name: str, handlers: Mapping[str, Handler]) -> None:
        self.name = name
        self.patience = 0.1
        self.grace = 0.2
        self.broken = None
        self.killed = False
        self._ended = False
        self.handlers = handlers
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.open: set[int] = set()
        self._log = deque([f"{name} says hello"])
        self.hello = {
            "version": f"{name}-1.0",
            "library": "memory",
            "runtime": "none",
            "os": "any",
            "arch": "any",
            "capabilities": {"socket_types": ["PUSH", "PULL"], "transports": ["tcp", "inproc"]},
        }

    def start(self, method: str, params: dict[str, Any] | None = None, *, wait: float = 0.0) -> PendingCall:
        """Answer at once."""
        if self.broken is not None:
            raise self.broken
        self.asked.append((method, params or {}))
        pending = PendingCall(self, method, len(self.asked), 1.0)
        handler = self.handlers.get(method) or getattr(self, f"_{method}")
        answer = handler(params or {})
        if isinstance(answer, PeerFault) and answer.verdict in ("crash", "hang"):
            self.broken = answer
        pending.answer(answer)
        return pending

    def kill(self) -> None:
        """Note that the peer was thrown away."""
        self.killed = True

    def _open(self, params: dict[str, Any]) -> Answer:
        handle = len(self.asked)
        self.open.add(handle)
        endpoints = [*params.get("bind", []), *params.get("connect", [])]
        return {"result": {"socket": handle, "endpoints": endpoints}}

    def _close(self, params: dict[str, Any]) -> Answer:
        self.open.discard(params["socket"])
        return {"result": {}}

    def _stats(self, params: dict[str, Any]) -> Answer:
        return {"result": {"sockets": len(self.open), "contexts": len(self.open)}}


class MemoryPool(Pool):
    """A pool whose peers live in memory; `handlers` belong to the peers of one name."""

    def __init__(self, *names: str, handlers: Mapping[str, Mapping[str, Handler]] | None = None) -> None:
        manifests = {name: python_manifest(Path(), name=name) for name in names or ("one", "two")}
        super().__init__(manifests, LocalPlace(), Path("nowhere"))
        self.handlers = handlers or {}
        self.started: list[MemoryClient] = []

    def start(self, name: str, env: Mapping[str, str] | None = None, *, slot: str = "left", places: str = "") -> Peer:
        """Make a peer."""
        client = MemoryClient(name, self.handlers.get(name, {}))
        self.started.append(client)
        return Peer(client)


def failing(fault: PeerFault) -> Handler:
    """Return a handler that answers with a fault."""
    return lambda params: fault


def error(code: int, **data: Any) -> Handler:
    """Return a handler that answers with an error of the contract."""
    return lambda params: {"error": {"code": code, "message": "no", "data": data}}
