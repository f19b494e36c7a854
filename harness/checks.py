"""What a check sees of pytest: the fixtures that the judge fills in for each cell, and messages that differ, explained.

The fixtures are placeholders (`harness/judge.py` knows what they stand for). Being of the session, they cost no Allure
container file a cell.
"""

from __future__ import annotations

import pytest

from harness.model.frames import Message, first_difference
from harness.report import evidence


@pytest.fixture(scope="session")
def left() -> None:
    """The peer that plays the pattern's left role (filled in for each cell)."""


@pytest.fixture(scope="session")
def right() -> None:
    """The peer that plays the pattern's right role (filled in for each cell)."""


@pytest.fixture(scope="session")
def link() -> None:
    """Who binds, who connects, over which transport (filled in for each cell)."""


@pytest.fixture(scope="session")
def payload() -> None:
    """The cell's payload class (filled in for each cell)."""


@pytest.fixture(scope="session")
def pattern() -> None:
    """The cell's pattern (filled in for each cell)."""


@pytest.fixture(scope="session")
def figures() -> None:
    """A dict for what a check measured, filed beside its verdict (filled in for each cell)."""


@pytest.fixture(scope="session")
def peers() -> None:
    """Several peers for a role (filled in for each cell)."""


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain two messages that differ: expected, received, first difference."""
    if op != "==" or not isinstance(left, Message) or not isinstance(right, list | tuple):
        return None
    return [
        "the message received is the message expected",
        f"expected: {evidence.shown(right)}",
        f"received: {evidence.shown(left)}",
        f"first difference: {first_difference(left, right)}",
    ]
