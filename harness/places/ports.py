"""Ports that a cell needs twice: for a listener that goes and comes back, or for one that comes later than its client.

Nobody picks a port, and a port that was merely free a moment ago belongs to whoever asks next. A reserved one is the
operating system's choice too, and is kept by a socket that never listens: whoever connects is refused, the system gives
it to nobody else, and a listener that sets SO_REUSEADDR (as libzmq's and Go's do) may have it.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved(host: str = "127.0.0.1") -> Iterator[int]:
    """Yield a port on a loopback address where nobody listens, and which stays free for a listener.

    On Windows SO_REUSEADDR means something else; there the port is only one that was free a moment ago.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as holder:
        if sys.platform == "win32":
            holder.bind((host, 0))
            port = holder.getsockname()[1]
            holder.close()
        else:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind((host, 0))
            port = holder.getsockname()[1]
        yield port
