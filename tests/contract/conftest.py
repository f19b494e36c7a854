"""Every test of this folder is run with each peer whose manifest lies below peers/."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.peers import manifest
from harness.peers.manifest import Manifest
from tests.contract.wire import ROOT, RawPeer, running

MANIFESTS = manifest.find(ROOT / "peers")


@pytest.fixture(scope="session")
def fleet() -> Iterator[dict[str, RawPeer]]:
    """The peers that most tests share, by name; started when first asked for."""
    peers: dict[str, RawPeer] = {}
    yield peers
    for peer in peers.values():
        peer.kill()


@pytest.fixture(params=list(MANIFESTS))
def own_manifest(request: pytest.FixtureRequest) -> Manifest:
    """A peer's manifest."""
    return MANIFESTS[request.param]


@pytest.fixture
def peer(own_manifest: Manifest, fleet: dict[str, RawPeer]) -> Iterator[RawPeer]:
    """A running peer with nothing open, shared with other tests; replaced after a test that broke it."""
    name = own_manifest.name
    if name not in fleet:
        fleet[name] = RawPeer(own_manifest)
    shared = fleet[name]
    try:
        yield shared
        shared.tidy()
    except BaseException:
        fleet.pop(name).kill()
        raise


@pytest.fixture
def start(own_manifest: Manifest) -> Iterator[Callable[[], RawPeer]]:
    """Start a peer of one's own, for tests that end it."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(running(own_manifest))
