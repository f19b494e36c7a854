"""The pool: peers are started once per worker and slot, and used by many cells.

A slot tells apart processes of the same implementation, so that left and right are two processes even where both
are the same library. A peer enters the pool only after its hello was read and a self-probe showed that it says
`unsupported` to features that nobody has; it leaves the pool when it is broken, or when a cell left something open
in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from harness.errors import CallFailed, ContractBreach, PeerFault, SetupFault, Unbuildable
from harness.peers import build
from harness.peers.client import CONTRACT_VERSION, PATIENCE, PeerClient
from harness.peers.manifest import Manifest
from harness.peers.sockets import Peer
from harness.places.face import Foreign, Place
from harness.places.quarters import Quarters, Room
from harness.places.routes import Route

START_DEADLINE: Final = 60.0
"""Seconds to the first hello; a cold disk and a busy machine need some."""

_HELLO_KEYS: Final = {
    "implementation": str,
    "version": str,
    "library": str,
    "runtime": str,
    "os": str,
    "arch": str,
    "pid": int,
    "workdir": str,
    "capabilities": dict,
}

_MADE_UP: Final = "MADE_UP_FEATURE"


class Pool:
    """The peers of one worker."""

    def __init__(
        self, manifests: Mapping[str, Manifest], place: Place, cache: Path, patience: float = PATIENCE
    ) -> None:
        self.manifests = dict(manifests)
        self.quarters = Quarters(place)
        self._cache = cache
        self.patience = patience
        self._commands: dict[str, list[str]] = {}
        self._peers: dict[tuple[str, str, str], Peer] = {}

    def peer(self, name: str, slot: str, places: str = "") -> Peer:
        """Return the running peer of this slot, starting it if need be; `places` as in `start`."""
        peer = self._peers.get((name, slot, places))
        if peer is None:
            peer = self._peers[name, slot, places] = self.start(name, slot=slot, places=places)
        return peer

    def start(self, name: str, env: Mapping[str, str] | None = None, *, slot: str = "left", places: str = "") -> Peer:
        """Build, start and probe a peer that the pool does not keep; the caller ends it with `client.stop()`.

        `env` is added to the environment that its manifest gives it. `places` names where both sides of a cell run, and
        `slot` says which of them this peer plays.
        """
        return self._start(name, env or {}, self.quarters.room(places, slot))

    def start_in(self, place: Place, name: str) -> Peer:
        """Start a peer as `start` does, in a place of the caller's own."""
        return self._start(name, {}, Room(place, Route()))

    def _start(self, name: str, env: Mapping[str, str], room: Room) -> Peer:
        manifest = room.place.adapt(self.manifests[name])
        command = self._command(manifest)
        try:
            process = room.place.start(command, manifest.here, {**build.environment(manifest), **env})
        except OSError as error:
            raise SetupFault(f"{manifest.file}: key 'run': {command[0]} does not start: {error.strerror}") from None
        client = PeerClient(name, process, self.patience)
        try:
            client.hello = client.call("hello", wait=START_DEADLINE)
            _check_hello(client)
            if isinstance(room.place, Foreign):
                client.hello["workdir"] = str(room.place.path(client.hello["workdir"]))
            _probe(client)
        except PeerFault as fault:
            tail = client.log_tail(5)
            client.kill()
            fault.args = (f"{fault.args[0]}{f'; its stderr: {tail}' if tail else ''}",)
            raise
        except BaseException:
            client.kill()
            raise
        peer = Peer(client)
        peer.place, peer.route = room.place, room.route
        return peer

    def _command(self, manifest: Manifest) -> list[str]:
        if manifest.name not in self._commands:
            try:
                self._commands[manifest.name] = build.command(manifest, self._cache)
            except SetupFault as fault:
                raise Unbuildable(str(fault)) from None
        return self._commands[manifest.name]

    def discard(self, peer: Peer) -> None:
        """Kill a peer that can no longer be trusted; the next cell gets a new one."""
        for key, kept in list(self._peers.items()):
            if kept is peer:
                del self._peers[key]
        peer.client.kill()

    def running(self) -> list[Peer]:
        """Return the peers that the pool keeps now."""
        return list(self._peers.values())

    def close(self) -> list[str]:
        """Stop every peer politely and leave its place; returns what they did wrong at the end, one line each."""
        peers, self._peers = list(self._peers.values()), {}
        for peer in peers:
            peer.client.hang_up()
        try:
            return [wrong for peer in peers for wrong in peer.client.stop()]
        finally:
            self.quarters.close()


def _check_hello(client: PeerClient) -> None:
    hello: dict[str, Any] = client.hello
    if hello.get("contract") != CONTRACT_VERSION:
        raise SetupFault(
            f"{client.name}: speaks contract {hello.get('contract')!r}, this harness speaks {CONTRACT_VERSION}; "
            "update one of them"
        )
    for key, kind in _HELLO_KEYS.items():
        if not isinstance(hello.get(key), kind):
            raise ContractBreach(f"{client.name}: hello: {key!r} must be a {kind.__name__}, not {hello.get(key)!r:.40}")
    for kind_of, names in hello["capabilities"].items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ContractBreach(f"{client.name}: hello: capabilities.{kind_of} must be a list of names")
    if not hello["capabilities"].get("socket_types"):
        raise ContractBreach(f"{client.name}: hello: capabilities.socket_types must name at least one socket type")


def _probe(client: PeerClient) -> None:
    """Ask for things that do not exist. A peer that agrees to everything can't be believed in anything."""
    for method, params in (
        ("open", {"type": _MADE_UP}),
        ("open", {"type": client.hello["capabilities"]["socket_types"][0], "options": {_MADE_UP: 1}}),
        ("open", {"type": client.hello["capabilities"]["socket_types"][0], "bind": ["made-up://x"]}),
        (_MADE_UP, {}),
    ):
        try:
            client.call(method, params, wait=START_DEADLINE)
        except CallFailed as error:
            if error.name == "unsupported" or (method == _MADE_UP and error.code == -32601):
                continue
            raise ContractBreach(
                f"{client.name}: self-probe: {method} {params} must be unsupported, it answered "
                f"{error.name or error.code}"
            ) from None
        raise ContractBreach(f"{client.name}: self-probe: the peer agreed to {method} {params}, which does not exist")
