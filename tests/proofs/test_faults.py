"""Every check can fail: each planted fault turns the right check red, with the right verdict."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import judge
from harness.host import firewall
from harness.measure import budgets
from harness.model import known
from harness.model.matrix import Cell
from harness.model.patterns import MIXED
from harness.model.verdicts import Verdict
from harness.peers import manifest
from harness.peers.pool import Pool
from harness.places.local import LocalPlace
from harness.plugin import ROOT
from tests.proofs.tables import AT_THE_END, FAULTY, PROOFS, Proof

PATIENCE = 1.0
"""Seconds: a lost message is waited for in vain, and a planted one need not be waited for long."""

ATTEMPTS = 5
"""How often a machine that is too restless to say is asked; what it says then counts, whatever it is."""

KNOWN = known.parse((ROOT / "tests" / "known_issues.toml").read_text(encoding="utf-8"), "known_issues.toml")


BUDGETS = budgets.parse((ROOT / "tests" / "budgets.toml").read_text(encoding="utf-8"), "budgets.toml")

ROWS = [
    pytest.param(
        proof,
        id=proof.id,
        marks=[mark for mark in getattr(proof.check, "pytestmark", ()) if mark.name == "measured"],
    )
    for proof in PROOFS
]


@contextmanager
def extra(check: Callable[..., object]) -> Iterator[dict[str, Any]]:
    """Yield what a check gets from fixtures, and not from the judge."""
    wall = firewall.Firewall(firewall.wall)
    given = {"budgets": BUDGETS, "firewall": wall}
    yield {name: given[name] for name in inspect.signature(check).parameters if name in given}
    wall.close()


@contextmanager
def faulty_pool(fault: str) -> Iterator[Pool]:
    """Yield a pool with honest peers and one that has the fault planted."""
    manifests = {name: found for name, found in manifest.find(ROOT / "peers").items() if found.language == "python"}
    manifests[FAULTY] = manifests["pyzmq"].with_arguments(FAULTY, "--fault", fault)
    pool = Pool(manifests, LocalPlace(), ROOT / ".build" / "peers", PATIENCE)
    try:
        yield pool
    finally:
        pool.close()


@pytest.mark.parametrize("proof", ROWS)
def test_the_check_catches_the_fault(proof: Proof, record_property: Callable[[str, object], None]) -> None:
    cell = Cell.parse(proof.cell)
    with faulty_pool(proof.fault) as pool, extra(proof.check) as given:
        for _ in range(ATTEMPTS):
            outcome = judge.attempt(cell, pool, proof.check, given)
            if outcome.verdict is not Verdict.INCONCLUSIVE:
                break
    record_property("proof", [proof.fault, proof.cell, str(proof.verdict), str(outcome.verdict), outcome.reason])
    assert outcome.verdict is proof.verdict, outcome.reason
    assert proof.says in outcome.reason


@pytest.mark.parametrize("proof", ROWS)
def test_the_same_cell_is_not_red_without_the_fault(proof: Proof, pool: Pool) -> None:
    names = {FAULTY: "pyzmq"}
    cell = Cell.parse(proof.cell)
    honest = Cell(
        cell.pattern,
        cell.transport,
        names.get(cell.left, cell.left),
        names.get(cell.right, cell.right),
        cell.binds,
        cell.what,
    )
    # A topology of mixed peers would start the Go peers too; what it proves here is the check.
    if MIXED in (honest.left, honest.right):
        honest = honest.control("pyzmq")
    with extra(proof.check) as given:
        outcome = judge.judge(honest, pool, proof.check, given, KNOWN)
    fine = [Verdict.PASS, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, *([Verdict.KNOWN] if proof.known else [])]
    assert outcome.verdict in fine, f"{outcome.verdict}: {outcome.reason}"


@pytest.mark.parametrize("fault", AT_THE_END)
def test_what_a_peer_leaves_behind_is_found_at_its_end(fault: str) -> None:
    with faulty_pool(fault) as pool:
        peer = pool.peer(FAULTY, "left")
        peer.socket("PUSH", bind="tcp://127.0.0.1:*").close()
        wrongs = pool.close()
    assert [AT_THE_END[fault] in wrong for wrong in wrongs] == [True]


def test_every_fault_has_a_proof() -> None:
    sys.path.insert(0, str(ROOT / "peers" / "python"))
    try:
        planted = importlib.import_module("interop_peer.faults").FAULTS
    finally:
        sys.path.pop(0)
    # "ignore-option=LINGER" is the fault "ignore-option" with its parameter.
    assert set(planted) == {proof.fault.split("=")[0] for proof in PROOFS} | set(AT_THE_END)


def test_every_check_has_a_proof() -> None:
    proven = {proof.check for proof in PROOFS}
    checks = [
        check
        for file in sorted(Path(ROOT / "tests" / "interop").glob("test_*.py"))
        for name, check in vars(importlib.import_module(f"tests.interop.{file.stem}")).items()
        if name.startswith("test_")
    ]
    assert checks
    assert [check.__name__ for check in checks if check not in proven] == []
