"""The table of planted faults, into which each module of this folder writes its own.

A fault is a class that behaves worse than the honest one it is made from: a link, a server, a driver, or several of
them. One process has at most one, so what a fault remembers may live in its module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from ..drivers import pyzmq
from ..lifetime import Lifetime, Workdir
from ..lines import Writer
from ..server import Server

FAULTS: dict[str, str] = {}
"""What each fault does, by name."""


@dataclass(frozen=True, slots=True)
class _Plan:
    link: type[pyzmq.ZmqLink]
    server: type[Server]
    driver: type[pyzmq.PyzmqDriver]
    take: Callable[[str], object] | None


_PLANS: dict[str, _Plan] = {}


def register(
    name: str,
    description: str,
    *,
    link: type[pyzmq.ZmqLink] = pyzmq.ZmqLink,
    server: type[Server] = Server,
    driver: type[pyzmq.PyzmqDriver] = pyzmq.PyzmqDriver,
    take: Callable[[str], object] | None = None,
) -> None:
    """Enter a fault; ``take`` is given what stands after the ``=`` of ``--fault NAME=VALUE``, where there is one."""
    FAULTS[name] = description
    _PLANS[name] = _Plan(link, server, driver, take)


def plant(
    words: str, module: ModuleType, workdir: Workdir, lifetime: Lifetime, writer: Writer
) -> tuple[Server, pyzmq.PyzmqDriver]:
    """Make a server and a driver that make the mistake called ``words``: ``NAME``, or ``NAME=VALUE``."""
    name, separator, value = words.partition("=")
    if (plan := _PLANS.get(name)) is None:
        raise SystemExit(f"no fault '{name}'; there are: {', '.join(FAULTS)}")
    if (plan.take is None) == bool(separator):
        raise SystemExit(f"fault '{name}' takes {'no' if separator else 'a'} value: {FAULTS[name]}")
    if module is not pyzmq:
        raise SystemExit("faults are planted in the driver pyzmq only")
    if plan.take:
        plan.take(value)
    server = plan.server(workdir, lifetime, writer)
    driver = plan.driver(server)
    driver.link = plan.link
    return server, driver
