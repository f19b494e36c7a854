"""What a proof is: a planted fault, and the check that must catch it.

The faulty peer is the blocking Python peer with one mistake planted (`--fault NAME`), under the name `faulty`. A check
without a row in one of the tables beside this file is not finished, and a fault without a row proves nothing;
`test_faults.py` holds both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.model.verdicts import Verdict

FAULTY: Final = "faulty"


@dataclass(frozen=True, slots=True)
class Proof:
    """A fault, the check that must catch it in a cell, and with what verdict; `says` stands in the reason.

    `known` says that the cell fails without the fault too, in another way, as a known issue of libzmq.
    """

    fault: str
    check: Callable[..., None]
    cell: str
    verdict: Verdict = Verdict.FAIL
    says: str = ""
    known: bool = False

    @property
    def id(self) -> str:
        """A name for the test."""
        return f"{self.fault}-{self.cell.replace('/', '-')}"
