"""What a peer does not list is not asked of it."""

from __future__ import annotations

import pytest

from tests.contract.wire import RawPeer


def need(peer: RawPeer, kind: str, *names: str) -> None:
    """Skip the test unless the peer lists all these names."""
    for name in names:
        if name not in peer.capabilities[kind]:
            pytest.skip(f"{peer.name} lists no {name} among its {kind}")


def pipeline(peer: RawPeer) -> tuple[int, int]:
    """Return a PUSH and a PULL that are joined."""
    need(peer, "socket_types", "PUSH", "PULL")
    need(peer, "transports", "tcp")
    puller, pusher = peer.joined("PULL", "PUSH")
    return pusher, puller


def pair(peer: RawPeer) -> tuple[int, int]:
    """Return two joined sockets that both send and receive."""
    kind = next((name for name in ("PAIR", "DEALER") if name in peer.capabilities["socket_types"]), None)
    if kind is None:
        pytest.skip(f"{peer.name} lists neither PAIR nor DEALER")
    need(peer, "transports", "tcp")
    return peer.joined(kind, kind)
