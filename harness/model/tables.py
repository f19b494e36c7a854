"""Data files that are arrays of TOML tables with a name each (known issues, budgets): reading and refusing them."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness.model import naming


def read(text: str, file: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return each `[[kind]]` behind words for where it stands; ValueError is one line with file, key and reason."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{file}: not TOML: {error}") from None
    if extra := document.keys() - {kind}:
        raise ValueError(f"{file}: unknown key {sorted(extra)[0]!r}; the file holds [[{kind}]] tables only")
    entries = document.get(kind, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{file}: {kind!r} must be an array of tables, [[{kind}]]")
    return [
        (f"{file}: {kind} {number} ({entry.get('name', 'without a name')})", entry)
        for number, entry in enumerate(entries, 1)
    ]


def check_keys(entry: Mapping[str, Any], where: str, known: Collection[str], texts: Iterable[str]) -> None:
    """Refuse keys that nobody knows, and those of `texts` that are missing or empty; ValueError."""
    if extra := entry.keys() - set(known):
        raise ValueError(f"{where}: unknown key {sorted(extra)[0]!r}; known are {', '.join(known)}")
    for key in texts:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise ValueError(f"{where}: key {key!r} must be a text that is not empty")


def check_name(name: str, earlier: Collection[str], where: str, kind: str) -> None:
    """Refuse a name that an earlier entry has; ValueError."""
    if name in earlier:
        raise ValueError(f"{where}: key 'name': there is another {kind} of this name")


def check_cells(patterns: Iterable[str], where: str) -> None:
    """Refuse what is no pattern of cell ids; ValueError."""
    for pattern in patterns:
        try:
            naming.check(pattern)
        except ValueError as error:
            raise ValueError(f"{where}: key 'cells': {error}") from None
