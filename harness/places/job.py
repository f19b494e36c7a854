"""Windows: job objects, which hold a process with everything that it starts, and end it with their last handle.

The system closes the handles of a process that is killed, so nothing outlives the harness, however that ends.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from typing import Final

assert sys.platform == "win32"

_MEMBERS: Final = 3  # JobObjectBasicProcessIdList
_LIMITS: Final = 9  # JobObjectExtendedLimitInformation
_KILL_ON_CLOSE: Final = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
_MAY_JOIN: Final = 0x0100 | 0x0001  # PROCESS_SET_QUOTA | PROCESS_TERMINATE
_MORE: Final = 234  # ERROR_MORE_DATA
_FEW: Final = 64

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
kernel32.CreateJobObjectW.restype = wintypes.HANDLE
kernel32.CreateJobObjectW.argtypes = (wintypes.LPVOID, wintypes.LPCWSTR)
kernel32.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD)
kernel32.QueryInformationJobObject.argtypes = (
    wintypes.HANDLE,
    ctypes.c_int,
    wintypes.LPVOID,
    wintypes.DWORD,
    wintypes.LPVOID,
)
kernel32.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
kernel32.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
kernel32.OpenProcess.restype = wintypes.HANDLE
kernel32.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
kernel32.CloseHandle.argtypes = (wintypes.HANDLE,)


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", wintypes.DWORD),
        ("working_set", ctypes.c_size_t * 2),
        ("active", wintypes.DWORD),
        ("affinity", ctypes.c_size_t),
        ("priority", wintypes.DWORD),
        ("scheduling", wintypes.DWORD),
        ("io", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    )


class Job:
    """A job whose processes end when it is closed. OSError where the system refuses."""

    def __init__(self) -> None:
        self._handle = kernel32.CreateJobObjectW(None, None)
        if not self._handle:
            raise ctypes.WinError(ctypes.get_last_error())
        limits = _Limits(flags=_KILL_ON_CLOSE)
        _check(kernel32.SetInformationJobObject(self._handle, _LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)))

    def add(self, pid: int) -> None:
        """Put a process into the job; what it starts from now on belongs to it, too."""
        process = kernel32.OpenProcess(_MAY_JOIN, False, pid)
        if not process:
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            _check(kernel32.AssignProcessToJobObject(self._handle, process))
        finally:
            kernel32.CloseHandle(process)

    def members(self) -> list[int]:
        """Return the ids of the processes that run in the job; none once it is closed."""
        room = _FEW
        while self._handle:
            # JOBOBJECT_BASIC_PROCESS_ID_LIST: how many there are, how many are told, and those.
            table = (ctypes.c_size_t * (1 + room))()
            if kernel32.QueryInformationJobObject(self._handle, _MEMBERS, table, ctypes.sizeof(table), None):
                told = ctypes.cast(table, ctypes.POINTER(wintypes.DWORD))[1]
                return [int(pid) for pid in table[1 : 1 + told]]
            if ctypes.get_last_error() != _MORE:
                raise ctypes.WinError(ctypes.get_last_error())
            room *= 4
        return []

    def end(self) -> None:
        """End every process in the job at once."""
        if self._handle:
            kernel32.TerminateJobObject(self._handle, 1)

    def close(self) -> None:
        """Let go of the job, which ends what still runs in it. Once more is no error."""
        handle, self._handle = self._handle, None
        if handle:
            kernel32.CloseHandle(handle)

    def __del__(self) -> None:
        self.close()


def _check(ok: int) -> None:
    if not ok:
        raise ctypes.WinError(ctypes.get_last_error())
