"""Every test of this folder is run with each peer whose manifest lies below peers/.

With `--place left=wine` these are the peers' Windows builds, run by Wine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from harness.peers import manifest
from harness.peers.manifest import Manifest
from harness.places.wine import WinePlace
from tests.contract.wire import ROOT, RawPeer, running

MANIFESTS = manifest.find(ROOT / "peers")


@pytest.fixture(scope="session")
def fleet() -> Iterator[dict[str, RawPeer]]:
    """The peers that most tests share, by name; started when first asked for."""
    peers: dict[str, RawPeer] = {}
    yield peers
    for peer in peers.values():
        peer.kill()


@pytest.fixture(scope="session")
def wine(request: pytest.FixtureRequest) -> Iterator[WinePlace | None]:
    """Wine, where the peers shall run there; the whole session keeps it running."""
    if "left=wine" not in request.config.option.place:
        yield None
        return
    with closing(WinePlace()) as place, pytest.MonkeyPatch.context() as patch:
        for name, value in place.environment.items():
            patch.setenv(name, value)
        patch.delenv("DISPLAY", raising=False)
        yield place


@pytest.fixture(params=list(MANIFESTS))
def own_manifest(request: pytest.FixtureRequest, wine: WinePlace | None) -> Manifest:
    """A peer's manifest."""
    manifest = MANIFESTS[request.param]
    return wine.adapt(manifest) if wine else manifest


def _found(peer: RawPeer, wine: WinePlace | None) -> RawPeer:
    """Name the peer's directory as this system finds it."""
    if wine is not None:
        peer.hello["workdir"] = str(wine.path(peer.hello["workdir"]))
    return peer


@pytest.fixture
def peer(own_manifest: Manifest, fleet: dict[str, RawPeer], wine: WinePlace | None) -> Iterator[RawPeer]:
    """A running peer with nothing open, shared with other tests; replaced after a test that broke it."""
    name = own_manifest.name
    if name not in fleet:
        fleet[name] = _found(RawPeer(own_manifest), wine)
    shared = fleet[name]
    try:
        yield shared
        shared.tidy()
    except BaseException:
        fleet.pop(name).kill()
        raise


@pytest.fixture
def start(own_manifest: Manifest, wine: WinePlace | None) -> Iterator[Callable[[], RawPeer]]:
    """Start a peer of one's own, for tests that end it."""
    with ExitStack() as stack:
        yield lambda: _found(stack.enter_context(running(own_manifest)), wine)
