"""Windows: a process has one mask of its processor group, a thread may have its own; priorities are classes.

A group holds at most 64 logical processors. Where there is one group only, the process's mask is what counts, and new
threads obey it. Where there are several, a process spans all of them, so each of its threads is pinned by itself.
Processors are counted through, group after group.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Sequence
from ctypes import wintypes
from typing import Final

import psutil

from harness.errors import Unsupported
from harness.host.groups import numbers, one_group

assert sys.platform == "win32"

LEVELS: Final = {
    "low": int(psutil.BELOW_NORMAL_PRIORITY_CLASS),
    "normal": int(psutil.NORMAL_PRIORITY_CLASS),
    "high": int(psutil.HIGH_PRIORITY_CLASS),
}
"""Priority classes of the priority levels."""

_THREAD_SET: Final = 0x0020  # THREAD_SET_INFORMATION
_THREAD_QUERY: Final = 0x0040  # THREAD_QUERY_INFORMATION

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
kernel32.OpenThread.restype = wintypes.HANDLE
kernel32.OpenThread.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
kernel32.CloseHandle.argtypes = (wintypes.HANDLE,)


class _GroupAffinity(ctypes.Structure):
    """GROUP_AFFINITY."""

    _fields_ = (("mask", ctypes.c_size_t), ("group", wintypes.WORD), ("reserved", wintypes.WORD * 3))


def group_sizes() -> list[int]:
    """Return the number of logical processors of each group."""
    count = int(kernel32.GetActiveProcessorGroupCount())
    return [int(kernel32.GetActiveProcessorCount(wintypes.WORD(group))) for group in range(count)]


def cores() -> list[int]:
    """Return every logical processor of the machine."""
    return list(range(sum(group_sizes())))


def threads(pid: int) -> list[int]:
    """Return what is pinned by itself: the process where there is one group, else its threads."""
    try:
        process = psutil.Process(pid)
        return [pid] if len(group_sizes()) == 1 else [thread.id for thread in process.threads()]
    except psutil.NoSuchProcess:
        raise ProcessLookupError(f"there is no process {pid}") from None
    except psutil.AccessDenied:
        raise PermissionError(f"process {pid} belongs to somebody else") from None


def named_threads(pid: int) -> Iterator[tuple[int, str]]:
    """Unsupported: libzmq names its threads for debuggers only."""
    raise Unsupported("Windows does not tell which thread of a process is libzmq's; pin the process instead")


def affinity(pid: int, thread: int) -> list[int]:
    """Return the processors that a process, or one of its threads, may use."""
    if thread == pid:
        with _denied(pid):
            return [int(core) for core in psutil.Process(pid).cpu_affinity() or []]
    found = _GroupAffinity()
    with _opened(thread) as handle:
        if not kernel32.GetThreadGroupAffinity(handle, ctypes.byref(found)):
            raise ctypes.WinError(ctypes.get_last_error())
    return numbers(int(found.group), int(found.mask), group_sizes())


def set_affinity(pid: int, thread: int, to: Sequence[int]) -> None:
    """Let a process, or one of its threads, use these processors only; they must be of one group."""
    group, mask = one_group(to, group_sizes())
    if thread == pid:
        with _denied(pid):
            psutil.Process(pid).cpu_affinity(list(to))
        return
    wanted = _GroupAffinity(mask, group)
    with _opened(thread) as handle:
        if not kernel32.SetThreadGroupAffinity(handle, ctypes.byref(wanted), None):
            raise ctypes.WinError(ctypes.get_last_error())


def priority(pid: int, thread: int) -> int:
    """Return a process's priority class."""
    with _denied(pid):
        return int(psutil.Process(pid).nice() or 0)


def set_priority(pid: int, thread: int, to: int) -> None:
    """Set a process's priority class."""
    with _denied(pid):
        psutil.Process(pid).nice(to)


class _denied:  # noqa: N801 - reads as the block it stands for
    """Turn psutil's errors into the system's."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, psutil.NoSuchProcess):
            raise ProcessLookupError(f"there is no process {self._pid}") from None
        if isinstance(error, psutil.AccessDenied):
            raise PermissionError(f"process {self._pid} belongs to somebody else") from None


class _opened:  # noqa: N801 - reads as the block it stands for
    """A thread's handle for a block."""

    def __init__(self, thread: int) -> None:
        self._handle = kernel32.OpenThread(_THREAD_SET | _THREAD_QUERY, False, thread)
        if not self._handle:
            raise ctypes.WinError(ctypes.get_last_error())

    def __enter__(self) -> int:
        return int(self._handle)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        kernel32.CloseHandle(self._handle)
