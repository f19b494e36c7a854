"""What a server asks before it lets a client in: 27/ZAP, word by word. Here the check itself is the handler."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import pytest
from zmq.utils import z85

from harness.errors import CallFailed
from harness.model.frames import Frame
from harness.model.matrix import Cell
from harness.peers.client import PendingCall
from harness.peers.sockets import Link, Peer, RemoteSocket
from tests.interop.locks import DOMAIN, TICKET, Options
from tests.interop.steps import bytes_of

ENDPOINT: Final = "inproc://zeromq.zap.01"
"""Where a server looks for its handler, in its own context."""


class House:
    """A secured PULL, and the handler that it asks about each client."""

    def __init__(self, server: Peer, link: Link, context: str, options: Options) -> None:
        server.need("features", "zap")
        self._handler = server.socket("REP", bind=ENDPOINT, context=context)
        self.door = server.socket(
            "PULL", bind=link.transport.wildcard, context=context, options={"ZAP_DOMAIN": DOMAIN, **options}
        )

    def asked(self, status: str) -> list[Frame]:
        """Wait until the server asks about a client, and answer; returns mechanism and credentials that it showed."""
        try:
            version, request, domain, address, _, *shown = self._handler.recv(inline=256)
        except CallFailed as error:
            raise AssertionError(f"the server does not ask its handler: {error}") from error
        assert [version, domain, address] == ["1.0", DOMAIN, "127.0.0.1"]
        words = {"200": "OK", "400": "not you"}
        self._handler.send("1.0", request, status, words[status], "somebody", "")
        return shown

    def visited(self, client: Peer, options: Options) -> tuple[RemoteSocket, PendingCall]:
        """Have a client knock; the server's question comes before its connect may return."""
        visitor = client.socket("PUSH", options={**options})
        return visitor, visitor.connect_later(self.door.endpoint)


def admits_and_refuses(house: House, client: Peer, ticket: Options, shown: list[bytes]) -> None:
    """See that the handler's word decides: of two clients with the same credentials it lets in the first."""
    friend, connecting = house.visited(client, ticket)
    assert [bytes_of(part) for part in house.asked("200")] == shown
    connecting.result()
    friend.send("before")
    assert house.door.recv() == ["before"]
    stranger, connecting = house.visited(client, ticket)
    sending = stranger.send_later([["from a stranger"]], timeout=50)
    assert [bytes_of(part) for part in house.asked("400")] == shown
    for call in (connecting, sending):
        with suppress(CallFailed):
            call.result()
    friend.send("after")
    assert house.door.recv() == ["after"], "the friend's message comes next, and nothing of the stranger's"
    with pytest.raises(CallFailed, match="timeout"):
        house.door.recv(timeout=20)
    # A refused client tries again, and the server asks again: nobody leaves a question open.
    stranger.close()
    house.door.close()


@pytest.mark.scenario("zap-null", "push-pull", binds=("right-binds",))
def test_a_null_client_gets_in_if_zap_says_so(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 27/ZAP: "NULL … there are no credentials"; the handler may decide by address and identity.
    admits_and_refuses(House(right, link, cell.id, {}), left, {}, [b"NULL"])


@pytest.mark.scenario("zap-plain", "push-pull", binds=("right-binds",))
def test_zap_is_shown_the_name_and_password_of_a_plain_client(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 27/ZAP: for PLAIN, "two credentials frames: a username and a password".
    left.need("mechanisms", "PLAIN")
    house = House(right, link, cell.id, {"PLAIN_SERVER": 1})
    admits_and_refuses(house, left, TICKET, [b"PLAIN", b"admin", b"right"])


@pytest.mark.scenario("zap-curve", "push-pull", binds=("right-binds",))
def test_zap_is_shown_the_key_of_a_curve_client(left: Peer, right: Peer, link: Link, cell: Cell) -> None:
    # 27/ZAP: for CURVE, "a single credential frame: the client's long term public key", 32 bytes.
    left.need("mechanisms", "CURVE")
    public, secret = right.keypair()
    mine, my_secret = left.keypair()
    house = House(right, link, cell.id, {"CURVE_SERVER": 1, "CURVE_SECRETKEY": secret})
    ticket: Options = {"CURVE_SERVERKEY": public, "CURVE_PUBLICKEY": mine, "CURVE_SECRETKEY": my_secret}
    admits_and_refuses(house, left, ticket, [b"CURVE", z85.decode(mine)])
