"""Evidence of a cell that did not simply pass: what a person needs to understand it, and to repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from harness.judge import Outcome
from harness.model.frames import Content, frame
from harness.model.matrix import Cell
from harness.report.store import Record

_SHORT = 400

_PLAIN: Final = re.compile(r"[\w@%+=:,./-]+")
"""A word that no shell takes apart."""


def short(reason: str) -> str:
    """Return a reason as one line for tables."""
    line = " ".join(reason.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


def shown(message: Sequence[Content], limit: int = 8) -> str:
    """Show a message; long ones by their first frames and their count."""
    frames = ", ".join(repr(frame(item)) for item in message[:limit])
    more = f", … ({len(message)} frames)" if len(message) > limit else ""
    return f"[{frames}{more}]"


def repeat_command(cell: str, options: Iterable[str] = ()) -> str:
    """Return the command that runs just the cell of this id, with the run's options; every shell reads it alike."""
    words = [word if _PLAIN.fullmatch(word) else f'"{word}"' for word in options]
    return " ".join(["zmq-interop", "repeat", f'"{cell}"', *words])


def of(outcome: Outcome) -> dict[str, Any]:
    """Return the evidence for the run store."""
    found: dict[str, Any] = {"peers": outcome.peers}
    if outcome.error is not None:
        found["error"] = f"{type(outcome.error).__name__}: {outcome.error}"
    if outcome.logs:
        found["logs"] = outcome.logs
    if outcome.evidence:
        found["held"] = dict(outcome.evidence)
    if outcome.wire is not None:
        found["wire"] = {
            "about": outcome.wire.about(),
            "files": ["/".join(path.parts[-3:]) for path in outcome.wire.files],
        }
    return found


def sections(cell: Cell, outcome: Outcome, options: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Return titled texts for a failure's printed report; `options` are the run's, which repeat it."""
    lines = [f"verdict: {outcome.verdict}", f"repeat:  {repeat_command(cell.id, options)}", *outcome.peers]
    if outcome.blame:
        lines.append(f"blame:   {outcome.blame}")
    if outcome.wire is not None:
        lines += [f"record:  {line}" for line in (*outcome.wire.about(), *map(str, outcome.wire.files))]
    return [
        ("zmq-interop", "\n".join(lines)),
        *((f"stderr of {name}", tail) for name, tail in outcome.logs.items()),
        *outcome.evidence.items(),
    ]


def explained(record: Record, folder: Path, options: Iterable[str] = ()) -> Iterator[str]:
    """Yield all that a run says about a cell as lines; `folder` is the run's, where its wire record lies."""
    yield record.cell.id
    told = {"verdict": f"{record.verdict}, after {record.seconds:.3f} s", "check": record.check, "blame": record.blame}
    told |= {"known issue": record.issue, "worker": record.worker}
    yield from (f"{name + ':':13}{value}" for name, value in told.items() if value)
    yield from (f"{name + ':':13}{value:g}" for name, value in record.figures.items())
    for role, course in record.courses.items():
        for name, values in ({"cycles": course["cycles"]} | course["counters"]).items():
            yield f"{f'{name} ({role}):':22}{' '.join(map(str, values))}"
    yield f"{'repeat:':13}{repeat_command(record.cell.id, options)}"
    if record.reason and "error" not in record.evidence:
        yield from _titled("reason", record.reason)
    for title, found in record.evidence.items():
        yield from _titled(title, found)
    for name in record.evidence.get("wire", {}).get("files", ()):
        page = folder / name
        if page.suffix == ".txt" and page.is_file():
            lines = page.read_text(encoding="utf-8").splitlines()
            yield from _titled(str(page), lines[:_CONVERSATION])
            if len(lines) > _CONVERSATION:
                yield f"  … {len(lines) - _CONVERSATION} more lines"


_CONVERSATION: Final = 60
"""Lines of a wire record that are shown; the file has them all."""


def _titled(title: str, found: Any) -> Iterator[str]:
    """Yield a titled piece of evidence: text, a list of texts, or several titled ones."""
    if isinstance(found, Mapping):
        for name, value in found.items():
            yield from _titled(f"{title}: {name}", value)
        return
    yield ""
    yield f"{title}:"
    lines = [line for text in found for line in str(text).splitlines()] if isinstance(found, list) else None
    yield from (f"  {line}" for line in (str(found).splitlines() if lines is None else lines))
