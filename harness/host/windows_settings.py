"""Windows' settings of the whole machine: the power scheme, and Win32PrioritySeparation in the registry."""

from __future__ import annotations

import ctypes
import sys
import uuid
import winreg
from collections.abc import Mapping
from typing import Final

assert sys.platform == "win32"

ADVISED: Final = {"power-plan": "8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c", "priority-separation": "26"}
"""The value that is advised for speed, for each setting that there is. The first is the scheme "High performance"."""

_SEPARATION: Final = "Win32PrioritySeparation"
_CONTROL: Final = r"SYSTEM\CurrentControlSet\Control\PriorityControl"


def read(name: str) -> dict[str, str]:
    """Return the setting by the name of what holds it; OSError."""
    if name != "power-plan":
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CONTROL) as key:
            return {_SEPARATION: str(winreg.QueryValueEx(key, _SEPARATION)[0])}
    scheme = ctypes.c_void_p()
    _check(ctypes.WinDLL("powrprof").PowerGetActiveScheme(None, ctypes.byref(scheme)))
    if not scheme.value:
        raise FileNotFoundError("no power scheme is active")
    active = uuid.UUID(bytes_le=ctypes.string_at(scheme.value, 16))
    ctypes.WinDLL("kernel32").LocalFree(scheme)
    return {"scheme": str(active)}


def write(name: str, held: Mapping[str, str]) -> None:
    """Set it as `read` told it; OSError."""
    for value in held.values():
        if name == "power-plan":
            scheme = ctypes.create_string_buffer(uuid.UUID(value).bytes_le, 16)
            _check(ctypes.WinDLL("powrprof").PowerSetActiveScheme(None, scheme))
        else:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CONTROL, 0, winreg.KEY_SET_VALUE) as key:
                winreg.SetValueEx(key, _SEPARATION, 0, winreg.REG_DWORD, int(value))


def _check(code: int) -> None:
    if code:
        raise ctypes.WinError(code)
