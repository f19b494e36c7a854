"""The network between peers: what it does to a stream, and that it ends with whoever started it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from harness.places import toxiproxy
from harness.places.ports import reserved
from harness.places.toxiproxy import Network

DEADLINE = 30.0


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE)
        yield listener


def address(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return host, int(port)


@contextlib.contextmanager
def connection(network: Network, server: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_connection(address(network.endpoint), DEADLINE) as client:
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(DEADLINE)
            yield client, accepted


def test_bytes_pass_and_a_cut_ends_connections_until_it_is_healed(server: socket.socket) -> None:
    host, port = server.getsockname()
    with toxiproxy.running().before(f"tcp://{host}:{port}") as network:
        for _ in range(2):
            with connection(network, server) as (client, accepted):
                client.sendall(b"forth")
                assert accepted.recv(5, socket.MSG_WAITALL) == b"forth"
                network.cut()
                assert client.recv(1) == b""
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(address(network.endpoint), DEADLINE)
            network.heal()


def test_a_toxic_acts_until_it_is_healed(server: socket.socket) -> None:
    host, port = server.getsockname()
    with toxiproxy.running().before(f"tcp://{host}:{port}") as network:
        network.add("limit_data", bytes=3)
        with connection(network, server) as (client, accepted):
            client.sendall(b"too much")
            assert accepted.recv(9, socket.MSG_WAITALL) == b"too"
        network.heal()
        with connection(network, server) as (client, accepted):
            client.sendall(b"enough")
            assert accepted.recv(6, socket.MSG_WAITALL) == b"enough"


def test_a_reserved_port_refuses_connections_and_takes_a_listener() -> None:
    with reserved() as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), DEADLINE)
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port), DEADLINE).close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL; the guard's stdin ends all the same")
def test_it_ends_with_a_harness_that_is_killed() -> None:
    toxiproxy.running()  # it is built by now
    code = (
        "import sys; from harness.places import toxiproxy; print(toxiproxy.running().pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as harness:
        assert harness.stdout is not None
        pid = int(harness.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(harness.pid, signal.SIGKILL)
    end = time.monotonic() + DEADLINE
    while psutil.pid_exists(pid):
        assert time.monotonic() < end, "Toxiproxy outlived its harness"
        time.sleep(0.01)
