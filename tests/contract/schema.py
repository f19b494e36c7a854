"""Holding responses to peers/contract.schema.json."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).resolve().parents[2] / "peers" / "contract.schema.json"


def check(method: str | None, answer: dict[str, Any]) -> None:
    """Raise if a response is not what the schema says that this method answers."""
