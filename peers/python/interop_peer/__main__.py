"""``python -m interop_peer --driver NAME [--fault NAME[=VALUE]] | --list-faults``."""

from __future__ import annotations

import importlib
import os
import sys
import threading

USAGE = "usage: python -m interop_peer --driver NAME [--fault NAME[=VALUE]] | --list-faults"

STDIN, STDOUT, STDERR = 0, 1, 2


def arguments(words: list[str]) -> dict[str, str]:
    """Read the command line by hand: a parser would take longer to import than the rest to start."""
    known = {"--driver", "--fault"}
    options = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or "--driver" not in options or options.keys() - known:
        raise SystemExit(USAGE)
    return options


def list_faults() -> None:
    """Print the names of the planted faults, with one line about each."""
    from .faults import FAULTS

    for name, description in FAULTS.items():
        print(f"{name:18} {description}")  # noqa: T201


def main(words: list[str]) -> None:
    """Serve the contract on stdin and stdout until the input ends."""
    if words == ["--list-faults"]:
        list_faults()
        return
    options = arguments(words)

    from . import machine
    from .lifetime import Lifetime, Workdir
    from .lines import Writer
    from .server import Server

    try:
        module = importlib.import_module(f"{__package__}.drivers.{options['--driver'].replace('-', '_')}")
    except ModuleNotFoundError as error:
        raise SystemExit(f"no driver '{options['--driver']}' here: {error}") from None

    # The real stdout is moved away, and whatever anybody prints goes to the log
    writer = Writer(os.dup(STDOUT))
    os.dup2(STDERR, STDOUT)
    machine.handle_limit()
    workdir = Workdir()
    lifetime = Lifetime(workdir)
    if fault := options.get("--fault"):
        from .faults import plant

        server, driver = plant(fault, module, workdir, lifetime, writer)
    else:
        server = Server(workdir, lifetime, writer)
        driver = module.make(server)
    threading.Thread(target=server.serve, args=(driver, STDIN), name="reader", daemon=True).start()
    lifetime.wait(STDIN)
    server.registry.close_all()
    lifetime.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
