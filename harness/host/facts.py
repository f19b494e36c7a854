"""What this machine is and how it is set, as far as it says: recorded beside every run, never changed by it.

Everything is read from files, the registry or the system's own calls: no program is started, so it takes a few ms.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from typing import Final

import psutil

UNTOLD: Final = "this system does not tell"

REGISTRY: Final = {
    "Win32PrioritySeparation": r"SYSTEM\CurrentControlSet\Control\PriorityControl",
    "DisablePagingExecutive": r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management",
}
"""Values of HKEY_LOCAL_MACHINE, by name, with the key that holds them."""

if sys.platform == "win32":
    from harness.host import windows_facts as system
elif sys.platform == "linux":
    from harness.host import linux_facts as system
else:
    from harness.host import other_facts as system


def facts() -> dict[str, str]:
    """Return what is known of this host, by title. What it does not tell says so."""
    return dict(_facts())


def _facts() -> Iterator[tuple[str, str]]:
    yield "OS build", system.build() or platform.platform()
    yield "processor", system.processor() or UNTOLD
    yield "logical and physical cores", f"{psutil.cpu_count()} and {psutil.cpu_count(logical=False) or '?'}"
    yield "cores of this process", allowed()
    yield "memory", f"{psutil.virtual_memory().total / 2**30:.1f} GiB"
    yield "container", system.container() or "none"
    yield "virtual machine", system.virtual_machine() or UNTOLD
    yield "power plan", system.power_plan() or UNTOLD
    yield "clock source", system.clock_source() or UNTOLD
    yield "clock resolution", f"{time.get_clock_info('perf_counter').resolution * 1e9:g} ns"
    yield "timer resolution", system.timer_resolution() or UNTOLD
    yield "Defender", system.defender() or UNTOLD
    for name, key in REGISTRY.items():
        yield name, system.registry(key, name) or UNTOLD


def load() -> str:
    """Return the machine's load over the last minute: how many processes wanted a core."""
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else UNTOLD


def allowed() -> str:
    """Return how many cores this process may use."""
    if hasattr(psutil.Process, "cpu_affinity"):
        return str(len(psutil.Process().cpu_affinity() or []))
    return str(os.cpu_count())
