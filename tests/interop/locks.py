"""Secured servers: PLAIN (24/ZMTP-PLAIN), CURVE (25/ZMTP-CURVE) and who gets in, by ZAP (27/ZAP)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.model.matrix import Cell
from harness.peers.sockets import OptionValue, Peer, RemoteSocket

Options = Mapping[str, OptionValue]

DOMAIN: Final = "house"
TICKET: Final[Options] = {"PLAIN_USERNAME": "admin", "PLAIN_PASSWORD": "right"}


@dataclass(frozen=True, slots=True)
class Lock:
    """How a server is secured: its options and its context, and what gets a friend in."""

    context: str | None
    server: Options
    friend: Options


def plain(server: Peer, cell: Cell) -> Lock:
    """Secure a server with PLAIN: by a ZAP handler, or by the library's own means where it has no ZAP."""
    server.need("mechanisms", "PLAIN")
    if not server.can("features", "zap"):
        return Lock(None, {"PLAIN_SERVER": 1, **TICKET}, TICKET)
    users = {str(TICKET["PLAIN_USERNAME"]): TICKET["PLAIN_PASSWORD"]}
    server.start_zap(cell.id, domain=DOMAIN, plain=users)
    return Lock(cell.id, {"PLAIN_SERVER": 1, "ZAP_DOMAIN": DOMAIN}, TICKET)


def curve(server: Peer, friend: Peer, cell: Cell) -> Lock:
    """Secure a server with CURVE and a ZAP handler that knows the friend's public key."""
    server.need("mechanisms", "CURVE")
    friend.need("mechanisms", "CURVE")
    server.need("features", "zap")
    public, secret = server.keypair()
    mine, my_secret = friend.keypair()
    server.start_zap(cell.id, domain=DOMAIN, curve=[mine])
    return Lock(
        cell.id,
        {"CURVE_SERVER": 1, "CURVE_SECRETKEY": secret, "ZAP_DOMAIN": DOMAIN},
        {"CURVE_SERVERKEY": public, "CURVE_PUBLICKEY": mine, "CURVE_SECRETKEY": my_secret},
    )


def event_of(socket: RemoteSocket, *kinds: str) -> tuple[str, int]:
    """Wait for an event whose name begins with one of these words; returns its name and value.

    A refused client tries again and again, so the whole wait is bounded and not each event's.
    """
    end = time.perf_counter() + socket.peer.wait_ms / 1000
    while True:
        name, _, value = socket.next_event(timeout=max(0.0, end - time.perf_counter()) * 1000)
        if name.startswith(kinds):
            return name, value
