"""What all commands share: where things lie, how errors end, how pytest and pools are started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from harness.errors import HarnessError, SetupFault
from harness.peers import manifest
from harness.peers.pool import Pool
from harness.places.local import LocalPlace

ROOT: Final = Path(__file__).resolve().parents[2]
REPORTS: Final = ROOT / "reports"
INTEROP: Final = "tests/interop"

out = Console(highlight=False)


def command(function: Callable[..., int | None]) -> Callable[..., None]:
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


def run_pytest(*arguments: str) -> int:
    """Run pytest in the checkout and return its exit code."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode


def pool_of(names: Sequence[str] = ()) -> Pool:
    """Return a pool of all peers, or of those named; SetupFault for a name that nobody has."""
    found = manifest.find(ROOT / "peers")
    for name in names:
        if name not in found:
            raise SetupFault(f"--peer {name}: no such peer; there are {', '.join(found)}")
    return Pool({name: found[name] for name in names or found}, LocalPlace(), ROOT / ".build" / "peers")
