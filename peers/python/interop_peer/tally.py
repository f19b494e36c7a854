"""The arithmetic of ``drain``: which sequence numbers came.

Pure: takes numbers, gives numbers.
"""

from __future__ import annotations

from bisect import bisect_right


class Source:
    """The sequence numbers of one source, as runs of what is still missing: exact, and small for any number."""

    __slots__ = ("_ends", "_starts", "doubled", "largest", "received", "reordered")

    def __init__(self) -> None:
        """Start before the first number, which is 0."""
        self.received = 0
        self.doubled = 0
        self.reordered = 0
        self.largest = -1
        # Missing runs [start, end), in order
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, number: int) -> None:
        """Count one message."""
        self.received += 1
        largest = self.largest
        if number == largest + 1:
            self.largest = number
        elif number > largest:
            self._starts.append(largest + 1)
            self._ends.append(number)
            self.largest = number
        else:
            self.reordered += number < largest
            if not self._fill(number):
                self.doubled += 1

    def _fill(self, number: int) -> bool:
        """Take a number out of the missing ones; False if it was not missing."""
        at = bisect_right(self._starts, number) - 1
        if at < 0 or number >= self._ends[at]:
            return False
        start, end = self._starts[at], self._ends[at]
        # What is left of the run: its part before the number, and its part after
        self._starts[at : at + 1] = [*([start] if start < number else []), *([number + 1] if number + 1 < end else [])]
        self._ends[at : at + 1] = [*([number] if start < number else []), *([end] if number + 1 < end else [])]
        return True

    @property
    def missing(self) -> int:
        """Count the numbers from 0 to the largest that never came."""
        return sum(self._ends) - sum(self._starts)

    def to_json(self) -> dict[str, int]:
        """Give the contract's counts."""
        return {
            "received": self.received,
            "missing": self.missing,
            "doubled": self.doubled,
            "reordered": self.reordered,
        }
