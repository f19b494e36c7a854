"""One run as the controlling process sees it: gathers records, audits them, writes the run, prints the summary.

Under xdist this lives in the controller only; workers send their records along with pytest's own reports.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import zmq

import harness
from harness.host import facts
from harness.host.journal import Swept
from harness.model.known import KnownIssue
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.peers.manifest import Manifest
from harness.report import allure_results, away, history, page, store, table
from harness.report.store import Record, Run

_CELL_ID: Final = re.compile(r"\[([^\[\]]+)\]$")


def cell_name(nodeid: str) -> str:
    """Return the cell id that a pytest node id ends with, or ""."""
    found = _CELL_ID.search(nodeid)
    try:
        return Cell.parse(found[1]).id if found else ""
    except ValueError:
        return ""


class RunSession:
    """A pytest plugin object of the controlling process."""

    def __init__(
        self,
        reports: Path,
        manifests: Mapping[str, Manifest],
        named: Iterable[str] = (),
        known: Iterable[KnownIssue] = (),
    ) -> None:
        self._named = set(named)
        self._known = {issue.name: {"reason": issue.reason, "link": issue.link} for issue in known}
        self._began = time.time()
        self.run = Run(
            store.new_name(),
            {
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "command": " ".join(sys.argv),
                "harness": harness.__version__,
                "host": platform.node(),
                "system": platform.platform(),
                "python": platform.python_version(),
                "pyzmq": zmq.pyzmq_version(),
                "libzmq": zmq.zmq_version(),
                "cores": os.cpu_count(),
                "facts": facts.facts(),
                "libraries": {},
                "peers": list(manifests),
            },
            [],
        )
        self.folder = reports / self.run.name
        self._collected: list[str] = []
        self._setup_faults: list[str] = []
        self._unbuildable = False
        self._began_there: set[str] = set()
        self._started = time.perf_counter()
        self._first = 0.0

    def take_sweep(self, swept: Swept) -> None:
        """Note what a killed run had left changed on this machine; what could not be put back is a problem."""
        self.run.problems += [f"left by a killed run: {line}" for line in swept.failed]
        if swept.restored:
            self.run.about["restored"] = swept.restored

    def take_end(self, problems: Sequence[str], loaded: Mapping[str, Any]) -> None:
        """Take over what peers did wrong at their end, and which library files they had loaded."""
        self.run.problems += problems
        self.run.about["libraries"] = {**loaded, **self.run.about["libraries"]}

    def collect(self, cells: Sequence[str]) -> None:
        """Note which cells were collected."""
        self._collected = list(cells)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self, session: pytest.Session) -> Iterator[None]:
        """Start xdist's workers; where there can be none, or they would end over -k or -m, say so in a line."""
        config = session.config
        try:
            config.pluginmanager.getplugin("mark").pytest_collection_modifyitems([], config)  # reads -k and -m
            return (yield)
        except pytest.UsageError as error:
            fault = str(error)
        except away.UNREACHED as error:
            if not getattr(config.option, "tx", None) or config.option.numprocesses:
                raise
            fault = f"--tx: no worker starts there: {str(error) or type(error).__name__}"
            warnings.simplefilter("ignore", ResourceWarning)  # for what xdist leaves of its half
        shutil.rmtree(self.folder, ignore_errors=True)
        pytest.exit(f"zmq-interop: {fault}", returncode=2)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Note what was collected under xdist, by its looks: a worker says what is a cell when it ends, if it lives."""
        self._began_there.add(node.gateway.id)
        if not self._collected:
            self._collected = [name for nodeid in ids if (name := cell_name(nodeid))]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over which items were cells, what a worker's peers did wrong at their end, and files from elsewhere."""
        output = getattr(node, "workeroutput", {})
        if not node.gateway.spec.popen:
            self._take_from_elsewhere(node, output)
        self.take_end(output.get("zmq_interop_problems", []), output.get("zmq_interop_libraries", {}))
        self.collect(output.get("zmq_interop_cells", self._collected))

    def _take_from_elsewhere(self, node: Any, output: Mapping[str, Any]) -> None:
        """Take over the files of a worker on another machine, or why there are none."""
        where = f"--tx {str(node.gateway.spec).removeprefix(f'execmodel={node.gateway.spec.execmodel}//')}"
        if fault := output.get(away.FAULT):
            self._add_fault(f"{where}: {fault}")
        elif files := output.get(away.FILES):
            away.unpack(files, self.folder, Path(node.config.option.allure_report_dir))
        elif node.gateway.id not in self._began_there:
            self._add_fault(f"{where}: no worker starts there; what it said stands above")
        else:
            self.run.problems.append(
                f"worker {node.gateway.id}: ended without its files; recordings and Allure results are lost"
            )

    def _add_fault(self, fault: str) -> None:
        if fault not in self._setup_faults:
            self._setup_faults.append(fault)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take over a record."""
        if fault := getattr(report, "setup_fault", None):
            self._add_fault(fault)
            self._unbuildable |= hasattr(report, "unbuildable")
        elif row := getattr(report, "cell_record", None):
            self._first = self._first or time.time()
            record = Record.from_json(row)
            record.at = round(max(0.001, report.start - self._began), 3)
            self.run.records.append(record)
        elif report.failed and (name := cell_name(report.nodeid)):
            self._without_record(name, str(report.longrepr))

    def _without_record(self, name: str, text: str) -> None:
        """Record a cell whose fixture failed, or in which the worker itself died: still one verdict."""
        if name not in {record.cell.id for record in self.run.records}:
            verdict = Verdict.CRASH if "crashed while running" in text else Verdict.FAIL
            self.run.records.append(Record(Cell.parse(name), verdict, reason=text[-400:]))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Audit, write the run, set the exit code."""
        if session.config.option.collectonly:
            return
        if lost := self._named.difference(self._collected):
            self._setup_faults += [f"--cell {name}: no check runs in such a cell" for name in sorted(lost)]
            session.exitstatus = 2
        nothing_ran = not self._collected and not self.run.records
        if nothing_ran or self._unbuildable or session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            self.run.records.clear()
            shutil.rmtree(self.folder, ignore_errors=True)
            session.exitstatus = 2 if self._setup_faults else session.exitstatus
            return
        missing, problems = store.audit(self._collected, self.run.records)
        self.run.records += missing
        order = {name: index for index, name in enumerate(self._collected)}
        self.run.records.sort(key=lambda record: order.get(record.cell.id, len(order)))
        self.run.problems += problems
        named = {record.worker for record in self.run.records if record.worker}
        self.run.about["workers"] = getattr(session.config.option, "numprocesses", None) or len(named)
        if where := sorted({record.cell.places for record in self.run.records if record.cell.places}):
            self.run.about["places"] = where
        met = {record.issue for record in self.run.records if record.issue}
        self.run.about["issues"] = {name: issue for name, issue in self._known.items() if name in met}
        self.run.about["seconds"] = round(time.perf_counter() - self._started, 3)
        try:
            store.write(self.run, self.folder.parent)
            allure_results.write(self.run, Path(session.config.option.allure_report_dir), os.environ)
            page.write(self.run, self.folder)
            store.point_latest(self.folder)
            history.append(self.run, self.folder.parent)
        except OSError as error:
            place = error.filename2 or error.filename or self.folder
            self._setup_faults.append(f"{place}: the run cannot be filed: {error.strerror}")
        if self._setup_faults:
            session.exitstatus = 2
        elif not self.run.good and session.exitstatus in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table and where the report lies."""
        if self._setup_faults:
            terminalreporter.section("set-up", red=True)
        for fault in self._setup_faults:
            terminalreporter.write_line(f"zmq-interop: {fault}")
        if not self.run.records:
            return
        terminalreporter.section("ZeroMQ interoperability")
        for line in self.run.about.get("restored", ()):
            terminalreporter.write_line(f"restored, left by a killed run: {line}")
        for line in table.summary(self.run):
            terminalreporter.write_line(line)
        if started := os.environ.get("ZMQ_INTEROP_STARTED"):
            terminalreporter.write_line(
                f"first cell {self._first - float(started):.1f} s after the start of the set-up"
            )
        terminalreporter.write_line(f"report: {self.folder / page.PAGE}")
