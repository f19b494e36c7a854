"""The pytest face of the harness: options, how cells become test items, how verdicts become reports.

Everything that decides anything lives elsewhere (`model`, `judge`, `report`); this file only connects it to pytest's
hooks. A test that has the marker `cells` (matrix cells of some patterns) or `scenario` (one named behaviour over some
links) is run once a cell, and is handed `left`, `right`, `link`, `payload`, `cell`, `pattern` or `peers` by name.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from harness import judge, options
from harness.errors import SetupFault, Unbuildable
from harness.host import libraries, restore
from harness.measure import alone
from harness.measure import budgets as budgeting
from harness.model import known, matrix
from harness.model.matrix import Cell, Selection
from harness.model.shards import Shard
from harness.model.verdicts import Verdict
from harness.peers import manifest
from harness.peers.manifest import Manifest
from harness.peers.pool import Pool
from harness.places.local import LocalPlace
from harness.places.sweep import sweep
from harness.report import allure_labels, evidence, store
from harness.report.away import RESTARTS, Away, Unready
from harness.report.session import RunSession
from harness.report.store import Record
from harness.wire import filing

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout: peers' sources, tests and reports live below it."""

pytest_plugins = ("harness.host.fixtures", "harness.checks")

MORE_WORKERS: Final = 4
"""Workers beyond the cores, at most: each has some ten processes, and the last ones gain little."""

_SELECTION = pytest.StashKey[Selection]()
_SHARD = pytest.StashKey[Shard]()
_MANIFESTS = pytest.StashKey[Mapping[str, Manifest]]()
_OF_PEERS = pytest.StashKey[list[str]]()
_KNOWN = pytest.StashKey[Sequence[known.KnownIssue]]()
_PATIENCE = pytest.StashKey[float]()
_RECORDING = pytest.StashKey[judge.Record]()
_POOL = pytest.StashKey[Pool]()
_SESSION = pytest.StashKey[RunSession]()
_AWAY = pytest.StashKey[Away]()
_RECORD = pytest.StashKey[Record]()
_BUDGETS = pytest.StashKey[Sequence[budgeting.Budget]]()
_MEASURES = pytest.StashKey[bool]()
_SECTIONS = pytest.StashKey[Iterable[tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read all input before anything starts; bad input is one line and exit code 2."""
    config.addinivalue_line("markers", "cells(*patterns): run once for each matrix cell of these patterns")
    config.addinivalue_line(
        "markers", "scenario(name, *patterns, transports=, pairs=, binds=): run once for each of these links"
    )
    config.addinivalue_line("markers", "unrecorded(why): looks at what a recorder between the peers would change")
    config.addinivalue_line("markers", "slow: takes seconds; leave out with -m 'not slow'")
    config.addinivalue_line("markers", "measured: runs while no other test does; leave out with -m 'not measured'")
    config.addinivalue_line("markers", "wide: only with --full, or when a cell is named")
    away = hasattr(config, "workerinput") and not config.workerinput["zmq_interop_folder"]
    try:
        options.in_the_checkout(config, ROOT, away=away)
        found = manifest.find(ROOT / "peers", map(Path, config.option.manifest))
        config.stash[_SELECTION] = chosen = options.selection(config, [*found])
        config.stash[_MANIFESTS] = options.exchanged(config, found, chosen, ROOT / ".build" / "libraries")
        config.stash[_OF_PEERS] = options.of_peers(config, found)
        config.stash[_SHARD] = Shard.parse(config.option.shard or "1/1")
        config.stash[_KNOWN] = options.data(config.option.known_issues, ROOT / "tests/known_issues.toml", known.parse)
        config.stash[_BUDGETS] = options.data(config.option.budgets, ROOT / "tests/budgets.toml", budgeting.parse)
        config.stash[_PATIENCE] = options.patience(config.option.patience)
        config.stash[_RECORDING] = judge.Record.named(config.option.record)
        reports = Path(config.option.reports or ROOT / "reports")
        if not config.option.collectonly and not hasattr(config, "workerinput"):
            store.usable(reports)
    except (SetupFault, ValueError) as error:
        if away:
            config.pluginmanager.register(Unready(str(error)), "zmq-interop-unready")
            return
        pytest.exit(f"zmq-interop: {error}", returncode=2)
    if not hasattr(config, "workerinput"):
        sweep()
        swept = restore.sweep()
        session = RunSession(reports, config.stash[_MANIFESTS], config.option.cell, [*config.stash[_KNOWN]])
        session.take_sweep(swept)
        if config.stash[_OF_PEERS]:
            session.run.about["options"] = config.stash[_OF_PEERS]
        if config.option.shard:
            session.run.about["shard"] = str(config.stash[_SHARD])
        config.stash[_SESSION] = session
        config.pluginmanager.register(session, "zmq-interop-session")
        if getattr(config.option, "tx", None) and not config.option.numprocesses:
            config.option.maxworkerrestart = config.option.maxworkerrestart or RESTARTS
    elif away:
        config.stash[_AWAY] = Away()
        config.pluginmanager.register(config.stash[_AWAY], "zmq-interop-away")
        config.option.allure_report_dir = ""
    if not config.option.allure_report_dir and not config.option.collectonly:
        config.option.allure_report_dir = str(_folder(config) / "allure-results")
    if not hasattr(config, "workerinput") and not config.option.xmlpath and not config.option.collectonly:
        config.option.xmlpath = str(_folder(config) / "junit.xml")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where its run is filed; nowhere if it runs on another machine."""
    folder = node.config.stash[_SESSION].folder
    node.workerinput["zmq_interop_folder"] = str(folder.absolute()) if node.gateway.spec.popen else ""


def _folder(config: pytest.Config) -> Path:
    """Return the run's folder, or what stands for it on another machine."""
    if _AWAY in config.stash:
        return config.stash[_AWAY].folder
    if hasattr(config, "workerinput"):
        return Path(config.workerinput["zmq_interop_folder"])
    return config.stash[_SESSION].folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Take two workers for each core that this process may use: most behaviours wait more than they compute."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + min(cores, MORE_WORKERS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item for each selected cell of a test's patterns."""
    cells = metafunc.definition.get_closest_marker("cells")
    scenario = metafunc.definition.get_closest_marker("scenario")
    if cells is None and scenario is None:
        return
    selection = metafunc.config.stash[_SELECTION]
    names = [*metafunc.config.stash[_MANIFESTS]]
    if cells is not None:
        chosen = matrix.select(cells.args, selection, names)
    else:
        assert scenario is not None
        what, *patterns = scenario.args
        chosen = selection.placed(matrix.scenario(what, patterns, names, **scenario.kwargs))
        if metafunc.definition.get_closest_marker("wide") and not (selection.full or selection.cells):
            chosen = []
    chosen = [cell for cell in chosen if metafunc.config.stash[_SHARD].takes(cell.id)]
    if "cell" not in metafunc.fixturenames:
        metafunc.fixturenames.append("cell")
    metafunc.parametrize(
        "cell",
        [pytest.param(cell.id, id=cell.id, marks=pytest.mark.slow if cell.slow else ()) for cell in chosen],
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the placeholders that pytest makes for checks without a selected cell; they are not skipped tests."""
    if empty := [item for item in items if _is_empty(item)]:
        config.hook.pytest_deselected(items=empty)
        dropped = set(empty)
        items[:] = [item for item in items if item not in dropped]
    items.sort(key=_is_measured)  # last, so that they interrupt nobody


def _is_measured(item: pytest.Item) -> bool:
    return item.get_closest_marker("measured") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let measuring tests run alone, across workers and runs."""
    if not item.config.stash.get(_MEASURES, False):
        return (yield)
    with alone.turn(alone=_is_measured(item)):
        return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say which of the collected items are cells; a node id alone does not tell."""
    session.config.stash[_MEASURES] = any(map(_is_measured, session.items))
    cells = [cell.id for item in session.items if (cell := _cell_of(item))]
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["zmq_interop_cells"] = cells
    elif _SESSION in config.stash and not getattr(config.option, "numprocesses", None):
        config.stash[_SESSION].collect(cells)


def _is_empty(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec is None or isinstance(callspec.params.get("cell"), str):  # nearly every item; markers take longer
        return False
    return any(item.get_closest_marker(name) for name in ("cells", "scenario"))


@pytest.fixture(scope="session")
def budgets(request: pytest.FixtureRequest) -> Sequence[budgeting.Budget]:
    """The bounds that measured cells are held to."""
    return request.config.stash[_BUDGETS]


def _new_pool(config: pytest.Config) -> Pool:
    selection = config.stash[_SELECTION]
    manifests = {
        name: found
        for name, found in config.stash[_MANIFESTS].items()
        if (not selection.peers or name in selection.peers) and name not in selection.exclude
    }
    return Pool(manifests, LocalPlace(), ROOT / ".build" / "peers", config.stash[_PATIENCE])


def _pool(config: pytest.Config) -> Pool:
    if _POOL not in config.stash:
        config.stash[_POOL] = _new_pool(config)
    return config.stash[_POOL]


@pytest.fixture(scope="session")
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    """A pool of the same peers for tests that are not cells; a peer that ends badly fails the test."""
    own = _new_pool(request.config)
    yield own
    assert own.close() == []


def _cell_of(item: pytest.Item) -> Cell | None:
    callspec = getattr(item, "callspec", None)
    if callspec is None or not any(item.get_closest_marker(name) for name in ("cells", "scenario")):
        return None
    text = callspec.params["cell"]
    return Cell.parse(text) if isinstance(text, str) else None


def _unrecorded(item: pytest.Item) -> str:
    """Return why a cell cannot be recorded; "" if it can."""
    if item.get_closest_marker("measured"):
        return "a recorder would be measured too"
    mark = item.get_closest_marker("unrecorded")
    return str(mark.args[0]) if mark else ""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a cell's check through the judge."""
    cell = _cell_of(pyfuncitem)
    if cell is None:
        return None
    config = pyfuncitem.config
    names = pyfuncitem._fixtureinfo.argnames
    extra = {name: pyfuncitem.funcargs[name] for name in names if name not in judge.NAMES}
    outcome = judge.judge(
        *(cell, _pool(config), pyfuncitem.obj, extra, config.stash[_KNOWN]),
        record=config.stash[_RECORDING],
        unrecorded=_unrecorded(pyfuncitem),
    )
    if outcome.wire is not None and outcome.wire.recordings:
        outcome.wire.files = filing.file(_folder(config), cell.id, outcome.wire.recordings, outcome.wire.about())
    pyfuncitem.stash[_RECORD] = Record(
        cell=cell,
        verdict=outcome.verdict,
        seconds=outcome.seconds,
        reason=evidence.short(outcome.reason),
        issue=outcome.issue.name if outcome.issue else "",
        blame=outcome.blame,
        check=pyfuncitem.originalname,
        worker=os.environ.get("PYTEST_XDIST_WORKER", ""),
        figures=dict(outcome.figures),
        histograms=outcome.figures.histograms,
        courses=outcome.figures.courses,
        evidence={} if outcome.verdict is Verdict.PASS and outcome.wire is None else evidence.of(outcome),
    )
    given = config.stash[_OF_PEERS]
    sections = evidence.sections(cell, outcome, given)
    allure_labels.label(pyfuncitem.stash[_RECORD], outcome, sections)
    match outcome.verdict:
        case Verdict.PASS:
            return True
        case Verdict.UNSUPPORTED:
            pytest.skip(f"unsupported: {outcome.reason}")
        case Verdict.INCONCLUSIVE:
            pytest.skip(f"inconclusive: {outcome.reason}")
        case Verdict.KNOWN:
            assert outcome.issue is not None
            pytest.xfail(f"known issue {outcome.issue.name}: {outcome.issue.reason} ({outcome.issue.link})")
        case Verdict.FIXED:
            pytest.fail(outcome.reason, pytrace=False)
    pyfuncitem.stash[_SECTIONS] = sections
    assert outcome.error is not None
    raise outcome.error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send the record to the controller with the report of the call."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, SetupFault):
        report.setup_fault = str(call.excinfo.value)  # type: ignore[attr-defined]
        report.longrepr = f"set-up: {call.excinfo.value}"
        if isinstance(call.excinfo.value, Unbuildable):
            report.unbuildable = True  # type: ignore[attr-defined]
            item.session.shouldstop = "a peer cannot be built"
    if call.when == "call" and _RECORD in item.stash:
        report.cell_record = item.stash[_RECORD].to_json()  # type: ignore[attr-defined]
        report.sections += item.stash.get(_SECTIONS, [])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the peers; what they did wrong at the end is a problem of the run."""
    config = session.config
    if _POOL not in config.stash:
        return
    loaded = libraries.of_peers(config.stash[_POOL].running())
    problems = config.stash[_POOL].close()
    if hasattr(config, "workeroutput"):
        config.workeroutput["zmq_interop_problems"] = problems
        config.workeroutput["zmq_interop_libraries"] = loaded
    else:
        config.stash[_SESSION].take_end(problems, loaded)
