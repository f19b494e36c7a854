"""The journal of changes to this machine: written before a change is made, undone after it, swept after a kill.

Each process that changes something has a file of its own, a line of JSON for each change and for each undoing. A line
is on the disk before the change is made; so what a killed run left is always there to read. The file's owner holds a
lock beside it, which the system frees however the owner ends: whoever gets the lock of a file may undo what it says. An
undoing has to be harmless where the change was never made. This file knows no kind of change.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from harness.errors import HarnessError, SetupFault

FOLDER: Final = "ZMQ_INTEROP_STATE"
"""Environment variable that names another folder for the journal."""

_YOUNG: Final = 60.0  # seconds

Undo = Callable[[Mapping[str, Any]], None]
"""Puts back what a change says that there was before; harmless if it is put back already, or if nobody is there."""


def folder() -> Path:
    """Return the user's folder for state: changes concern the machine, whatever checkout made them."""
    if own := os.environ.get(FOLDER):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "zmq-interop"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "zmq-interop"


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: its kind, and what there was before it, as JSON."""

    number: int
    kind: str
    before: Mapping[str, Any]


def pending(text: str) -> list[Entry]:
    """Return the changes that a journal's text does not call undone, the newest first.

    The last line of a killed writer may be torn; then its change was never made. ValueError for any other bad line.
    """
    lines = text.splitlines()
    if lines and not text.endswith("\n"):
        lines.pop()
    open_changes: dict[int, Entry] = {}
    for line in lines:
        try:
            row = json.loads(line)
            if "undone" in row:
                open_changes.pop(row["undone"], None)
            else:
                open_changes[row["number"]] = Entry(row["number"], str(row["kind"]), dict(row["before"]))
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"not a journal's line: {line:.80}") from None
    return list(open_changes.values())[::-1]


class Journal:
    """The journal of this process. `place` is its folder, made when it is first needed."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._file = place / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        self._owned: FileLock | None = None
        self._guard = threading.Lock()
        self._open: set[int] = set()
        self._count = 0

    @contextmanager
    def change(self, kind: str, before: Mapping[str, Any], undo: Undo) -> Iterator[None]:
        """Note a change before the block makes it; undo it at the block's end. SetupFault if it cannot be noted."""
        number = self._note(kind, before)
        try:
            yield
        finally:
            try:
                undo(before)
            except OSError as error:
                raise SetupFault(f"{kind}: not restored ({error}): run zmq-interop doctor --restore") from None
            self._done(number)

    def _note(self, kind: str, before: Mapping[str, Any]) -> int:
        with self._guard:
            try:
                if self._owned is None:
                    self._place.mkdir(parents=True, exist_ok=True)
                    lock = FileLock(self._file.with_suffix(".lock"), blocking=False)
                    lock.acquire()
                    self._owned = lock
                self._count += 1
                self._append({"number": self._count, "kind": kind, "before": before})
            except OSError as error:
                raise SetupFault(
                    f"{self._place}: no journal can be written ({error.strerror}), so nothing is changed; "
                    f"name another folder in {FOLDER}"
                ) from None
            self._open.add(self._count)
            return self._count

    def _done(self, number: int) -> None:
        with self._guard:
            self._open.discard(number)
            if self._open:
                self._append({"undone": number})
            else:
                self._file.unlink(missing_ok=True)

    def _append(self, row: Mapping[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Let go of the lock; what is still open then may be swept by anybody."""
        with self._guard:
            if self._owned is not None:
                self._owned.release()
                self._file.with_suffix(".lock").unlink(missing_ok=True)
                self._owned = None


@dataclass(slots=True)
class Swept:
    """What a sweep did: a line for each change put back, and one for each that it could not."""

    restored: list[str]
    failed: list[str]


def sweep(place: Path, undoes: Mapping[str, Undo]) -> Swept:
    """Undo what processes left that are gone. What a live one has under way is left alone."""
    swept = Swept([], [])
    for file in sorted(place.glob("*.jsonl")) if place.is_dir() else []:
        lock = FileLock(file.with_suffix(".lock"), blocking=False)
        with suppress(Timeout, OSError), lock:
            _sweep_one(file, undoes, swept)
            file.with_suffix(".lock").unlink(missing_ok=True)
    for file in place.glob("*.lock"):  # of killed processes that had nothing under way; a young one may just be made
        with suppress(Timeout, OSError):
            if time.time() - file.stat().st_mtime > _YOUNG:
                with FileLock(file, blocking=False):
                    file.unlink(missing_ok=True)
    return swept


def _sweep_one(file: Path, undoes: Mapping[str, Undo], swept: Swept) -> None:
    try:
        entries = pending(file.read_text(encoding="utf-8", errors="replace"))
    except ValueError as error:
        swept.failed.append(f"{file}: {error}; look at it and delete it")
        return
    bad = False
    for entry in entries:
        told = f"{entry.kind} {json.dumps(entry.before)}"
        try:
            undoes[entry.kind](entry.before)
            swept.restored.append(told)
        except KeyError:
            bad = True
            swept.failed.append(f"{file}: {told}: this version knows no such change; undo it by hand and delete it")
        except (OSError, HarnessError) as error:
            bad = True
            swept.failed.append(f"{file}: {told}: {error}")
    if not bad:
        file.unlink(missing_ok=True)


_ours: dict[tuple[int, Path], Journal] = {}


def ours() -> Journal:
    """Return the journal of this process in the folder of now."""
    key = os.getpid(), folder()
    if key not in _ours:
        _ours[key] = Journal(key[1])
        atexit.register(_ours[key].close)
    return _ours[key]
