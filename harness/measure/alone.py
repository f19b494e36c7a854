"""Measuring alone: ordinary tests share the machine, measuring tests have it to themselves.

One readers-writer lock for each user of the machine, across processes: every worker of every run that holds
measuring tests takes it around each of its tests. A run without measuring tests does not pay for it.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filelock import ReadWriteLock

_INSIDE: Final = "ZMQ_INTEROP_INSIDE_TEST"
"""Environment variable set within a test: a run that a test starts goes under the test's own lock."""


def lock_file() -> Path:
    """Return the file that the processes of this user on this machine share."""
    return Path(tempfile.gettempdir()) / f"zmq-interop-measure-{getpass.getuser()}.db"


@contextlib.contextmanager
def turn(*, alone: bool, file: Path | None = None) -> Iterator[None]:
    """Hold the lock: shared, or `alone`. Waits for as long as others hold it."""
    if os.environ.get(_INSIDE):
        yield
        return
    lock = ReadWriteLock(file or lock_file())
    with lock.write_lock() if alone else lock.read_lock():
        os.environ[_INSIDE] = "1"
        try:
            yield
        finally:
            del os.environ[_INSIDE]
