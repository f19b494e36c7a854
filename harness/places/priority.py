"""The priority class of a process, with all its threads. Ends with the process; nothing of the machine is changed."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

import psutil

from harness.errors import Unsupported

_NICE: Final = -5


def raise_priority(pid: int) -> None:
    """Give a process a high priority class: nice -5, or HIGH_PRIORITY_CLASS. Unsupported where that is not allowed."""
    try:
        if sys.platform == "win32":
            psutil.Process(pid).nice(psutil.HIGH_PRIORITY_CLASS)
        elif sys.platform == "linux":
            # Here each thread has a nice value of its own; new ones take after the one that made them.
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.setpriority(os.PRIO_PROCESS, int(task.name), _NICE)
        else:
            psutil.Process(pid).nice(_NICE)
    except (psutil.AccessDenied, PermissionError):
        raise Unsupported("this user may not raise the priority of a process") from None
