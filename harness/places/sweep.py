"""Sweeping: working directories that killed peers left in the system's folder for temporary files.

A peer names its directory after its process id (CONTRACT.md, section 4) and removes it when it ends; one that was
killed cannot. What belongs to a live process is left alone.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Final

import psutil

PREFIX: Final = "zmq-interop-"


def sweep(folder: Path | None = None) -> list[Path]:
    """Remove the working directories of peers that are gone; returns what was removed."""
    removed = []
    for path in (folder or Path(tempfile.gettempdir())).glob(f"{PREFIX}*-*"):
        number = path.name.removeprefix(PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            if number.isdecimal() and path.is_dir() and not path.is_symlink() and not psutil.pid_exists(int(number)):
                shutil.rmtree(path)
                removed.append(path)
    return removed
