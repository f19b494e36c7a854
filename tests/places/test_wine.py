"""The place `wine`: Windows programs beside this system's, and how they end. `make wine` sets it up."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.errors import Unsupported
from harness.model.matrix import Cell
from harness.peers.sockets import Link
from harness.places.wine import TABLE, WinePlace
from tests.places.conftest import MakePool
from tests.waiting import within

BORDER = "wine>local"
NAMES = ["go-zeromq", "pebbe", "pyzmq", "pyzmq-asyncio"]


@pytest.fixture
def wine() -> Iterator[WinePlace]:
    """The place, or a skip that says what to run."""
    try:
        place = WinePlace()
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    with contextlib.closing(place):
        yield place


def ours() -> list[psutil.Process]:
    """The processes that run in our prefix."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("WINEPREFIX") == str(TABLE.parent / "prefix"):
                found.append(process)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_windows_peer_answers_a_linux_peer(new_pool: MakePool, name: str) -> None:
    pool = new_pool()
    left, right = pool.peer(name, "left", BORDER), pool.peer("pyzmq", "right", BORDER)
    assert (left.client.hello["os"], right.client.hello["os"]) == ("windows", "linux")
    server, client = Link("tcp4", "left-binds").open((left, "REP"), (right, "REQ"))
    client.send("ping")
    assert server.recv() == ["ping"]
    server.send("pong")
    assert client.recv() == ["pong"]


@pytest.mark.parametrize("name", NAMES)
def test_a_windows_peer_ends_with_its_stdin_and_removes_its_directory(new_pool: MakePool, name: str) -> None:
    peer = new_pool().start(name, slot="left", places=BORDER)
    workdir = Path(peer.client.hello["workdir"])
    assert workdir.is_dir()
    assert peer.client.stop() == []
    assert not workdir.exists()


def test_a_child_that_a_windows_peer_leaves_is_told_and_ended(new_pool: MakePool) -> None:
    pool = new_pool()
    pool.manifests["careless"] = pool.manifests["pyzmq"].with_arguments("careless", "--fault", "leave-child")
    (wrong,) = pool.start("careless", slot="left", places=BORDER).client.stop()
    assert "left a child process behind" in wrong


def test_what_a_windows_peer_counts_moves_or_is_left_out(new_pool: MakePool) -> None:
    """Wine answers 0 handles, whatever is open: no count at all is better than one that stands still."""
    for name in NAMES:
        assert "handles" not in new_pool().peer(name, "left", BORDER).client.call("stats")


def test_nothing_of_wine_runs_once_the_place_is_closed(wine: WinePlace) -> None:
    others = len(ours())
    assert others > 1
    wine.close()
    if not os.environ.get("PYTEST_XDIST_WORKER"):  # other workers have the place open, too
        assert within(30, lambda: ours() == [])


def test_what_wine_lacks_is_unsupported_with_its_reason(wine: WinePlace) -> None:
    def lack(name: str, side: str = "left") -> str:
        return wine.lacks(Cell.parse(name), side)

    assert "AF_UNIX" in lack("req-rep/ipc/pyzmq>pyzmq/left-binds/multipart")
    assert "1,024 buffers" in lack("push-pull/tcp4/go-zeromq>pyzmq/left-binds/1000-frames")
    assert lack("push-pull/tcp4/pyzmq>go-zeromq/left-binds/1000-frames", "right") == ""
    assert "1,024 buffers" in lack("req-rep/tcp4/pyzmq>go-zeromq/left-binds/1000-frames", "right")
    assert "WSAENOTCONN" in lack("push-pull/tcp4/pebbe>go-zeromq/left-binds/reset")
    assert lack("push-pull/tcp4/go-zeromq>pebbe/left-binds/reset") == ""
    assert lack("push-pull/tcp4/pebbe>pebbe/right-binds/reset") == ""
    assert "killed program" in lack("dealer-router/tcp4/pyzmq>pebbe/right-binds/listener-killed", "right")
    assert lack("push-pull/tcp4/pyzmq>pebbe/right-binds/listener-killed", "right") == ""


def test_a_path_of_windows_is_found_here(wine: WinePlace, tmp_path: Path) -> None:
    (tmp_path / "文件").write_text("here", encoding="utf-8")
    told = "Z:" + str(tmp_path / "文件").replace("/", "\\")
    assert wine.path(told).read_text(encoding="utf-8") == "here"


def test_without_a_set_up_the_place_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"bootstrap\.py wine -- setup"):
        WinePlace(tmp_path / "wine.json")
