"""A place whose wall clock can be set while its peers run: this machine, with libfaketime before the C library.

Linux has no namespace for the wall clock (time_namespaces(7) shifts CLOCK_MONOTONIC and CLOCK_BOOTTIME alone), and to
set the machine's own is no test's business. libfaketime answers those calls that go through the C library: Python's,
and libzmq's. Go's runtime asks the kernel itself, so that its own clock cannot be set like this. While it leaves the
monotonic clock alone, libfaketime 0.9.10 refuses every clock_nanosleep(2) until an instant of that clock (EINVAL), as
time.sleep of Python 3.11 does: a peer here waits in other ways.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.errors import SetupFault, Unsupported
from harness.peers.manifest import Manifest
from harness.places.local import LocalPlace, LocalProcess
from harness.places.sweep import PREFIX

_CANARY: Final = 30.0
"""Seconds that a program may take to tell the time."""

_READ: Final = "import time; print(round(time.time()), round(time.monotonic()))"


def library() -> Path:
    """Return libfaketime; Unsupported says what to install."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")) if sys.platform == "linux" else []
    if not found:
        raise Unsupported("to set a peer's clock takes Linux and libfaketime: apt-get install libfaketime")
    return found[0]


class ClockPlace(LocalPlace):
    """This machine with a wall clock of its own; `monotonic` shifts the clock that only ever goes forward, too."""

    def __init__(self, *, monotonic: bool = False) -> None:
        self._monotonic = monotonic
        self._library = library()
        with tempfile.NamedTemporaryFile(prefix=f"{PREFIX}{os.getpid()}-clock-", delete=False) as file:
            self._file = Path(file.name)
        self.shift(0)

    def shift(self, seconds: int) -> None:
        """Set the clock of every peer here so far off the machine's, at once."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n", encoding="ascii")
        fresh.replace(self._file)

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return the manifest; Unsupported for a program that does not ask the C library for the time."""
        if dict(manifest.env).get("CGO_ENABLED") == "0":
            raise Unsupported(
                f"{manifest.name}: Go asks the kernel itself for the time; libfaketime cannot change that"
            )
        return manifest

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> LocalProcess:
        """Start a peer's command under this clock."""
        return super().start(command, folder, {**env, **self._variables()})

    def _variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "0" if self._monotonic else "1",
            "DONT_FAKE_MONOTONIC": "0" if self._monotonic else "1",
        }

    def reads(self) -> tuple[int, int]:
        """Return how many seconds a new program's wall clock and monotonic clock here are off the machine's."""
        words = [sys.executable, "-I", "-S", "-c", _READ]
        both = [
            subprocess.run(
                words, env={**os.environ, **more}, capture_output=True, text=True, timeout=_CANARY, check=False
            )
            for more in (self._variables(), {})
        ]
        if any(done.returncode for done in both):
            raise SetupFault(f"no program starts under libfaketime: {both[0].stderr.strip()[-200:]}")
        (wall, steady), (wall_here, steady_here) = ([int(word) for word in done.stdout.split()] for done in both)
        return wall - wall_here, steady - steady_here

    def close(self) -> None:
        """Remove the clock's file."""
        self._file.unlink(missing_ok=True)
