"""Peers of a few lines of Python, started as real processes in the place `local`; `start` in `conftest.py` does it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.peers.client import PeerClient
from harness.places.local import LocalPlace, LocalProcess
from tests.unit.helpers import script
from tests.waiting import gone, within

PRELUDE = """\
import json, os, sys, time
def requests():
    for line in sys.stdin:
        yield json.loads(line)
def write(line):
    sys.stdout.write(line + "\\n")
    sys.stdout.flush()
def answer(request, **result):
    write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}))
"""

ECHO = "for request in requests(): answer(request, method=request['method'], params=request['params'])"
SILENT = "for request in requests(): pass"

Start = Callable[..., PeerClient]


def ended(client: PeerClient) -> bool:
    """Whether the peer's process is gone, or goes within seconds."""
    return within(5, lambda: gone(client.pid))


@contextmanager
def running(folder: Path, code: str, place: LocalPlace | None = None) -> Iterator[LocalProcess]:
    """Start a program as a peer is started; nothing of it outlives the block."""
    process = (place or LocalPlace()).start(script(folder, code), folder, os.environ)
    try:
        yield process
    finally:
        process.kill()
        process.survivors()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
