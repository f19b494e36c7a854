"""Two ROUTERs that know each other's identity: 28/REQREP."""

from __future__ import annotations

import pytest

from harness.errors import CallFailed
from harness.model.payloads import Payload
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket, until
from tests.interop.steps import send_bursts


def options(peer: Peer, identity: str) -> dict[str, OptionValue]:
    mandatory: dict[str, OptionValue] = {"ROUTER_MANDATORY": 1} if peer.can("options", "ROUTER_MANDATORY") else {}
    return {"ROUTING_ID": identity, **mandatory}


def greet(router: RemoteSocket, identity: str) -> None:
    """Send a first message as soon as the other's identity is known; until then a ROUTER has no route."""
    for _ in until(router.peer.wait_ms):
        try:
            router.send(identity, "first")
            return
        except CallFailed as error:
            if error.name != "unroutable":
                raise
    raise AssertionError(f"{router} still has no route to {identity!r} after {router.peer.wait_ms:g} ms")


@pytest.mark.cells("router-router")
def test_routers_address_each_other_by_identity(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    one, other = link.open((left, "ROUTER", options(left, "left")), (right, "ROUTER", options(right, "right")))
    # The connecting side speaks first: by then its peer's READY, with the identity, has come or is on its way.
    first, second, name, back = (other, one, "right", "left") if link.left_binds else (one, other, "left", "right")
    greet(first, back)
    assert second.recv() == [name, "first"]
    sent = send_bursts(second, payload, name)
    assert first.recv_all(len(sent)) == [[back, *body] for body in sent]
    sent = send_bursts(first, payload, back)
    assert second.recv_all(len(sent)) == [[name, *body] for body in sent]
