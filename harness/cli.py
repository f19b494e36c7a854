"""The `zmq-interop` command: thin. What it says comes from the model, the peers, the reports and pytest."""

from __future__ import annotations

import difflib
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

import harness
from harness import doctor as checks
from harness.errors import HarnessError, SetupFault
from harness.measure import alone
from harness.measure import bench as measuring
from harness.measure import compare as comparing
from harness.measure import soak as soaking
from harness.measure import study as studying
from harness.measure.tune import report as tuned_report
from harness.measure.tune import study as tuning
from harness.measure.tune import table as tuned_table
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.peers import manifest
from harness.peers.pool import Pool
from harness.peers.sockets import Peer
from harness.places.local import LocalPlace
from harness.report import changes, evidence, load_table, store, table

ROOT: Final = Path(__file__).resolve().parent.parent
INTEROP: Final = "tests/interop"

out = Console(highlight=False)


def _command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Turn a harness error into one line and exit code 2, and a returned number into the exit code."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            code = function(*args, **kwargs)
        except (SetupFault, ValueError) as error:
            click.echo(f"zmq-interop: {error}", err=True)
            sys.exit(2)
        except HarnessError as error:
            click.echo(f"zmq-interop: {error}", err=True)
            sys.exit(1)
        sys.exit(code or 0)

    return run


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(harness.__version__)
def main() -> None:
    """Test whether Go and Python ZeroMQ peers still understand each other."""


@main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.pass_context
@_command
def run(context: click.Context) -> int:
    """Run the matrix; further arguments go to pytest (try --pattern, --transport, --peer, --exclude, --full)."""
    return _pytest("-n", "auto", INTEROP, *context.args)


@main.command()
@click.argument("cell")
@click.option("--times", default=1, show_default=True, type=click.IntRange(1), help="How often.")
@click.option("--record", default="none", show_default=True, help="What to record: failures, all or none.")
@_command
def repeat(cell: str, times: int, record: str) -> int:
    """Run one CELL again, by its id."""
    Cell.parse(cell)
    for turn in range(times):
        if times > 1:
            out.print(f"[bold]{turn + 1} of {times}[/]")
        if code := _pytest("-p", "no:cacheprovider", "-n", "0", INTEROP, "--cell", cell, "--record", record):
            return code
    return 0


@main.command()
@click.argument("run_folder", metavar="RUN")
@click.argument("cell")
@_command
def explain(run_folder: str, cell: str) -> int:
    """Show what a RUN (a folder, a run's name, or latest) found out about one CELL."""
    folder = Path(run_folder)
    if not folder.exists():
        folder = ROOT / "reports" / run_folder
    found = store.read(folder)
    records = {record.cell.id: record for record in found.records}
    if cell not in records:
        near = ", ".join(difflib.get_close_matches(cell, records, 3, 0.5)) or "nothing"
        raise SetupFault(f"explain {run_folder}: no cell {cell!r} in run {found.name}; near it: {near}")
    for line in evidence.explained(records[cell], folder if folder.is_dir() else folder.parent):
        click.echo(line)
    return 0


@main.command()
@click.argument("run_folder", required=False, type=click.Path(path_type=Path))
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the table into this file too.")
@_command
def matrix(run_folder: Path | None, svg: Path | None) -> int:
    """Show the table of a run (default: the latest one)."""
    found = store.read(run_folder or ROOT / "reports" / "latest")
    console = Console(record=svg is not None, width=100 if svg else None)
    console.print(_drawn(found))
    for line in table.explanations(found):
        console.print(line, markup=False, highlight=False)
    if svg:
        drawn = console.export_svg(title="zmq-interop matrix")
        # The fonts that rich asks a server for are left out: a picture of a report fetches nothing.
        svg.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")
    return 0 if found.good else 1


_COLOURS: Final = {Verdict.PASS: "green", Verdict.KNOWN: "magenta", Verdict.UNSUPPORTED: "dim"}


def _drawn(run: store.Run) -> Table:
    """Draw the matrix in colour: a row a pattern, a column a left implementation, in it one mark for each right one."""
    squares = table.squares(run.records)
    patterns, lefts, rights = table.axes(run)
    shown = Table(title=f"run {run.name}", caption=f"in each square: > {' '.join(rights)}")
    for name in ("pattern", *(f"{left} >" for left in lefts)):
        shown.add_column(name)
    for pattern in patterns:
        row = []
        for left in lefts:
            marks = [squares.get((pattern, left, right)) for right in rights]
            row.append(" ".join(f"[{_COLOURS.get(mark, 'bold red')}]{mark.mark}[/]" for mark in marks if mark))
        shown.add_row(pattern, *row)
    return shown


def _pool(names: Sequence[str] = ()) -> Pool:
    """Return a pool of all peers, or of those named; SetupFault for a name that nobody has."""
    found = manifest.find(ROOT / "peers")
    for name in names:
        if name not in found:
            raise SetupFault(f"--peer {name}: no such peer; there are {', '.join(found)}")
    return Pool({name: found[name] for name in names or found}, LocalPlace(), ROOT / ".build" / "peers")


@main.command()
@click.option("--peer", "names", multiple=True, help="Only this one; may be repeated.")
@_command
def peers(names: tuple[str, ...]) -> int:
    """Build and start each peer and show what it says of itself."""
    pool = _pool(names)
    shown = Table("peer", "library", "runtime", "socket types", "transports", "options")
    for name in pool.manifests:
        with out.status(f"building and starting {name}"):
            peer = pool.start(name)
        shown.add_row(name, peer.library, peer.client.hello["runtime"], *_capabilities(peer))
        for wrong in peer.client.stop():
            raise SetupFault(wrong)
    out.print(shown)
    return 0


def _capabilities(peer: Peer) -> tuple[str, str, str]:
    can = peer.capabilities
    return " ".join(can["socket_types"]), " ".join(can["transports"]), str(len(can["options"]))


@main.command()
@_command
def doctor() -> int:
    """Check this machine: a ZeroMQ context, Python, Go, libzmq, Docker, and that each peer builds and starts."""
    worst = 0
    for check in checks.all_checks(_pool()):
        with out.status(check.name):
            found = check.run()
        colour, word = {True: ("green", "ok"), False: ("red", "missing"), None: ("yellow", "optional")}[found.good]
        out.print(f"[{colour}]{word:8}[/] {check.name}: ", end="")
        out.print(found.text, markup=False)
        if found.good is False:
            worst = 2
    return worst


@main.command()
@_command
def prove() -> int:
    """Plant every fault and show that the right check catches it."""
    return _pytest("-n", "auto", "tests/proofs")


@main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Runs with all workers.")
@click.pass_context
@_command
def bench(context: click.Context, rounds: int) -> int:
    """Measure what the harness costs: the whole matrix several times, against bare exchanges."""
    sys.path.insert(0, str(ROOT))
    found = []
    with out.status("running the matrix") as status:
        for workers, run in measuring.runs(ROOT, rounds, tuple(context.args)):
            found.append((workers, run))
            status.update(f"{len(found)} of {rounds + 1} runs done")
        status.update("measuring bare exchanges")
        floor = measuring.floor(found[0][1], ROOT / INTEROP)
    shown = Table("workers", "cells", "s", "cells/s", "exchange ms", "× bare", "whole cell ms", "× bare ")
    timings = [measuring.timing(run, workers, floor) for workers, run in found]
    for row in timings:
        figures = (row.seconds, row.rate, row.exchange, row.exchange_ratio, row.whole, row.whole_ratio)
        shown.add_row(row.workers, str(row.cells), *(f"{figure:.2f}" for figure in figures))
    out.print(shown)
    best = statistics.median(row.seconds for row in timings[:-1])
    out.print(f"gain from 1 worker to all: {timings[-1].seconds / best:.2f}")
    out.print(f"bare exchange, median over all kinds of cell: {statistics.median(floor.values()):.2f} ms")
    return 0


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@_command
def compare(before: Path, after: Path) -> int:
    """Say what changed from one run to another: verdicts, and each measured figure (faster, slower or cannot tell)."""
    runs = store.read(before), store.read(after)
    found = changes.between(*runs)
    if len(found.appeared) == len(runs[1].records):
        raise SetupFault(f"compare: {before} and {after} have no cell in common")
    for line in changes.lines(found):
        click.echo(line)
    rows = list(comparing.rows(*runs))
    worse = bool(found.of(changes.Kind.BROKEN)) or any(row.change is comparing.Change.SLOWER for row in rows)
    if not rows:
        return int(worse)
    shown = Table("cell", "figure", "before", "after", "change")
    for row in rows:
        colour = {comparing.Change.FASTER: "green", comparing.Change.SLOWER: "red"}.get(row.change, "dim")
        shown.add_row(row.cell, row.figure, str(row.before), str(row.after), f"[{colour}]{row.change}[/]")
    out.print(shown)
    return int(worse)


@main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--times", default=20, show_default=True, type=click.IntRange(1), help="How many full runs.")
@click.option("--busy", default=0, show_default=True, type=click.IntRange(0), help="Processes that burn CPU meanwhile.")
@click.pass_context
@_command
def stability(context: click.Context, times: int, busy: int) -> int:
    """Run the matrix many times; any unexpected verdict in any run is a failure."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    bad = 0
    try:
        for turn in range(times):
            started = time.perf_counter()
            code = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-n", "auto", INTEROP, *context.args],
                cwd=ROOT,
                capture_output=True,
                check=False,
            ).returncode
            found = store.read(ROOT / "reports" / "latest")
            news = [f"{record.verdict} {record.cell.id}" for record in found.records if not record.verdict.expected]
            news += found.problems
            bad += bool(news or code)
            counts = ", ".join(f"{count} {verdict}" for verdict, count in found.summary.items())
            out.print(f"{turn + 1:3} of {times}: {time.perf_counter() - started:.1f} s, exit {code}, {counts}")
            for line in news:
                out.print(f"      {line}", markup=False)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    out.print(f"{times - bad} of {times} runs without an unexpected verdict")
    return 1 if bad else 0


@main.command()
@click.option("--for", "how_long", default="10m", show_default=True, help="How long: 90s, 10m, 1h30m.")
@click.option("--peer", "names", multiple=True, help="Only this one; may be repeated.")
@click.option("--reports", type=click.Path(path_type=Path), default=ROOT / "reports", help="Where it is filed.")
@_command
def soak(how_long: str, names: tuple[str, ...], reports: Path) -> int:
    """Let mixed traffic flow over all pairs, restart peers now and then, and say which counters grew."""
    seconds = soaking.duration(how_long)
    pool = _pool(names)
    folder = reports / store.new_name()
    with out.status("starting") as status:
        found = soaking.Soaker(pool, seconds, lambda so_far: status.update(str(so_far))).run()
    file = soaking.write(found, folder)
    for line in found.summary():
        out.print(line, markup=False)
    out.print(f"counters over time: {file}", markup=False, soft_wrap=True)
    return 1 if found.grew else 0


@main.command()
@click.option("--clients", "counts", default="10,100,1000", show_default=True, help="How many clients at once.")
@click.option("--server", "servers", multiple=True, help=f"Who serves (default: {' and '.join(studying.SERVERS)}).")
@click.option("--client", "clients", multiple=True, help=f"Who asks (default: {' and '.join(studying.CLIENTS)}).")
@click.option("--for", "seconds", default="5", show_default=True, help="Seconds for each row of the table.")
@click.option("--tuned", is_flag=True, help="Measure a tuned server too, in turn with the default one.")
@click.option("--reports", type=click.Path(path_type=Path), default=ROOT / "reports", help="Where it is filed.")
@_command
def load(
    counts: str, servers: tuple[str, ...], clients: tuple[str, ...], seconds: str, tuned: bool, reports: Path
) -> int:
    """Measure servers (ROUTER) under many clients at once: requests a second, waits, errors, memory."""
    pool = _pool()
    plan = studying.plan(counts, servers, clients, seconds, tuned=tuned, known=list(pool.manifests))
    started, courses = time.time(), []
    with out.status("waiting for other measurements to end") as status, alone.turn(alone=True):
        for pair in studying.study(pool, plan, status.update):
            courses += pair
            out.print(load_table.table(pair))
            for line in load_table.remarks(pair):
                out.print(line, soft_wrap=True)
    folder = reports / store.new_name(started)
    file = load_table.write(folder, load_table.about(started, sys.argv), courses)
    out.print(f"every step, with its histogram: {file}", markup=False, soft_wrap=True)
    return 0 if all(course.good for course in courses) else 1


@main.command()
@click.option(
    "--step", default="all", show_default=True, metavar="1|2|3|all", help="Sockets, Go runtime, host, or all."
)
@click.option("--peer", "names", multiple=True, help=f"Study this one (default: {' and '.join(tuning.PEERS)}).")
@click.option(
    "--blocks", metavar="N", help=f"Blocks of each side (default: {tuning.BLOCKS}; more tell smaller effects)."
)
@click.option("--quick", is_flag=True, help=f"{tuning.QUICK_BLOCKS} blocks of less, to see it work in two minutes.")
@click.option("--reports", type=click.Path(path_type=Path), default=ROOT / "reports", help="Where it is filed.")
@_command
def tune(step: str, names: tuple[str, ...], blocks: str | None, quick: bool, reports: Path) -> int:
    """Measure what socket options, Go runtime and host settings buy, each against its default; changes no host."""
    pool = _pool()
    plan = tuning.plan(step, names, blocks, quick, list(pool.manifests))
    with out.status("starting") as status:
        study = tuning.Study(pool, plan, status.update)
        study.run()
    found = tuned_report.of(study, store.new_name())
    for shown in tuned_table.whole(found):
        out.print(shown)
    out.print(f"every block: {tuned_report.write(found, reports)}", markup=False, soft_wrap=True)
    return 0 if study.whole else 1
