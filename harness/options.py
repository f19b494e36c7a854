"""The options of pytest's command line: what there is, and what is wrong with what was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from harness import judge
from harness.errors import SetupFault
from harness.model.matrix import Cell, Selection
from harness.peers import library
from harness.peers.client import PATIENCE
from harness.peers.manifest import Manifest
from harness.places import quarters

T = TypeVar("T")


def declare(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("zmq-interop", "ZeroMQ interoperability")
    for option, what in (
        ("pattern", "run only this pattern, e.g. push-pull"),
        ("transport", "run only this transport, e.g. tcp6"),
        ("peer", "run only cells of this implementation (name several to pair them)"),
        ("payload", "run only this payload class"),
        ("exclude", "leave out a pattern, transport, payload, peer, or a glob of cell ids"),
        ("cell", "run exactly this cell, by its id"),
    ):
        group.addoption(f"--{option}", action="append", default=[], metavar="NAME", help=f"{what}; may be repeated")
    group.addoption("--full", action="store_true", help="every payload class on every link, not a spread of them")
    group.addoption("--manifest", action="append", default=[], metavar="FILE", help="another peer's manifest")
    group.addoption(
        "--library",
        action="append",
        default=[],
        metavar="PEER=WHERE",
        help="build on another version of the peer's library, or on a folder: pyzmq=25.1.2, go-zeromq=../zmq4; "
        "may be repeated",
    )
    group.addoption("--known-issues", metavar="FILE", default=None, help="default: tests/known_issues.toml")
    group.addoption("--budgets", metavar="FILE", default=None, help="default: tests/budgets.toml")
    group.addoption(
        "--patience",
        default=str(PATIENCE),
        metavar="S",
        help="seconds that a message may take (default: 10)",
    )
    group.addoption(
        "--record",
        default=judge.Record.NONE,
        metavar="WHICH",
        help="record what crosses the wire: failures (run again under the recorder), all, or none (default)",
    )
    group.addoption(
        "--place",
        action="append",
        default=[],
        metavar="SIDE=PLACE",
        help=f"where a side's peers run, e.g. left=docker; there are {', '.join(quarters.NAMES)} (default: local)",
    )
    group.addoption(
        "--places",
        default=None,
        metavar="PAIRS",
        help="run every cell in several places: all, or pairs such as docker>netns,local>docker",
    )
    group.addoption(
        "--shard", default=None, metavar="K/N", help="run only part K of N; zmq-interop merge joins the parts"
    )
    group.addoption("--reports", metavar="DIR", default=None, help="where runs are filed; default: reports/")


def in_the_checkout(config: pytest.Config, root: Path, *, away: bool = False) -> None:
    """Refuse a run without the checkout's settings, which pytest looks for beside any path among its arguments.

    A worker that is `away`, on another machine, looks for them in the folder that it was told to run in.
    """
    if away and config.inipath is None:
        raise SetupFault(f"{config.invocation_params.dir}: no checkout lies there; let chdir= name one")
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    if config.inipath is None and not named and config.invocation_params.dir == root:
        files = [("manifest", name) for name in config.option.manifest]
        files += [(name, value) for name in ("known_issues", "budgets", "reports") if (value := config.getoption(name))]
        for option, value in files:
            if Path(value).is_absolute():
                option = option.replace("_", "-")
                raise SetupFault(f"--{option} {value}: pytest took this path for its root; write --{option}={value}")


def selection(config: pytest.Config, names: Sequence[str]) -> Selection:
    """Return the cells that were asked for; ValueError names what is not among the implementations `names`."""
    option = config.option
    asked = Selection(
        patterns=frozenset(option.pattern),
        transports=frozenset(option.transport),
        peers=frozenset(option.peer),
        payloads=frozenset(option.payload),
        exclude=frozenset(option.exclude),
        cells=frozenset(option.cell),
        full=option.full,
        places=_places(option.place, option.places),
    )
    asked.check(names)
    return asked


def _places(sides: Sequence[str], several: str | None) -> tuple[str, ...]:
    if sides and several:
        raise ValueError("--place and --places: give one of them")
    return quarters.several(several) if several else (quarters.pair(sides),)


def _libraries(config: pytest.Config, found: Mapping[str, Manifest]) -> list[library.Exchange]:
    return [library.Exchange.parse(text, found) for text in config.option.library]


def of_peers(config: pytest.Config, found: Mapping[str, Manifest]) -> list[str]:
    """Return the options that say which programs and libraries the peers are, with whole paths."""
    manifests = [f"--manifest={Path(name).resolve()}" for name in config.option.manifest]
    return [*manifests, *map(str, _libraries(config, found))]


def exchanged(
    config: pytest.Config, found: Mapping[str, Manifest], chosen: Selection, cache: Path
) -> dict[str, Manifest]:
    """Return the manifests with the libraries that `--library` names; SetupFault where that cannot be.

    Nothing is made for a run that only collects.
    """
    asked = _libraries(config, found)
    places = [*chosen.places, *(Cell.parse(cell).places for cell in chosen.cells)]
    for one in asked:
        one.check(found[one.peer], places)
    return dict(found) if config.option.collectonly else library.exchanged(found, asked, cache)


def patience(text: str) -> float:
    """Return the seconds that a message may take; ValueError for what is no such number."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 3600:
        raise ValueError(f"--patience {text}: must be a number of seconds from 0.01 to 3600")
    return seconds


def data(option: str | None, default: Path, parse: Callable[[str, str], list[T]]) -> list[T]:
    """Read a file of data by its option, else the default one if it exists; SetupFault or ValueError in one line."""
    file = Path(option or default)
    if not file.exists():
        if option:
            raise SetupFault(f"{file}: there is no such file")
        return []
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupFault(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SetupFault(f"{file}: not TOML: {error}") from None
    return parse(text, str(file))
