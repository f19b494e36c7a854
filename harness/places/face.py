"""What a place is: where a peer runs. The command line and the reachable address differ, nothing else.

A place starts commands, says under which address a listener there is reached, and cleans up after itself. Its
*network* and its *files* are names: peers whose places have the same network share loopback, abstract names and ports;
those with the same files share paths. `local` names those of the harness itself. What a place can do to its peers'
network or process beyond this stands in the small protocols at the end: a check asks with `isinstance`, and a place
without it makes the check `unsupported`.

A new place is one file with a class like `LocalPlace`, and a row in `harness/places/quarters.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Literal, Protocol, runtime_checkable

from harness.model.matrix import Cell
from harness.peers.manifest import Manifest

LOCAL: Final = "local"
"""The name of this machine: as a place, as a network, and as files."""

Family = Literal["tcp4", "tcp6"]

LOOPBACK: Final[Mapping[Family, str]] = {"tcp4": "127.0.0.1", "tcp6": "::1"}


class Process(Protocol):
    """A running command with its standard streams attached. End of its stdin ends a peer."""

    pid: int
    """The process as this machine counts it; where it runs on another one, the process that stands for it here."""

    @property
    def stdin(self) -> IO[bytes]: ...  # noqa: D102
    @property
    def stdout(self) -> IO[bytes]: ...  # noqa: D102
    @property
    def stderr(self) -> IO[bytes]: ...  # noqa: D102
    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""

    def wait(self, seconds: float) -> int | None:
        """Wait for the end; return the exit code, or None if it did not come in time."""

    def signal(self, number: int) -> None:
        """Send a signal to the command itself; no error if it is gone."""

    def kill(self) -> None:
        """End the command and all that it started, at once; once more is no error."""

    def survivors(self) -> list[str]:
        """Name what the command started and what outlived it, and end that. Empty is as it should be."""


class Place(Protocol):
    """Where a peer runs. Errors: `Unsupported` for what it cannot do, which says what to install or to change."""

    name: str
    network: str
    files: str

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return how a peer is built and run here; Unsupported if it cannot run here at all."""

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Process:
        """Start a peer's command. OSError if it does not start."""

    def address(self, family: Family) -> str:
        """Return the address, without brackets, that a listener here binds to be reached from other networks."""

    def gateway(self, family: Family) -> str:
        """Return the address under which this machine, the harness's own, is reached from here."""

    def outward(self, host: str, port: int) -> tuple[str, int]:
        """Return what reaches a listener here from outside: the same, unless ports are published elsewhere."""

    def close(self) -> None:
        """End everything that was started here, and remove everything that was made for it. Once more is no error."""


@runtime_checkable
class Cuttable(Protocol):
    """A place whose network can be cut and healed, so that packets vanish without a word to either side."""

    def cut(self, direction: Literal["both", "in", "out"] = "both") -> None:
        """Drop everything that comes (`in`), goes (`out`), or both, until `heal`."""

    def heal(self) -> None:
        """Let everything through again, and end loss, rates and whatever else was done to the network."""


@runtime_checkable
class Lossy(Protocol):
    """A place whose network can lose packets, or be narrow."""

    def lose(self, percent: int) -> None:
        """Drop this share of the packets that come, at random, until `heal`."""

    def narrow(self, kilobits: int) -> None:
        """Let this many kilobits a second out, until `heal`."""


@runtime_checkable
class Movable(Protocol):
    """A place that can change its address while its peers run."""

    def move(self) -> None:
        """Take another address; the old one is gone at once."""


@runtime_checkable
class Foreign(Protocol):
    """A place that is another operating system on this machine."""

    def lacks(self, cell: Cell, side: str) -> str:
        """Return why this system cannot play a cell's left or right side; "" if it can."""

    def path(self, told: str) -> Path:
        """Return where this machine finds the file that a peer there names."""
