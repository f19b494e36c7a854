"""What the process can tell about itself: names as Go spells them, counts for ``stats``, stacks for ``dump``."""

from __future__ import annotations

import contextlib
import os
import platform
import select
import sys
import threading
import time

OS = {"linux": "linux", "win32": "windows", "darwin": "darwin"}.get(sys.platform, sys.platform)
ARCH = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
    platform.machine().lower(), platform.machine().lower()
)
RUNTIME = f"{platform.python_implementation()} {platform.python_version()}"


def join(thread: threading.Thread, seconds: float = 0.5) -> None:
    """Wait for a thread that is about to end, until the system does not count it any more either."""
    thread.join(seconds)
    task = f"/proc/self/task/{thread.native_id}"
    end = time.monotonic() + seconds
    while OS == "linux" and os.path.exists(task) and time.monotonic() < end:
        select.select([], [], [], 0.0002)  # libfaketime, where it leaves this clock alone, refuses time.sleep


def switches() -> dict[str, int] | None:
    """Count the context switches since the start; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"voluntary": usage.ru_nvcsw, "involuntary": usage.ru_nivcsw}


def handle_limit() -> int | None:
    """Raise the number of open files that this process may have as far as it may, and give it.

    A Go program does that too. None where there is no such number.
    """
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return None if soft == resource.RLIM_INFINITY else soft


if sys.platform == "linux":

    def _unique() -> int:
        """Count the bytes of memory that no other process shares."""
        with open("/proc/self/smaps_rollup", "rb") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(b"Private_"))

    def counts() -> dict[str, int]:
        """Count threads, open handles and bytes of memory."""
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
        return {
            "threads": len(os.listdir("/proc/self/task")),
            "handles": len(os.listdir("/proc/self/fd")) - 1,  # without the one that reads the directory
            "rss": pages * os.sysconf("SC_PAGE_SIZE"),
            "uss": _unique(),
        }

elif sys.platform == "win32":

    def counts() -> dict[str, int]:
        """Count open handles and resident bytes; threads would take a snapshot of the whole system."""
        import ctypes
        from ctypes import wintypes

        sizes = "PeakWorkingSetSize WorkingSetSize QuotaPeakPagedPoolUsage QuotaPagedPoolUsage"
        sizes += " QuotaPeakNonPagedPoolUsage QuotaNonPagedPoolUsage PagefileUsage PeakPagefileUsage"

        class Memory(ctypes.Structure):  # PROCESS_MEMORY_COUNTERS
            _fields_ = [
                ("cb", wintypes.DWORD),
                ("PageFaultCount", wintypes.DWORD),
                *((name, ctypes.c_size_t) for name in sizes.split()),
            ]

        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        process = wintypes.HANDLE(kernel.GetCurrentProcess())
        found: dict[str, int] = {}
        handles = wintypes.DWORD()
        # Wine's call succeeds and always says 0, which is no count
        if kernel.GetProcessHandleCount(process, ctypes.byref(handles)) and handles.value:
            found["handles"] = handles.value
        memory = Memory(cb=ctypes.sizeof(Memory))
        if kernel.K32GetProcessMemoryInfo(process, ctypes.byref(memory), memory.cb):
            found["rss"] = memory.WorkingSetSize
        return found

else:

    def counts() -> dict[str, int]:
        """Count nothing: how to is not known here."""
        return {}


def stacks() -> str:
    """Give the stack of every thread of the interpreter."""
    import traceback  # only ``dump`` needs it

    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = []
    for ident, frame in sys._current_frames().items():
        stack = "".join(traceback.format_stack(frame))
        parts.append(f"Thread {names.get(ident, '?')} ({ident}):\n{stack}")
    return "\n".join(parts)
