"""Filing a record: the folder below a run's `wire/` that belongs to a cell, and what lies in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.wire import pcapng, text
from harness.wire.record import Recording

FOLDER: Final = "wire"
TEXT: Final = "conversation.txt"
PCAPNG: Final = "conversation.pcapng"

HOW_TO_READ: Final = (
    "A line's time is when the last byte of its frame passed the recorder. Messages and their frames count from 0.",
    f"Wireshark shows the same bytes in {PCAPNG}: Follow TCP Stream, or Decode As ZMTP where it knows that.",
)


def slug(cell: str) -> str:
    """Return a folder's name for a cell's id."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", cell)


def file(run: Path, cell: str, recordings: list[Recording], about: Sequence[str]) -> list[Path]:
    """Write a cell's record below a run's folder; returns the files."""
    folder = run / FOLDER / slug(cell)
    folder.mkdir(parents=True, exist_ok=True)
    page = [cell, *about, "", *HOW_TO_READ, *text.lines(recordings), ""]
    (folder / TEXT).write_text("\n".join(page), encoding="utf-8")
    (folder / PCAPNG).write_bytes(pcapng.write(recordings, "\n".join([cell, *about])))
    return [folder / TEXT, folder / PCAPNG]
