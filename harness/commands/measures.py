"""Commands that measure: bench, stability, soak, load, tune."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import click
from rich.table import Table

from harness.commands.base import INTEROP, REPORTS, ROOT, command, out, pool_of
from harness.measure import bench as measuring
from harness.measure import soak as soaking
from harness.measure import study as studying
from harness.measure.tune import report as tuned_report
from harness.measure.tune import study as tuning
from harness.measure.tune import table as tuned_table
from harness.measure.tune.factors import ON_REQUEST
from harness.report import load_table, page_small, store


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Runs with all workers.")
@click.pass_context
@command
def bench(context: click.Context, rounds: int) -> int:
    """Measure what the harness costs: the whole matrix several times, against bare exchanges."""
    sys.path.insert(0, str(ROOT))
    found = []
    with out.status("running the matrix") as status:
        for workers, run in measuring.runs(ROOT, rounds, tuple(context.args)):
            found.append((workers, run))
            status.update(f"{len(found)} of {rounds + 2} runs done")
        status.update("measuring bare exchanges")
        floor = measuring.floor(found[0][1], ROOT / INTEROP)
    shown = Table("workers", "cells", "s", "cells/s", "exchange ms", "× bare", "whole cell ms", "× bare ")
    timings = [measuring.timing(run, workers, floor) for workers, run in found]
    for row in timings:
        figures = (row.seconds, row.rate, row.exchange, row.exchange_ratio, row.whole, row.whole_ratio)
        shown.add_row(row.workers, str(row.cells), *(f"{figure:.2f}" for figure in figures))
    out.print(shown)
    two, one = timings[-2:]
    out.print(f"gain from 1 to 2 workers: {one.seconds / two.seconds:.2f}")
    out.print(f"bare exchange, median over all kinds of cell: {statistics.median(floor.values()):.2f} ms")
    return 0


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--times", default=20, show_default=True, type=click.IntRange(1), help="How many full runs.")
@click.option("--busy", default=0, show_default=True, type=click.IntRange(0), help="Processes that burn CPU meanwhile.")
@click.pass_context
@command
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
            found = store.read(REPORTS / "latest")
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


@click.command()
@click.option("--for", "how_long", default="10m", show_default=True, help="How long: 90s, 10m, 1h30m.")
@click.option("--peer", "names", multiple=True, help="Only this one; may be repeated.")
@click.option("--reports", type=click.Path(path_type=Path), default=REPORTS, help="Where it is filed.")
@command
def soak(how_long: str, names: tuple[str, ...], reports: Path) -> int:
    """Let mixed traffic flow over all pairs, restart peers now and then, and say which counters grew."""
    seconds = soaking.duration(how_long)
    pool = pool_of(names)
    folder = reports / store.new_name()
    with out.status("starting") as status:
        found = soaking.Soaker(pool, seconds, lambda so_far: status.update(str(so_far))).run()
    file = soaking.write(found, folder)
    page_small.studies(folder, "soak")
    for line in found.summary():
        out.print(line, markup=False)
    out.print(f"counters over time: {file}", markup=False, soft_wrap=True)
    return 1 if found.grew else 0


@click.command()
@click.option("--clients", "counts", default="10,100,1000", show_default=True, help="How many clients at once.")
@click.option("--server", "servers", multiple=True, help=f"Who serves (default: {' and '.join(studying.SERVERS)}).")
@click.option("--client", "clients", multiple=True, help=f"Who asks (default: {' and '.join(studying.CLIENTS)}).")
@click.option("--for", "seconds", default="5", show_default=True, help="Seconds for each row of the table.")
@click.option("--tuned", is_flag=True, help="Measure a tuned server too, in turn with the default one.")
@click.option("--reports", type=click.Path(path_type=Path), default=REPORTS, help="Where it is filed.")
@command
def load(
    counts: str, servers: tuple[str, ...], clients: tuple[str, ...], seconds: str, tuned: bool, reports: Path
) -> int:
    """Measure servers (ROUTER) under many clients at once: requests a second, waits, errors, memory."""
    pool = pool_of()
    plan = studying.plan(counts, servers, clients, seconds, tuned=tuned, known=list(pool.manifests))
    started, courses = time.time(), []
    with out.status("starting") as status:
        for pair in studying.study(pool, plan, status.update):
            courses += pair
            out.print(load_table.table(pair))
            for line in load_table.remarks(pair):
                out.print(line, soft_wrap=True)
    folder = reports / store.new_name(started)
    file = load_table.write(folder, load_table.about(started, sys.argv), courses)
    page_small.studies(folder, "load")
    out.print(f"every step, with its histogram: {file}", markup=False, soft_wrap=True)
    return 0 if all(course.good for course in courses) else 1


@click.command()
@click.option(
    "--step", default="all", show_default=True, metavar="1|2|3|all", help="Sockets, Go runtime, host, or all."
)
@click.option("--peer", "names", multiple=True, help=f"Study this one (default: {' and '.join(tuning.PEERS)}).")
@click.option(
    "--blocks", metavar="N", help=f"Blocks of each side (default: {tuning.BLOCKS}; more tell smaller effects)."
)
@click.option("--quick", is_flag=True, help=f"{tuning.QUICK_BLOCKS} blocks of less, to see it work in two minutes.")
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="|".join(ON_REQUEST),
    help="Change this setting of the machine too, while it is measured, and put it back.",
)
@click.option("--reports", type=click.Path(path_type=Path), default=REPORTS, help="Where it is filed.")
@command
def tune(
    step: str, names: tuple[str, ...], blocks: str | None, quick: bool, changes: tuple[str, ...], reports: Path
) -> int:
    """Measure what socket options, Go runtime and host settings buy, each against its default.

    Changes nothing but its own processes, unless --change names a setting of the machine.
    """
    pool = pool_of()
    plan = tuning.plan(step, names, blocks, quick, list(pool.manifests), changes)
    with out.status("starting") as status:
        study = tuning.Study(pool, plan, status.update)
        study.run()
    found = tuned_report.of(study, store.new_name())
    for shown in tuned_table.whole(found):
        out.print(shown)
    folder = tuned_report.write(found, reports)
    page_small.studies(folder, "tune")
    out.print(f"every block: {folder / tuned_report.JSON}", markup=False, soft_wrap=True)
    return 0 if study.whole else 1
