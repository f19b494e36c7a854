"""Allure labels of a cell: its place in the behaviours tree, its verdict, its clause and its links."""

from __future__ import annotations

import allure

from harness.judge import Outcome
from harness.model.patterns import PATTERNS
from harness.model.verdicts import Verdict
from harness.report import evidence
from harness.report.store import Record


def label(record: Record, outcome: Outcome) -> None:
    """Label the running test; does nothing where Allure is off."""
    cell = record.cell
    pattern = PATTERNS[cell.pattern]
    allure.dynamic.epic(pattern.source)
    allure.dynamic.feature(cell.pattern)
    allure.dynamic.story(record.check.removeprefix("test_").replace("_", " "))
    allure.dynamic.label("verdict", str(record.verdict))
    allure.dynamic.label("transport", cell.transport)
    allure.dynamic.label("peers", f"{cell.left}>{cell.right}")
    if outcome.issue is not None:
        allure.dynamic.link(outcome.issue.link, link_type="issue", name=outcome.issue.name)
    if not record.verdict.expected:
        allure.dynamic.severity("critical" if record.verdict in (Verdict.CRASH, Verdict.HANG) else "normal")
        for title, text in evidence.sections(cell, outcome):
            allure.attach(text, title, allure.attachment_type.TEXT)
    for path in outcome.wire.files if outcome.wire is not None else ():
        kind = allure.attachment_type.TEXT if path.suffix == ".txt" else "application/vnd.tcpdump.pcap"
        allure.attach.file(path, path.name, kind, path.suffix[1:])
