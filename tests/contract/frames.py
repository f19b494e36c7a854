"""Frames as CONTRACT.md, section 2, spells them; made here by hand, so that nothing of the harness is trusted."""

from __future__ import annotations

import base64
import hashlib
from typing import Any


def b64(data: bytes) -> dict[str, str]:
    """Spell bytes."""
    return {"base64": base64.b64encode(data).decode()}


def digest(data: bytes) -> dict[str, Any]:
    """Spell bytes by size and digest."""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def recipe(size: int, seed: int) -> bytes:
    """Make the bytes of a recipe, step by step as CONTRACT.md tells it."""
    block = b"".join(hashlib.sha256(f"{seed}:{index}".encode()).digest() for index in range(129))[:4099]
    return (block * (size // 4099 + 1))[:size]
