"""What a check measured, as it is filed beside its verdict. Pure; `harness.measure` says what the numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Figures(dict[str, float]):
    """Numbers by name; and what only a drawing shows whole.

    `histograms` are latencies by the name of their row, encoded as peers hand them over (CONTRACT.md, section 5).
    `courses` are a process's counters, by the name of its role: `{"cycles": […], "counters": {name: […]}}`, one value
    for each number of cycles that were done since warming up.
    """

    def __init__(self) -> None:
        super().__init__()
        self.histograms: dict[str, str] = {}
        self.courses: dict[str, Any] = {}


def check_courses(courses: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError, in one line, for courses that are not of the form above."""
    for role, course in courses.items():
        rows = {"cycles": course["cycles"], **course["counters"]}
        for name, values in rows.items():
            if not isinstance(values, list) or not all(type(value) is int for value in values):
                raise TypeError(f"'courses.{role}': {name} must be whole numbers")
            if len(values) != len(course["cycles"]):
                raise ValueError(f"'courses.{role}': {name} must have a value for each number of cycles")
