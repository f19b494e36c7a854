"""How late a process's timers may come: Linux' timer slack."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from harness.errors import Unsupported


def sharpen(pid: int, slack_ns: int = 1) -> None:
    """Let the timers of a process of ours, with all its threads, come at most so many ns late, from now on.

    Unsupported where the system lets only the process itself ask for that.
    """
    if sys.platform != "linux":
        raise Unsupported("only Linux lets one process set the timers of another")
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
            try:
                Path(f"/proc/{task.name}/timerslack_ns").write_text(str(slack_ns), "ascii")
            except PermissionError:
                raise Unsupported("timer slack: this user may not set it (CAP_SYS_NICE)") from None
