"""Settings of the whole machine that may be changed on request: read, set, and put back by the journal.

`power-plan` is Windows' power scheme or Linux' governors; `priority-separation` is how Windows shares its processors
out between programs (Win32PrioritySeparation).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.errors import Unsupported
from harness.host import journal

if sys.platform == "linux":
    from harness.host import linux_settings as system
elif sys.platform == "win32":
    from harness.host import windows_settings as system
else:
    system = None

KIND: Final = "setting of the machine"
POWER: Final = "power-plan"
SEPARATION: Final = "priority-separation"
NAMES: Final = (POWER, SEPARATION)


@contextlib.contextmanager
def changed(name: str) -> Iterator[None]:
    """Give the machine the setting that is advised for speed; put its own back at the end.

    Unsupported where the machine has no such setting, or this user may not change it.
    """
    if system is None or name not in system.ADVISED:
        raise Unsupported(f"{name}: this system has no such setting")
    with _explained(name):
        before = system.read(name)
    with journal.ours().change(KIND, {"name": name, "held": before}, restore):
        with _explained(name):
            system.write(name, dict.fromkeys(before, system.ADVISED[name]))
        yield


def restore(before: Mapping[str, Any]) -> None:
    """Put back what is still as it was set here; whatever somebody else has chosen meanwhile stays."""
    name, held = before["name"], before["held"]
    if system is None:
        return
    now = system.read(name)
    system.write(name, {key: value for key, value in held.items() if now.get(key) == system.ADVISED[name]})


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn the system's errors into one line."""
    try:
        yield
    except FileNotFoundError:
        raise Unsupported(f"{name}: this machine has no such setting") from None
    except PermissionError:
        raise Unsupported(f"{name}: this user may not change it; run elevated, or as root") from None
    except OSError as error:
        raise Unsupported(f"{name}: {error.strerror or error}") from None
