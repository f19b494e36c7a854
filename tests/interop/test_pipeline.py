"""PUSH and PULL: 30/PIPELINE."""

from __future__ import annotations

import pytest

from harness.model.payloads import Payload
from harness.peers.sockets import Link, Peer
from tests.interop.steps import send_bursts


@pytest.mark.cells("push-pull")
def test_pull_gets_every_message_once_and_in_order(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    pusher, puller = link.open((left, "PUSH"), (right, "PULL"))
    sent = send_bursts(pusher, payload)
    assert puller.recv_all(len(sent)) == sent
