"""libzmq's draft socket types: in the table, `unsupported` until a peer announces them."""

from __future__ import annotations

import pytest

from harness.model.patterns import Pattern
from harness.model.payloads import Payload
from harness.peers.sockets import Link, Peer


@pytest.mark.cells("client-server", "radio-dish", "scatter-gather", "peer-peer", "channel-channel")
def test_a_draft_type_delivers_a_message(
    left: Peer, right: Peer, link: Link, payload: Payload, pattern: Pattern
) -> None:
    if pattern.right == "DISH":
        right.need("features", "groups")
    sender, receiver = link.open((left, pattern.left), (right, pattern.right))
    # Draft types are single-frame (41/CLISRV and its siblings).
    body = payload.body(0)[:1]
    sender.send(*body)
    assert receiver.recv()[-1:] == body
