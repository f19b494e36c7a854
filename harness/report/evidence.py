"""Evidence of a cell that did not simply pass: what a person needs to understand it, and to repeat it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.judge import Outcome
from harness.model.frames import Content, frame
from harness.model.matrix import Cell

_SHORT = 400


def short(reason: str) -> str:
    """Return a reason as one line for tables."""
    line = " ".join(reason.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


def shown(message: Sequence[Content], limit: int = 8) -> str:
    """Show a message; long ones by their first frames and their count."""
    frames = ", ".join(repr(frame(item)) for item in message[:limit])
    more = f", … ({len(message)} frames)" if len(message) > limit else ""
    return f"[{frames}{more}]"


def repeat_command(cell: Cell) -> str:
    """Return the command that runs just this cell."""
    return f"zmq-interop repeat '{cell.id}'"


def of(outcome: Outcome) -> dict[str, Any]:
    """Return the evidence for the run store."""
    found: dict[str, Any] = {"peers": outcome.peers}
    if outcome.error is not None:
        found["error"] = f"{type(outcome.error).__name__}: {outcome.error}"
    if outcome.logs:
        found["logs"] = outcome.logs
    return found


def sections(cell: Cell, outcome: Outcome) -> list[tuple[str, str]]:
    """Return titled texts for a failure's printed report."""
    lines = [f"verdict: {outcome.verdict}", f"repeat:  {repeat_command(cell)}", *outcome.peers]
    if outcome.blame:
        lines.append(f"blame:   {outcome.blame}")
    return [
        ("zmq-interop", "\n".join(lines)),
        *((f"stderr of {name}", tail) for name, tail in outcome.logs.items()),
    ]
