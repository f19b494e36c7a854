"""What the host is set to, as far as it says: recorded beside a study, never changed by it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

NOT_HERE: Final = "not on this system"
UNTOLD: Final = "this system does not tell"

_GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_SLACK: Final = Path("/proc/self/timerslack_ns")

REGISTRY: Final = {
    "Win32PrioritySeparation": r"SYSTEM\CurrentControlSet\Control\PriorityControl",
    "DisablePagingExecutive": r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management",
}
"""Values of HKEY_LOCAL_MACHINE, by name, with the key that holds them."""


def facts() -> dict[str, str]:
    """Return what is known of this host, by title."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "load, 1 minute": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else UNTOLD,
        "power plan": power_plan(),
        "clock resolution": f"{time.get_clock_info('perf_counter').resolution * 1e9:g} ns",
        "timer resolution": timer_resolution(),
        **{name: registry(name) for name in REGISTRY},
    }


def power_plan() -> str:
    """Return the governor of the first core, or the active power plan's GUID and name."""
    if sys.platform == "win32":
        try:
            done = subprocess.run(["powercfg", "/getactivescheme"], capture_output=True, check=False, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return UNTOLD
        return done.stdout.decode("utf-8", "replace").strip().rpartition(": ")[2] or UNTOLD
    return _first_line(_GOVERNOR)


def timer_resolution() -> str:
    """Return how late a timer may come: the kernel's slack, or the current period of the system's timer."""
    if sys.platform == "win32":
        import ctypes

        coarsest, finest, current = (ctypes.c_ulong() for _ in range(3))
        references = [ctypes.byref(value) for value in (coarsest, finest, current)]
        if ctypes.windll.ntdll.NtQueryTimerResolution(*references):
            return UNTOLD
        return f"{current.value / 10:g} µs"
    slack = _first_line(_SLACK)
    return f"{int(slack) / 1000:g} µs of slack" if slack.isdigit() else slack


def registry(name: str) -> str:
    """Return one of `REGISTRY`'s values."""
    if sys.platform != "win32":
        return NOT_HERE
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, REGISTRY[name]) as key:
            return str(winreg.QueryValueEx(key, name)[0])
    except OSError:
        return UNTOLD


def _first_line(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace").strip() or UNTOLD
    except OSError:
        return UNTOLD
