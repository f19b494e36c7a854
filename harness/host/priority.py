"""The priority of a process, with all its threads: low, normal or high. Read, set, and put back by the journal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from harness.errors import SetupFault
from harness.host import journal
from harness.host.processes import explained, identity, is_same, system

KIND: Final = "priority"
Level = Literal["low", "normal", "high"]


def read(pid: int) -> str:
    """Return a process's level, or its nice value or priority class as a number where it has another one."""
    with explained(pid, KIND):
        found = system.priority(pid, pid)
    return next((level for level, value in system.LEVELS.items() if value == found), str(found))


def raise_priority(pid: int) -> None:
    """Give a process that is ours to end a high priority, for the rest of its life. Unsupported if not allowed."""
    _set(pid, system.LEVELS["high"])


@contextlib.contextmanager
def prioritized(pid: int, level: str) -> Iterator[None]:
    """Give a process a level; put its own back at the end. SetupFault for no such level, Unsupported if not allowed."""
    if level not in system.LEVELS:
        raise SetupFault(f"priority {level!r}: no such level; there are {', '.join(system.LEVELS)}")
    with explained(pid, KIND):
        before = {**identity(pid), "threads": {str(one): system.priority(pid, one) for one in system.threads(pid)}}
    with journal.ours().change(KIND, before, restore):
        _set(pid, system.LEVELS[level])
        yield


def restore(before: Mapping[str, Any]) -> None:
    """Give a process that is still there its priority back."""
    if not is_same(before):
        return
    pid, held = before["pid"], before["threads"]
    with contextlib.suppress(ProcessLookupError):
        for thread in system.threads(pid):
            value = held.get(str(thread), held.get(str(pid)))
            if value is not None:
                with contextlib.suppress(ProcessLookupError):
                    system.set_priority(pid, thread, int(value))


def _set(pid: int, to: int) -> None:
    with explained(pid, KIND):
        for thread in system.threads(pid):
            with contextlib.suppress(ProcessLookupError):
                system.set_priority(pid, thread, to)
