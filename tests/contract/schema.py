"""Holding messages to peers/contract.schema.json, the machine-readable form of CONTRACT.md."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

PEERS: Final = Path(__file__).resolve().parents[2] / "peers"
FILE: Final = PEERS / "contract.schema.json"


@cache
def document() -> dict[str, Any]:
    """Return the schema."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what checks one definition of the schema."""
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": document()["$defs"]})


def wrongs(name: str, value: Any) -> list[str]:
    """Say where a value does not fit a definition."""
    return [f"{error.json_path}: {error.message:.300}" for error in validator(name).iter_errors(value)]


def check(method: str | None, answer: dict[str, Any]) -> None:
    """Raise if a response is not what the schema says that this method answers."""
    success = f"success_{method}" if method is not None else "success"
    definition = success if "result" in answer else "failure"
    assert wrongs(definition, answer) == [], f"{method} answered {answer!r:.300}"
