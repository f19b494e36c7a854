"""Fixtures for any test: `affinity`, `priority`, `firewall`, `host_facts`. What they change is put back at its end.

They are lazy: a test that only has them changes nothing. What this machine cannot do is `unsupported`, with the reason.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import pytest

from harness.errors import Unsupported
from harness.host import affinity as cores_of
from harness.host import facts
from harness.host import firewall as walls
from harness.host import priority as priority_of
from harness.peers.sockets import Peer

Who = int | Peer
"""A process by its id, or a peer."""


def pid_of(who: Who) -> int:
    """Return the process's id on this machine."""
    return who if isinstance(who, int) else who.client.pid


class Affinity:
    """Which cores processes and threads may use. `with` or not, everything is put back at the test's end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    @property
    def cores(self) -> list[int]:
        """The cores that this process, the harness, may use now."""
        return cores_of.cores()

    def read(self, who: Who) -> list[int]:
        """Return the cores that a process may use."""
        return cores_of.read(pid_of(who))

    def pin(self, who: Who, cores: Sequence[int]) -> None:
        """Keep a process, with all its threads, on these cores. SetupFault for none, or for one that is not there."""
        self._stack.enter_context(cores_of.pinned([pid_of(who)], cores))

    def io_threads(self, who: Who) -> list[int]:
        """Return the ids of a peer's libzmq I/O threads; there is none before its first socket."""
        return cores_of.io_threads(pid_of(who))

    def read_thread(self, who: Who, thread: int) -> list[int]:
        """Return the cores that a thread may use."""
        return cores_of.read_thread(pid_of(who), thread)

    def pin_thread(self, who: Who, thread: int, cores: Sequence[int]) -> None:
        """Keep one thread on these cores."""
        self._stack.enter_context(cores_of.pinned_thread(pid_of(who), thread, cores))

    def restore(self) -> None:
        """Put everything back now."""
        self._stack.close()


class Priority:
    """The priority levels of processes: low, normal or high."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def read(self, who: Who) -> str:
        """Return a process's level, or its nice value or priority class as a number."""
        return priority_of.read(pid_of(who))

    def set(self, who: Who, level: str) -> None:
        """Give a process a level."""
        self._stack.enter_context(priority_of.prioritized(pid_of(who), level))

    def restore(self) -> None:
        """Put everything back now."""
        self._stack.close()


@pytest.fixture
def affinity() -> Iterator[Affinity]:
    """Pin the harness, a peer or one thread to cores; put back at the test's end."""
    with ExitStack() as stack:
        yield Affinity(stack)


@pytest.fixture
def priority() -> Iterator[Priority]:
    """Raise or lower the priority of the harness or a peer; put back at the test's end."""
    with ExitStack() as stack:
        yield Priority(stack)


@pytest.fixture
def firewall() -> Iterator[walls.Firewall]:
    """Block and allow listeners, for peers that are started in `firewall.place`; every rule is proved by a canary."""
    made = walls.Firewall(walls.wall)
    yield made
    made.close()


@pytest.fixture(scope="session")
def host_facts() -> Mapping[str, str]:
    """What this machine is and how it is set, by title."""
    return facts.facts()


OURS: Final = frozenset({"affinity", "priority", "host_facts", "firewall"})


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Call a test that uses these fixtures unsupported, with the reason, where the machine cannot do what it asks."""
    try:
        return (yield)
    except Unsupported as reason:
        if OURS.isdisjoint(pyfuncitem.fixturenames):
            raise
        pytest.skip(f"unsupported: {reason}")
