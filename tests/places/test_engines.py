"""The engine that DOCKER_HOST or a context names is the one that is used, and no other."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from harness.errors import Unsupported
from harness.peers.sockets import Link
from harness.places import containers
from harness.plugin import ROOT
from tests.places.conftest import MakePool

sys.path.insert(0, str(ROOT / "ci" / "docker"))
import engine as engines


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DOCKER_HOST of an engine of the test's own, beside whatever other there is."""
    with contextlib.ExitStack() as stack:
        try:
            host = stack.enter_context(engines.started(tmp_path_factory.mktemp("engine")))
        except engines.EngineError as error:
            pytest.skip(f"unsupported: {error}")
        yield host


def context(folder: Path, name: str, host: str) -> None:
    """Write a context file as the engine's command line does."""
    place = folder / "contexts" / "meta" / sha256(name.encode()).hexdigest()
    place.mkdir(parents=True)
    told = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (place / "meta.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture(params=["DOCKER_HOST", "DOCKER_CONTEXT", "currentContext"])
def named(request: pytest.FixtureRequest, another: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name that engine in one of the ways that there are; returns its DOCKER_HOST."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    config = {"currentContext": "another"} if request.param == "currentContext" else {}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if request.param == "DOCKER_HOST":
        monkeypatch.setenv("DOCKER_HOST", another)
    else:
        context(tmp_path, "another", another)
    if request.param == "DOCKER_CONTEXT":
        monkeypatch.setenv("DOCKER_CONTEXT", "another")
    return another


def identity() -> str:
    """Return what tells the engine that is used from every other; one runs, so that there is no excuse."""
    try:
        client = containers.connect()
    except Unsupported as reason:
        pytest.fail(f"an engine that runs was not found: {reason}")
    with contextlib.closing(client):
        return str(client.info()["ID"])


def test_the_engine_that_is_named_is_the_one_that_is_used(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = identity()
    monkeypatch.setenv("DOCKER_HOST", named)
    assert found == identity()


def test_engines_that_run_at_the_same_time_have_a_folder_each(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(engines.started(tmp_path))
        except engines.EngineError as error:
            pytest.skip(f"unsupported: {error}")
        other = stack.enter_context(engines.started(tmp_path))
        assert all(engines.answers(host.removeprefix("unix://")) for host in (one, other))
    with engines.started(tmp_path) as third:
        assert third not in (one, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["engine-1", "engine-2"]


def test_peers_run_on_the_engine_that_is_named(named: str, new_pool: MakePool) -> None:
    identity()
    pool = new_pool()
    left, right = (pool.peer("go-zeromq", side, "docker>local") for side in ("left", "right"))
    with contextlib.closing(containers.connect()) as client:
        assert len(client.api.containers(filters={"label": containers.OWNER})) == 2  # its host, and the peer
    sender, receiver = Link("tcp4", "left-binds").open((left, "PUSH"), (right, "PULL"))
    sender.send("from afar")
    assert receiver.recv() == ["from afar"]


def test_a_context_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    with pytest.raises(Unsupported, match="no Docker context nowhere"):
        containers.connect()
