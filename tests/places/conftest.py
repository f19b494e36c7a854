"""Places for tests: each is opened for one test and closed after it; what is not available here is skipped by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import Unsupported
from harness.peers import manifest
from harness.peers.pool import Pool
from harness.places import ssh
from harness.places.local import LocalPlace
from harness.plugin import ROOT
from tests.places.sshd import NAME, sshd

MakePool = Callable[[], Pool]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name for ssh of a machine: this one, behind an sshd of the test's own."""
    try:
        with sshd(tmp_path_factory.mktemp("sshd")) as config, pytest.MonkeyPatch.context() as patch:
            patch.setenv(ssh.CONFIG, str(config))
            yield NAME
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")


@pytest.fixture
def new_pool(tmp_path: Path) -> Iterator[MakePool]:
    """Make pools of all peers, ended with the test; what a peer or a place does wrong at its end fails the test."""
    made: list[Pool] = []

    def make() -> Pool:
        made.append(Pool(manifest.find(ROOT / "peers"), LocalPlace(), ROOT / ".build" / "peers"))
        return made[-1]

    yield make
    assert [wrong for pool in made for wrong in pool.close()] == []


@pytest.fixture
def places(request: pytest.FixtureRequest) -> str:
    """The places of a test, as in a cell's id; ssh gets its machine."""
    name = str(getattr(request, "param", "netns>netns"))
    if "ssh" in name:
        name = name.replace("ssh", f"ssh:{request.getfixturevalue('machine')}")
    return name


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """Skip by name what a place cannot do here; cells get their verdict from the judge instead."""
    try:
        return (yield)
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
