"""Context switches of processes, read from outside.

A peer's `stats` tells them too, but answering is work of the peer: beside a probe it would count itself.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil


def switches(pids: Iterable[int]) -> tuple[int, int]:
    """Return the voluntary and involuntary switches of these processes since they started, over threads that live."""
    voluntary = involuntary = 0
    for pid in pids:
        if sys.platform == "linux":
            # psutil reads /proc/PID/status here, which counts the main thread alone.
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    told = dict(
                        line.split(":", 1) for line in (task / "status").read_text("ascii", "replace").splitlines()
                    )
                    voluntary += int(told["voluntary_ctxt_switches"])
                    involuntary += int(told["nonvoluntary_ctxt_switches"])
        else:
            counted = psutil.Process(pid).num_ctx_switches()
            voluntary += counted.voluntary
            involuntary += counted.involuntary
    return voluntary, involuntary
