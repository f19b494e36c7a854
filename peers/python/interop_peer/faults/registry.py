"""The table of planted faults, into which each module of this folder writes its own.

A fault is a class that behaves worse than the honest one it is made from: a link, a server, a driver, or several of
them. One process has at most one, so what a fault remembers may live in its module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from ..asyncio_socket import AsyncioSocket
from ..driver import Driver
from ..drivers import pyzmq, pyzmq_asyncio
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
    asyncio: type[AsyncioSocket] | None
    take: Callable[[str], object] | None


_PLANS: dict[str, _Plan] = {}


def register(
    name: str,
    description: str,
    *,
    link: type[pyzmq.ZmqLink] = pyzmq.ZmqLink,
    server: type[Server] = Server,
    driver: type[pyzmq.PyzmqDriver] = pyzmq.PyzmqDriver,
    asyncio: type[AsyncioSocket] | None = None,
    take: Callable[[str], object] | None = None,
) -> None:
    """Enter a fault of the blocking driver, and with ``asyncio`` of the other one too.

    ``take`` is given what stands after the ``=`` of ``--fault NAME=VALUE``, where there is one.
    """
    FAULTS[name] = description
    _PLANS[name] = _Plan(link, server, driver, asyncio, take)


def plant(
    words: str, module: ModuleType, workdir: Workdir, lifetime: Lifetime, writer: Writer
) -> tuple[Server, Driver]:
    """Make a server and a driver that make the mistake called ``words``: ``NAME``, or ``NAME=VALUE``."""
    name, separator, value = words.partition("=")
    if (plan := _PLANS.get(name)) is None:
        raise SystemExit(f"no fault '{name}'; there are: {', '.join(FAULTS)}")
    if (plan.take is None) == bool(separator):
        raise SystemExit(f"fault '{name}' takes {'no' if separator else 'a'} value: {FAULTS[name]}")
    if plan.asyncio is None and module is not pyzmq:
        raise SystemExit("this fault is planted in the driver pyzmq only")
    if plan.take:
        plan.take(value)
    server = plan.server(workdir, lifetime, writer)
    if plan.asyncio and module is pyzmq_asyncio:
        loop = pyzmq_asyncio.AsyncioDriver(server)
        loop.socket = plan.asyncio
        return server, loop
    driver = plan.driver(server)
    driver.link = plan.link
    return server, driver
