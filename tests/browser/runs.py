"""Runs to look at: one with every verdict, and one of 5,000 cells with as much evidence as a bad run has."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from harness.model import matrix
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.report.store import Record, Run

ABOUT: Final = {
    "started": "2026-01-02T03:04:05Z",
    "host": "here",
    "system": "Linux",
    "seconds": 60.5,
    "issues": {"an-issue": {"reason": "it breaks", "link": "https://example.org/1"}},
}
PEERS: Final = ["go-zeromq 0.17.0 (pure Go)", "pyzmq 27.3.0 (libzmq 4.3.5)"]

REASONS: Final = {
    Verdict.FAIL: "the message received is the message expected",
    Verdict.KNOWN: "it breaks as ever",
    Verdict.FIXED: "known issue 'an-issue' did not happen",
    Verdict.UNSUPPORTED: "go-zeromq 0.17.0 has no socket type STREAM",
    Verdict.CRASH: "the peer ended with exit code 2",
    Verdict.HANG: "the peer did not answer",
    Verdict.INCONCLUSIVE: "the floor is restless: 40 %",
    Verdict.MISSING: "collected, but no verdict was reported",
}

FAILED: Final = "req-rep/tcp4/go-zeromq>pyzmq/left-binds/multipart"
WATCHED: Final = 7
"""The place of a cell whose counters were watched."""

HOSTILE: Final = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"


def record(cell: Cell, verdict: Verdict, **more: Any) -> Record:
    """Return a record with what its verdict has."""
    issue = "an-issue" if verdict in (Verdict.KNOWN, Verdict.FIXED) else ""
    evidence: dict[str, Any] = {}
    blame = ""
    if verdict in (Verdict.FAIL, Verdict.CRASH, Verdict.HANG):
        blame = f"{cell.left}: it fails with itself too, {cell.right} with itself passes"
        evidence = {"peers": PEERS, "error": "AssertionError: expected ['a']", "logs": {"left": HOSTILE}}
    values: dict[str, Any] = {"seconds": 0.012, "check": "test_it", "worker": "gw0", "reason": REASONS.get(verdict, "")}
    return Record(cell, verdict, issue=issue, blame=blame, evidence=evidence, **(values | more))


def small() -> tuple[Run, Run]:
    """Return a run and the one after it, in which every verdict occurs and one cell is new, one is gone."""
    others = (cell for cell in matrix.default() if cell.pattern in ("req-rep", "push-pull") and cell.id != FAILED)
    links = [Cell.parse(FAILED), *islice(others, 259)]
    verdicts = {0: Verdict.FAIL} | {20 * at: one for at, one in enumerate(Verdict, 1) if one is not Verdict.FAIL}
    after = [record(cell, verdicts.get(index, Verdict.PASS)) for index, cell in enumerate(links)]
    after[WATCHED].courses = {"left": {"cycles": [0, 1, 3], "counters": {"handles": [9, 10, 12], "uss": [4096] * 3}}}
    after[WATCHED].figures = {"left_handles_per_cycle": 1.0}
    before = [record(one.cell, Verdict.PASS) for one in after[:-1]]
    before.append(record(Cell.parse("pub-sub/tcp4/pebbe>pyzmq/left-binds/gone"), Verdict.PASS))
    return Run("20260101-000000-1", dict(ABOUT), before), Run("20260102-000000-1", dict(ABOUT), after)


def large(count: int = 5000) -> Run:
    """Return a run in which one cell in ten is not a simple pass, with 2 KB of stderr each that nobody else has."""
    verdicts = list(Verdict)
    records = []
    for index, cell in enumerate(islice(matrix.full(), count)):
        verdict = verdicts[index // 10 % len(verdicts)] if index % 10 == 0 else Verdict.PASS
        one = record(cell, verdict, worker=f"gw{index % 2}", at=index / 20)
        if verdict is not Verdict.PASS:
            one.evidence |= {"logs": {"left": f"goroutine {index} [running]:\n" + f"at {index}\n" * 200}}
        records.append(one)
    return Run("20260103-000000-1", dict(ABOUT), records)
