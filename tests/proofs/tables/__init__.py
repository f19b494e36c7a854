"""The proofs as data: a table beside each family of checks. A new table is found by its `PROOFS`."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

from tests.proofs.tables.matrix import AT_THE_END
from tests.proofs.tables.proof import FAULTY, Proof

PROOFS: Final[tuple[Proof, ...]] = tuple(
    proof
    for module in pkgutil.iter_modules(__path__)
    for proof in getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROOFS", ())
)

__all__ = ["AT_THE_END", "FAULTY", "PROOFS", "Proof"]
