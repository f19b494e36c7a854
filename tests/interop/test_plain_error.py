"""How a PLAIN server says no, byte by byte: 23/ZMTP's ERROR command. The other end is the check's own, of plain TCP."""

from __future__ import annotations

import socket
from typing import Final

import pytest

from harness.errors import CallFailed
from harness.model.matrix import Cell
from harness.peers.sockets import Link, Peer
from tests.interop.locks import TICKET, event_of, plain

ERROR: Final = b"\x05ERROR\x03400"
"""23/ZMTP: error = command-size %d5 "ERROR" error-reason, and libzmq's reason: ZAP's status code."""


def greeting(as_server: bool) -> bytes:
    """Make the greeting of ZMTP 3.0 with mechanism PLAIN."""
    return b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"PLAIN".ljust(20, b"\0") + bytes([as_server]) + bytes(31)


def command(body: bytes) -> bytes:
    """Frame a short command."""
    return bytes([4, len(body)]) + body


def read(wire: socket.socket, size: int) -> bytes:
    """Read exactly that many bytes; libzmq sends its greeting in two parts."""
    came = b""
    while len(came) < size:
        chunk = wire.recv(size - len(came))
        assert chunk, f"the connection ended after {came!r}"
        came += chunk
    return came


def read_command(wire: socket.socket) -> bytes:
    """Read a short command."""
    flags, size = read(wire, 2)
    assert flags == 4, f"a command was expected, and a frame with flags {flags} came"
    return read(wire, size)


@pytest.mark.scenario("plain-says-error", "push-pull", pairs="same", binds=("right-binds",))
def test_a_plain_server_refuses_with_the_error_command(right: Peer, link: Link, cell: Cell) -> None:
    # 24/ZMTP-PLAIN: "S:error" is 23/ZMTP's ERROR.
    right.need("features", "zap")
    lock = plain(right, cell)
    server = right.socket("PULL", bind=link.transport.wildcard, context=lock.context, options=lock.server)
    port = int(server.endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), right.client.patience) as wire:
        wire.sendall(greeting(False))
        read(wire, len(greeting(False)))
        wire.sendall(command(b"\x05HELLO\x05admin\x05wrong"))
        assert read_command(wire) == ERROR


@pytest.mark.scenario("plain-hears-error", "push-pull", pairs="same", binds=("right-binds",))
def test_a_plain_client_understands_the_error_command(left: Peer) -> None:
    left.need("mechanisms", "PLAIN")
    watched = left.can("features", "monitor")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(left.client.patience)
        client = left.socket("PUSH", options=TICKET)
        if watched:
            client.monitor()
        connecting = client.connect_later(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        wire, _ = listener.accept()
        with wire:
            wire.settimeout(left.client.patience)
            wire.sendall(greeting(True))
            read(wire, len(greeting(False)))
            assert read_command(wire) == b"\x05HELLO\x05admin\x05right"
            wire.sendall(command(ERROR))
            if not watched:
                with pytest.raises(CallFailed, match="WELCOME"):
                    connecting.result()
                return
            name, value = event_of(client, "HANDSHAKE")
    assert (name, value) == ("HANDSHAKE_FAILED_AUTH", 400), f"of the refusal the client made {name} {value:#x}"
