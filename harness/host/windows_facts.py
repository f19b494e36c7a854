"""What Windows tells of the machine, in its registry and by its own calls. An empty text means that it does not tell.

No program is started: powercfg alone would take longer than everything here, and speaks the user's language.
"""

from __future__ import annotations

import ctypes
import sys
import uuid
import winreg
from typing import Final

import psutil

assert sys.platform == "win32"

_NT: Final = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_CPU: Final = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
_BIOS: Final = r"HARDWARE\DESCRIPTION\System\BIOS"
_DEFENDER: Final = r"SOFTWARE\Microsoft\Windows Defender"
_VIRTUAL: Final = ("virtual", "vmware", "kvm", "qemu", "xen", "hvm", "google", "amazon")


def registry(key: str, name: str) -> str:
    """Return a value of HKEY_LOCAL_MACHINE as text."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
            return str(winreg.QueryValueEx(opened, name)[0])
    except OSError:
        return ""


def build() -> str:
    """Return version and build with its update number, e.g. `Windows 10.0.20348.2700 Server Datacenter, 21H2`."""
    version = sys.getwindowsversion()
    update = registry(_NT, "UBR")
    number = f"{version.major}.{version.minor}.{version.build}{f'.{update}' if update else ''}"
    more = [registry(_NT, name) for name in ("ProductName", "DisplayVersion")]
    wine = ", under Wine" if hasattr(ctypes.WinDLL("ntdll"), "wine_get_version") else ""
    return f"Windows {number} {', '.join(filter(None, more))}".rstrip() + wine


def processor() -> str:
    """Return the processor's model."""
    return registry(_CPU, "ProcessorNameString").strip()


def container() -> str:
    """Return that this is a Windows container where it is one."""
    return registry(r"SYSTEM\CurrentControlSet\Control", "ContainerType") and "Windows container"


def virtual_machine() -> str:
    """Return the maker and name of the machine where they are those of a virtual one."""
    told = f"{registry(_BIOS, 'SystemManufacturer')} {registry(_BIOS, 'SystemProductName')}".strip()
    return told if any(word in told.lower() for word in _VIRTUAL) else f"no sign of one ({told or 'no BIOS name'})"


def power_plan() -> str:
    """Return the active power scheme's name and GUID."""
    try:
        powrprof = ctypes.WinDLL("powrprof")
        scheme = ctypes.c_void_p()
        if powrprof.PowerGetActiveScheme(None, ctypes.byref(scheme)) or not scheme.value:
            return ""
        guid = uuid.UUID(bytes_le=ctypes.string_at(scheme.value, 16))
        text, size = ctypes.create_unicode_buffer(256), ctypes.c_ulong(512)
        failed = powrprof.PowerReadFriendlyName(None, scheme, None, None, text, ctypes.byref(size))
        ctypes.WinDLL("kernel32").LocalFree(scheme)
        return f"{guid}" if failed else f"{text.value} ({guid})"
    except (OSError, AttributeError):
        return ""


def clock_source() -> str:
    """Return how fast the performance counter counts."""
    frequency = ctypes.c_longlong()
    if not ctypes.WinDLL("kernel32").QueryPerformanceFrequency(ctypes.byref(frequency)):
        return ""
    return f"performance counter, {frequency.value / 1e6:g} MHz"


def timer_resolution() -> str:
    """Return the current period of the system's timer."""
    coarsest, finest, current = (ctypes.c_ulong() for _ in range(3))
    references = [ctypes.byref(value) for value in (coarsest, finest, current)]
    if ctypes.WinDLL("ntdll").NtQueryTimerResolution(*references):
        return ""
    return f"{current.value / 10:g} µs"


def defender() -> str:
    """Return whether Defender's service runs and watches files as they are opened."""
    try:
        status = psutil.win_service_get("WinDefend").status()
    except (psutil.Error, OSError):
        return "no such service"
    if status != "running":
        return f"service {status}"
    off = registry(rf"{_DEFENDER}\Real-Time Protection", "DisableRealtimeMonitoring")
    return f"service running, real-time protection {'off' if off == '1' else 'on'}"
