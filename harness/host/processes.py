"""The system behind affinity and priority, and what both have in common: whose process it is, and one line of error."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import psutil

from harness.errors import SetupFault, Unsupported

if sys.platform == "linux":
    from harness.host import linux as system
elif sys.platform == "win32":
    from harness.host import windows as system
else:
    from harness.host import other as system

__all__ = ["explained", "identity", "is_same", "system"]

_SAME: Final = 2.0  # seconds by which a process's start may be told differently, when the clock was set meanwhile


def identity(pid: int) -> dict[str, Any]:
    """Return what tells a process from a later one with its number."""
    with explained(pid, "read"):
        return {"pid": pid, "created": psutil.Process(pid).create_time()}


def is_same(before: Mapping[str, Any]) -> bool:
    """Whether the process that `identity` told of is still there."""
    try:
        return abs(psutil.Process(before["pid"]).create_time() - float(before["created"])) < _SAME
    except psutil.Error:
        return False


@contextlib.contextmanager
def explained(pid: int, what: str) -> Iterator[None]:
    """Turn the system's errors into one line: SetupFault for what there is not, Unsupported for what is not allowed."""
    try:
        yield
    except (ProcessLookupError, psutil.NoSuchProcess):
        raise SetupFault(f"{what} of process {pid}: there is no such process") from None
    except (PermissionError, psutil.AccessDenied):
        raise Unsupported(
            f"{what} of process {pid} ({_owner(pid)}): this user may not change it; run as its owner, or elevated"
        ) from None
    except (ValueError, OSError) as error:
        raise SetupFault(f"{what} of process {pid}: {getattr(error, 'strerror', None) or error}") from None


def _owner(pid: int) -> str:
    try:
        return f"of {psutil.Process(pid).username()}"
    except (psutil.Error, KeyError):
        return "of another user"
