"""Allure labels of a cell: its place in the behaviours tree, its verdict and links; and its evidence as steps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import allure

from harness.judge import Outcome
from harness.model.patterns import PATTERNS
from harness.model.verdicts import Verdict
from harness.places.face import LOCAL
from harness.report.store import Record

SEVERITIES: Final = {
    Verdict.CRASH: "blocker",
    Verdict.HANG: "critical",
    Verdict.MISSING: "critical",
    Verdict.FAIL: "normal",
    Verdict.FIXED: "minor",
    Verdict.KNOWN: "minor",
}
"""What is not here is trivial: nobody has to act."""


def clause_link(source: str) -> str:
    """Return where a pattern's source can be read: an RFC by its number, or a page of libzmq's manual."""
    if rfc := re.match(r"(\d+)/", source):
        return f"https://rfc.zeromq.org/spec/{rfc[1]}/"
    return f"https://libzmq.readthedocs.io/en/latest/{source.partition('(')[0]}.html"


def labels(record: Record) -> dict[str, str]:
    """Return a cell's labels by their names in Allure."""
    cell = record.cell
    return {
        "epic": PATTERNS[cell.pattern].source,
        "feature": cell.pattern,
        "story": record.check.removeprefix("test_").replace("_", " ") or cell.what,
        "severity": SEVERITIES.get(record.verdict, "trivial"),
        "verdict": str(record.verdict),
        "transport": cell.transport,
        "peers": f"{cell.left}>{cell.right}",
        "place": cell.places or LOCAL,
    }


def label(record: Record, outcome: Outcome, sections: Iterable[tuple[str, str]]) -> None:
    """Label the running test and attach its evidence, which has titles; does nothing where Allure is off."""
    for name, value in labels(record).items():
        allure.dynamic.label(name, value)
    source = PATTERNS[record.cell.pattern].source
    allure.dynamic.link(clause_link(source), link_type="link", name=source)
    if outcome.issue is not None:
        allure.dynamic.link(outcome.issue.link, link_type="issue", name=outcome.issue.name)
    if not record.verdict.expected:
        for title, text in sections:
            _step(title, text)
        if outcome.error is not None:
            _step("expected and received", f"{type(outcome.error).__name__}: {outcome.error}")
    if outcome.wire is not None and outcome.wire.files:
        with allure.step("wire record"):
            for path in outcome.wire.files:
                kind = allure.attachment_type.TEXT if path.suffix == ".txt" else "application/vnd.tcpdump.pcap"
                allure.attach.file(path, path.name, kind, path.suffix[1:])


def _step(title: str, text: str) -> None:
    with allure.step(title):
        allure.attach(text, title, allure.attachment_type.TEXT)
