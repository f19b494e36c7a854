"""Prints the table of proofs at the end of a run of this folder."""

from __future__ import annotations

import pytest

_ROWS: list[tuple[str, str, str, str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _ROWS.extend(tuple(value) for name, value in report.user_properties if name == "proof")  # type: ignore[misc,arg-type]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _ROWS:
        return
    terminalreporter.section("planted faults")
    for fault, cell, expected, found, reason in sorted(_ROWS):
        caught = "caught" if expected == found else "MISSED"
        terminalreporter.write_line(f"{caught:7} {fault:16} {found:6} {cell:62} {reason.partition(chr(10))[0]:.80}")
