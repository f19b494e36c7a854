"""What a firewall is told: what to allow or to block, of which listeners, programs and profiles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from harness.errors import SetupFault

Action = Literal["allow", "block"]
Direction = Literal["in", "out", "both"]
Profile = Literal["any", "domain", "private", "public"]

LAG: Final = 3.0
"""Seconds that a new rule may take to act; Windows needs a moment."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is allowed or blocked. No port means every port; no program, every program."""

    action: Action
    direction: Direction = "both"
    ports: tuple[int, ...] = ()
    program: Path | None = None
    profile: Profile = "any"

    def __post_init__(self) -> None:
        """SetupFault for what no firewall understands."""
        for value, kind, what in (
            (self.action, Action, "action"),
            (self.direction, Direction, "direction"),
            (self.profile, Profile, "profile"),
        ):
            if value not in get_args(kind):
                raise SetupFault(f"firewall: {what} {value!r}: there are {', '.join(get_args(kind))}")
        for port in self.ports:
            if not 0 < port < 65_536:
                raise SetupFault(f"firewall: there is no port {port}: 1 to 65535")
        if self.direction != "both" and not (self.ports or self.program):
            raise SetupFault("firewall: one direction alone needs a port or a program, as seen from whom it is meant")
        if self.program is not None and not self.program.is_file():
            raise SetupFault(f"firewall: there is no program {self.program}")
