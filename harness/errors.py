"""The harness's errors: two branches that must never be mistaken for one another.

`PeerFault` means that the thing under test misbehaved: evidence for a verdict. `SetupFault` means that the
harness, its toolchain, its input or the host is not ready: it says what to install, run or correct, and never
counts against a peer. `Unsupported` and `Inconclusive` are neither: a peer said beforehand that it lacks a feature, or
the machine was too noisy to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HarnessError(Exception):
    """Root of everything that the harness raises on purpose."""


class SetupFault(HarnessError):
    """The harness or the host is not ready. The text is one line: what, where, what to do."""


class Unbuildable(SetupFault):
    """A peer cannot be built. So it would be in every cell of it: the run ends, and nothing is filed."""


class Unsupported(HarnessError):
    """A peer does not list a feature that a check needs. Never a failure."""


class Inconclusive(HarnessError):
    """The machine was too noisy, or too small, to say. The text says what was measured and what was needed."""


class PeerFault(HarnessError):
    """A peer did something wrong. `evidence` holds what shows it beside the peer's log, by title."""

    verdict = "fail"
    evidence: Mapping[str, str] = {}


class PeerCrash(PeerFault):
    """A peer's process ended while it was needed."""

    verdict = "crash"


class PeerHang(PeerFault):
    """A peer did not answer within the deadline of the control channel, and was killed."""

    verdict = "hang"


class ContractBreach(PeerFault):
    """A peer said something that the contract forbids, or left something behind."""


class CallFailed(PeerFault):
    """A peer answered a call with an error.

    `name` is one of the contract's error names (``timeout``, ``state``, …) or "" when the error has none;
    `data` holds what the peer reported beside it (``errno``, ``text``, ``messages``, …).
    """

    def __init__(self, peer: str, method: str, code: int, message: str, data: dict[str, Any]) -> None:
        self.peer = peer
        self.method = method
        self.code = code
        self.name: str = str(data.get("name", ""))
        self.data = data
        detail = f" ({data['text']})" if data.get("text") else ""
        super().__init__(f"{peer}: {method} failed: {self.name or code}: {message}{detail}")
