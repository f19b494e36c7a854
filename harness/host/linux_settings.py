"""Linux' settings of the whole machine: the governor of each processor, by its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ADVISED: Final = {"power-plan": "performance"}
"""The value that is advised for speed, for each setting that there is."""

_CPUS: Final = Path("/sys/devices/system/cpu")


def read(_: str) -> dict[str, str]:
    """Return each governor by its file; FileNotFoundError if there are none, as in most virtual machines."""
    files = sorted(_CPUS.glob("cpu[0-9]*/cpufreq/scaling_governor"))
    if not files:
        raise FileNotFoundError(_CPUS)
    return {str(file): file.read_text("ascii").strip() for file in files}


def write(_: str, held: Mapping[str, str]) -> None:
    """Set the governors by their files; OSError."""
    for file, governor in held.items():
        Path(file).write_text(governor, "ascii")
