"""The two ends of the control channel: whole lines from stdin, whole lines to stdout.

Knows the length limit and nothing of JSON-RPC. Reads with ``os.read`` on the bare file descriptor: it
returns what is there, needs no buffering layer, and works alike on pipes of Windows and Linux.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Lock

LIMIT = 1_048_576  # bytes in a line, before its LF
_CHUNK = 65_536


def read(descriptor: int) -> Iterator[bytes | None]:
    """Yield each line without its end, and None once for each line that is too long, until end of file."""
    held = bytearray()
    discarding = False
    while chunk := os.read(descriptor, _CHUNK):
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if discarding:
                discarding = False
                continue
            if held:
                held += line
                line = bytes(held)
                held.clear()
            yield line if len(line) <= LIMIT else None
        if discarding:
            continue
        held += rest
        if len(held) > LIMIT:
            held.clear()
            discarding = True
            yield None


class Writer:
    """Writes whole lines to a file descriptor from any thread."""

    def __init__(self, descriptor: int) -> None:
        """Take the descriptor over."""
        self._descriptor = descriptor
        self._lock = Lock()

    def write(self, line: bytes) -> None:
        """Write one line (without its LF) in one go; raises ``OSError`` when nobody reads any more."""
        data = line + b"\n"
        with self._lock:
            while data := data[os.write(self._descriptor, data) :]:
                pass
