"""Shards: a run cut into parts that several machines take at once. Pure.

Which part a cell falls into is decided by its id alone, so that the same cells meet in a shard on every machine,
whatever else is selected.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` (from 1) of `count`."""

    number: int
    count: int

    @staticmethod
    def parse(text: str) -> Shard:
        """Read `2/3`; ValueError for what is none."""
        found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"--shard {text}: must be PART/PARTS, such as 2/3")
        return Shard(int(found[1]), int(found[2]))

    def takes(self, cell: str) -> bool:
        """Whether a cell, by its id, belongs here."""
        return zlib.crc32(cell.encode()) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"
