"""The closed loop in C: the same ping-pong on libzmq without a peer, to know what a peer itself costs.

`lat.c` is built with the machine's C compiler and libzmq's development files, as the pebbe peer is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from harness.errors import SetupFault, Unsupported
from harness.host.affinity import pinned
from harness.peers import build
from harness.peers.manifest import Manifest

_HERE: Final = Path(__file__).resolve().parent
MANIFEST: Final = Manifest(
    name="lat",
    language="c",
    file=_HERE / "lat.c",
    build=("cc", "-O2", "-o", "{output}", "lat.c", "-lzmq"),
    sources=("lat.c",),
    toolchain=(("cc", "--version"),),
    run=("{output}",),
)
DEADLINE: Final = 60.0
"""Seconds for one block."""


def program(cache: Path) -> str:
    """Build the program; Unsupported without a C compiler and libzmq's development files."""
    if shutil.which("cc") is None:
        raise Unsupported("no C compiler `cc` on PATH")
    try:
        return build.command(MANIFEST, cache)[0]
    except SetupFault as fault:
        raise Unsupported(f"the closed loop in C does not build: {fault}") from None


def round_trip(program: str, count: int, size: int, warmup: int) -> float:
    """Run one block pinned to the core that peers are pinned to; returns the mean round trip in µs."""
    with pinned([os.getpid()]):  # what is started now takes after this process
        server = subprocess.Popen([program, "echo", str(count + warmup)], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        endpoint = server.stdout.readline().strip()
        words = [program, "ping", endpoint, str(count), str(size), str(warmup)]
        client = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        text, _ = client.communicate(timeout=DEADLINE)
    finally:
        for process in (client, server):
            process.kill()
            process.communicate()
    if client.returncode:
        raise SetupFault(f"{program} ping ended with exit code {client.returncode}")
    return float(text) / 1000
