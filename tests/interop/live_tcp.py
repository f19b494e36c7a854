"""What the operating system knows of a peer's TCP connection, whatever the library says.

Linux only: the check borrows a copy of the peer's descriptor (pidfd_getfd(2)), which a parent or root may.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from typing import Final

import psutil

from harness.errors import Unsupported
from harness.peers.sockets import Peer, RemoteSocket, until

_PIDFD_GETFD: Final = 438
"""The system call's number, the same on every architecture (Linux 5.6)."""


def keepalive(bound: RemoteSocket, peer: Peer) -> tuple[int, int]:
    """Return SO_KEEPALIVE, and TCP_KEEPIDLE in seconds, of the peer's end of a connection to a bound socket."""
    if sys.platform != "linux" or peer.client.hello["os"] != "linux":
        raise Unsupported("only Linux lets a check look at the sockets of another process")
    with _borrow(peer.client.pid, _descriptor(bound, peer)) as live:
        return (
            live.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            live.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
        )


def _descriptor(bound: RemoteSocket, peer: Peer) -> int:
    """Find the descriptor of the peer's established connection to, or at, a bound socket's port."""
    port = int(bound.endpoint.rpartition(":")[2])
    process = psutil.Process(peer.client.pid)
    for _ in until(peer.wait_ms):
        for row in process.net_connections("tcp"):
            if row.status == psutil.CONN_ESTABLISHED and row.fd >= 0 and port in (row.laddr.port, row.raddr.port):
                return int(row.fd)
    raise AssertionError(f"{peer.implementation} shows no established connection with port {port}")


def _borrow(pid: int, descriptor: int) -> socket.socket:
    """Return a socket that shares the other process's descriptor."""
    if sys.platform != "linux":
        raise AssertionError
    handle = os.pidfd_open(pid)
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, handle, descriptor, 0)
    finally:
        os.close(handle)
    if copy < 0:
        raise Unsupported(f"this system does not lend a peer's socket: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=copy)
