"""Every kind of change to this machine and how it is undone: what a killed run left is put back at the next start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from harness.host import affinity, journal, priority, settings, windows_firewall
from harness.host.journal import Swept, Undo

UNDOES: Final[Mapping[str, Undo]] = {
    affinity.KIND: affinity.restore,
    priority.KIND: priority.restore,
    settings.KIND: settings.restore,
    windows_firewall.KIND: windows_firewall.remove,
}


def sweep(place: Path | None = None) -> Swept:
    """Put back what runs left that are gone."""
    return journal.sweep(place or journal.folder(), UNDOES)
