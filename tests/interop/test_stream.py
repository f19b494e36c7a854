"""STREAM against plain TCP: zmq_socket(3)."""

from __future__ import annotations

import pytest

from harness.model.payloads import Payload
from harness.peers.sockets import Link, Peer
from tests.interop.steps import bytes_of


@pytest.mark.cells("stream-raw")
def test_stream_and_plain_tcp_exchange_the_same_bytes(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    stream, raw = link.open((left, "STREAM"), (right, "RAW"))
    forth = b"".join(map(bytes_of, payload.body(0))) + b"."
    back = b"".join(map(bytes_of, payload.body(1))) + b"!"
    # STREAM announces a connection with its routing id and an empty frame.
    identity, nothing = stream.recv()
    assert nothing == ""
    raw.send(forth)
    came = b""
    while len(came) < len(forth):
        sender, chunk = stream.recv(inline=len(forth) + 1)
        assert sender == identity
        came += bytes_of(chunk)
    assert came == forth
    stream.send(identity, back)
    assert raw.recv_bytes(len(back)) == back
