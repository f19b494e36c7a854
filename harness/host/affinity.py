"""Affinity: which cores a process, or one of its threads, may use. Read, set, and put back by the journal.

Pinning both ends to one core, with all their threads, is the only stable set-up for latency on a small machine.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from harness.errors import SetupFault
from harness.host import journal
from harness.host.processes import explained, identity, is_same, system

KIND: Final = "affinity"

IO_THREAD: Final = "ZMQbg/IO/"
"""What libzmq (4.3.3 and later) names its I/O threads, followed by a number."""


def cores() -> list[int]:
    """Return the cores that this process may use; Unsupported where the system pins nothing."""

    return read(os.getpid())


def read(pid: int) -> list[int]:
    """Return the cores that a process may use, over all its threads."""
    with explained(pid, KIND):
        return sorted({core for one in _threads(pid).values() for core in one})


def read_thread(pid: int, thread: int) -> list[int]:
    """Return the cores that one thread of a process may use."""
    with explained(pid, KIND):
        return system.affinity(pid, thread)


def io_threads(pid: int) -> list[int]:
    """Return the ids of a process's libzmq I/O threads; Unsupported where the system names no threads."""
    with explained(pid, KIND):
        return [thread for thread, name in system.named_threads(pid) if name.startswith(IO_THREAD)]


def place(where: Mapping[int, int]) -> None:
    """Keep each process (by its id) on one core, for the rest of its life: for processes that are ours to end."""
    for pid, core in where.items():
        _set(pid, [core])


@contextlib.contextmanager
def pinned(pids: Iterable[int], to: Sequence[int] | None = None) -> Iterator[int]:
    """Keep these processes on some cores (default: the last that this one may use); put things back at the end.

    Yields the first of the cores. SetupFault for none, or for one that the machine lacks.
    """
    wanted = checked(cores()[-1:] if to is None else to)
    with contextlib.ExitStack() as stack:
        for pid in pids:
            with explained(pid, KIND):
                before = {**identity(pid), "threads": {str(one): held for one, held in _threads(pid).items()}}
            stack.enter_context(journal.ours().change(KIND, before, restore))
            _set(pid, wanted)
        yield wanted[0]


@contextlib.contextmanager
def pinned_thread(pid: int, thread: int, to: Sequence[int]) -> Iterator[None]:
    """Keep one thread of a process on these cores; put it back at the end."""
    wanted = checked(to)
    before = {**identity(pid), "threads": {str(thread): read_thread(pid, thread)}}
    with journal.ours().change(KIND, before, restore):
        with explained(pid, KIND):
            system.set_affinity(pid, thread, wanted)
        yield


def checked(wanted: Sequence[int]) -> list[int]:
    """Return the cores in order. SetupFault for none, and for what the machine lacks."""
    if not wanted:
        raise SetupFault("affinity: no core is named; a process needs one at least")
    there = system.cores()
    if lacking := sorted(set(wanted) - set(there)):
        raise SetupFault(f"affinity: there is no core {lacking[0]}: this machine has 0 to {there[-1]}")
    return sorted(set(wanted))


def restore(before: Mapping[str, Any]) -> None:
    """Give a process that is still there its cores back; threads that came meanwhile get those of the first one."""
    if not is_same(before):
        return
    held: dict[int, list[int]] = {int(thread): wanted for thread, wanted in before["threads"].items()}
    pid = before["pid"]
    with contextlib.suppress(ProcessLookupError):
        for thread in system.threads(pid):
            wanted = held.get(thread, held.get(pid))
            if wanted is not None:
                with contextlib.suppress(ProcessLookupError):
                    system.set_affinity(pid, thread, wanted)


def _threads(pid: int) -> dict[int, list[int]]:
    found = {}
    for thread in system.threads(pid):
        with contextlib.suppress(ProcessLookupError):
            found[thread] = system.affinity(pid, thread)
    return found


def _set(pid: int, to: Sequence[int]) -> None:
    with explained(pid, KIND):
        for thread in system.threads(pid):
            with contextlib.suppress(ProcessLookupError):
                system.set_affinity(pid, thread, to)
