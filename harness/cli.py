"""The `zmq-interop` command: thin. What it says comes from the model, the peers, the reports and pytest."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

import harness
from harness import doctor as checks
from harness.commands import measures, reports, workflows
from harness.commands.base import INTEROP, command, out, pool_of, run_pytest
from harness.errors import SetupFault
from harness.host import restore
from harness.model.matrix import Cell
from harness.peers.sockets import Peer


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(harness.__version__)
def main() -> None:
    """Test whether Go and Python ZeroMQ peers still understand each other."""


@main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.pass_context
@command
def run(context: click.Context) -> int:
    """Run the matrix; further arguments go to pytest (try --pattern, --transport, --peer, --exclude, --full)."""
    return run_pytest("-n", "auto", INTEROP, *context.args)


@main.command()
@click.argument("cell")
@click.option("--times", default=1, show_default=True, type=click.IntRange(1), help="How often.")
@click.option("--record", default="none", show_default=True, help="What to record: failures, all or none.")
@click.option("--library", "libraries", multiple=True, metavar="PEER=WHERE", help="As pytest's --library.")
@click.option("--manifest", "manifests", multiple=True, metavar="FILE", help="As pytest's --manifest.")
@command
def repeat(cell: str, times: int, record: str, libraries: tuple[str, ...], manifests: tuple[str, ...]) -> int:
    """Run one CELL again, by its id."""
    Cell.parse(cell)
    options = ["--record", record, *(f"--library={_whole(one)}" for one in libraries)]
    options += [f"--manifest={Path(one).resolve()}" for one in manifests]
    for turn in range(times):
        if times > 1:
            out.print(f"[bold]{turn + 1} of {times}[/]")
        if code := run_pytest("-p", "no:cacheprovider", "-n", "0", INTEROP, "--cell", cell, *options):
            return code
    return 0


def _whole(library: str) -> str:
    """Return PEER=FOLDER with the folder's whole path, for pytest runs in the checkout."""
    peer, _, what = library.partition("=")
    return f"{peer}={Path(what).resolve()}" if Path(what).is_dir() else library


@main.command()
@click.option("--peer", "names", multiple=True, help="Only this one; may be repeated.")
@command
def peers(names: tuple[str, ...]) -> int:
    """Build and start each peer and show what it says of itself."""
    pool = pool_of(names)
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
@click.option("--restore", "restoring", is_flag=True, help="Only put back what killed runs left changed.")
@command
def doctor(restoring: bool) -> int:
    """Check this machine: a ZeroMQ context, Python, Go, libzmq, Docker, and that each peer builds and starts."""
    if restoring:
        swept = restore.sweep()
        for line in (*swept.restored, *(f"NOT restored: {one}" for one in swept.failed)):
            out.print(line, markup=False, soft_wrap=True)
        out.print(f"{len(swept.restored)} restored, {len(swept.failed)} could not be")
        return 2 if swept.failed else 0
    worst = 0
    for check in checks.all_checks(pool_of()):
        with out.status(check.name):
            found = check.run()
        colour, word = {True: ("green", "ok"), False: ("red", "missing"), None: ("yellow", "optional")}[found.good]
        out.print(f"[{colour}]{word:8}[/] {check.name}: ", end="")
        out.print(found.text, markup=False)
        if found.good is False:
            worst = 2
    return worst


@main.command()
@command
def prove() -> int:
    """Plant every fault and show that the right check catches it."""
    return run_pytest("-n", "auto", "tests/proofs")


for _found in (
    *(reports.explain, reports.matrix, reports.compare, reports.merge, reports.report),
    workflows.ci,
    *(measures.bench, measures.stability, measures.soak, measures.load, measures.tune),
):
    main.add_command(_found)
