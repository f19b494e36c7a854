"""How endpoints are spelled for a peer that runs elsewhere, and back.

A check binds to loopback, as `tcp://127.0.0.1:*`, and knows nothing of places. Between two networks that is spelled as
the place's own address when a peer binds; what it answers is the endpoint that its partner reaches. An endpoint with a
port that the check has chosen (a listener that comes back) stays the check's own on the way back, and stands for the
real one wherever a peer connects to it. What listens on this machine's loopback itself (a server of the check's, a
recorder, Toxiproxy) is reached from elsewhere through a relay on the gateway's address. Where both places have one
network, nothing is changed at all.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from harness.errors import SetupFault
from harness.places.face import LOCAL, LOOPBACK, Family, Place
from harness.wire.recorder import Recorder

_LISTENING: Final = "0A"


def split(endpoint: str) -> tuple[str, str, str] | None:
    """Return transport, host as it is spelled, and port; None for what has no host and port."""
    transport, _, rest = endpoint.partition("://")
    host, colon, port = rest.rpartition(":")
    return (transport, host, port) if transport in ("tcp", "ws") and colon and host else None


def joined(transport: str, host: str, port: int | str) -> str:
    """Spell an endpoint; an IPv6 address gets its brackets."""
    return f"{transport}://[{host}]:{port}" if ":" in host else f"{transport}://{host}:{port}"


def _loopback(host: str) -> Family | None:
    """Return the family of a loopback address, with or without brackets; None for any other."""
    return next((family for family, one in LOOPBACK.items() if host.strip("[]") == one), None)


@dataclass(slots=True)
class Book:
    """What two routes know of each other: where what a check has named really is, and who relays."""

    real: dict[str, str] = field(default_factory=dict)
    relays: dict[tuple[str, str], Recorder] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything, and end the relays; SetupFault if one had failed, for which no peer is to blame."""
        self.real.clear()
        relays, self.relays = list(self.relays.values()), {}
        notes = [note for relay in relays for note in relay.stop().notes]
        if notes:
            raise SetupFault(f"a relay on the gateway's address failed ({'; '.join(notes)}): run the last cell again")


class Route:
    """Between a peer's place and its partner's. Without places (or in one network) everything stands for itself."""

    def __init__(self, here: Place | None = None, partner: Place | None = None, book: Book | None = None) -> None:
        self._here = here
        self._partner = partner
        self._book = book or Book()
        self._shown: dict[str, str] = {}
        self._inside: dict[str, str] = {}
        self._straight = here is None or partner is None or here.network == partner.network == LOCAL

    def inside(self, endpoint: str) -> str:
        """Return what the peer binds, or unbinds, for what the check names."""
        if self._straight:
            return endpoint
        if endpoint in self._inside:
            return self._inside[endpoint]
        parts = split(endpoint)
        if parts is None or (family := _loopback(parts[1])) is None or (own := self._own(family)) == LOOPBACK[family]:
            return endpoint
        transport, _, port = parts
        bound = joined(transport, own, port)
        if port.isdecimal() and int(port):
            self._inside[endpoint] = bound
            self._shown[bound] = endpoint
            self._book.real[endpoint] = self._outward(bound)
        return bound

    def outside(self, endpoint: str) -> str:
        """Return what the check is told of an endpoint that the peer has bound."""
        if self._straight:
            return endpoint
        if endpoint not in self._shown:
            outward = self._outward(endpoint)
            self._shown[endpoint] = outward
            self._inside[outward] = endpoint
        return self._shown[endpoint]

    def resolve(self, endpoint: str) -> str:
        """Return where what the check names really listens, as this machine reaches it."""
        if self._straight:
            return endpoint
        if endpoint in self._book.real:
            return self._book.real[endpoint]
        parts = split(endpoint)
        if parts is None or (family := _loopback(parts[1])) is None or not parts[2].isdecimal():
            return endpoint
        if self._partner is None or self._partner.network == LOCAL or _listens_here(int(parts[2])):
            return endpoint
        # Who will listen is not there yet, and it will be the partner.
        return joined(parts[0], *self._partner.outward(self._partner.address(family), int(parts[2])))

    def reach(self, endpoint: str) -> str:
        """Return how the peer itself reaches what this machine reaches at an endpoint: by a relay, on loopback."""
        if self._straight or self._here is None or self._here.network == LOCAL:
            return endpoint
        parts = split(endpoint)
        if parts is None or (family := _loopback(parts[1])) is None or not parts[2].isdecimal():
            return endpoint
        gateway = self._here.gateway(family)
        if gateway == LOOPBACK[family]:
            return endpoint
        if not 0 < int(parts[2]) < 65_536:
            return joined(parts[0], gateway, parts[2])
        if not _listens_here(int(parts[2])) and self._partner is not None and self._partner.network == LOCAL:
            return joined(parts[0], gateway, parts[2])  # the partner binds there, later
        key = (gateway, endpoint.replace("ws://", "tcp://"))
        if key not in self._book.relays:
            self._book.relays[key] = Recorder(key[1], keep=0, before=gateway)
            self._book.relays[key].informed = False
        self._book.relays[key].expect()
        return self._book.relays[key].endpoint.replace("tcp", parts[0], 1)

    def unreach(self, endpoint: str) -> str:
        """Return what this machine reaches at the endpoint that the peer was given for it."""
        for relay in self._book.relays.values():
            if relay.endpoint == endpoint:
                return relay.recording.endpoint
        return endpoint

    def back(self, endpoint: str) -> str:
        """Return the check's name for an endpoint, whoever listens there."""
        if self._straight:
            return endpoint
        return self._shown.get(endpoint) or next(
            (name for name, real in self._book.real.items() if real == endpoint), endpoint
        )

    def forget(self) -> None:
        """Forget what the last check named."""
        self._shown.clear()
        self._inside.clear()
        self._book.clear()

    def _own(self, family: Family) -> str:
        """Return the address that a listener here binds so that its partner reaches it."""
        assert self._here is not None
        assert self._partner is not None
        if self._here.network == LOCAL:
            return self._partner.gateway(family)
        return self._here.address(family)

    def _outward(self, endpoint: str) -> str:
        parts = split(endpoint)
        if parts is None or not parts[2].isdecimal() or self._here is None:
            return endpoint
        host, port = self._here.outward(parts[1].strip("[]"), int(parts[2]))
        return endpoint if (host, port) == (parts[1].strip("[]"), int(parts[2])) else joined(parts[0], host, port)


def _listens_here(port: int) -> bool:
    """Whether somebody listens on this port of this machine's loopback."""
    return port in set(_listening())


def _listening() -> Iterator[int]:
    if sys.platform != "linux":
        with contextlib.suppress(psutil.Error):
            found = psutil.net_connections("tcp")
            yield from (one.laddr.port for one in found if one.laddr and one.status == psutil.CONN_LISTEN)
        return
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{name}").read_text("ascii").splitlines()[1:]:
                _, local, _, state = line.split()[:4]
                if state == _LISTENING:
                    yield int(local.rpartition(":")[2], 16)
