"""The pool: a peer is started once for each slot, believed only after its probe, and thrown away when it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import ContractBreach, PeerHang, SetupFault
from harness.peers import pool as module
from harness.peers.pool import Pool
from harness.places.local import LocalPlace
from tests.unit.helpers import python_manifest
from tests.waiting import gone, within

TINY = Path(__file__).with_name("tiny_peer.py")

Make = Callable[..., Pool]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make a pool of one tiny peer with these wrongs."""
    pools = []

    def begin(*wrongs: str, patience: float = 10) -> Pool:
        manifest = python_manifest(tmp_path, run=("{python}", str(TINY), *wrongs))
        pools.append(Pool({"tiny": manifest}, LocalPlace(), tmp_path / "cache", patience))
        return pools[-1]

    yield begin
    for pool in pools:
        pool.close()


def test_a_slot_keeps_its_peer(make: Make) -> None:
    pool = make()
    assert pool.peer("tiny", "left") is pool.peer("tiny", "left")
    assert pool.running() == [pool.peer("tiny", "left")]


def test_two_slots_are_two_processes(make: Make) -> None:
    pool = make()
    assert pool.peer("tiny", "left").client.pid != pool.peer("tiny", "right").client.pid


def test_a_started_peer_says_who_it_is_and_has_nothing_open(make: Make) -> None:
    peer = make().peer("tiny", "left")
    assert peer.description == "tiny 1.0 (none, python, linux/amd64)"
    peer.refuse_leftovers(peer.count_open().result())


def test_a_peer_can_be_started_with_more_in_its_environment(make: Make, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    make().start("tiny", {"TINY_PEER_TRACE": str(trace)}).client.kill()
    assert trace.exists()


def test_a_discarded_peer_is_replaced(make: Make) -> None:
    pool = make()
    old = pool.peer("tiny", "left")
    pool.discard(old)
    assert within(5, lambda: gone(old.client.pid))
    assert pool.peer("tiny", "left").client.pid != old.client.pid


def test_closing_ends_every_peer(make: Make) -> None:
    pool = make()
    peers = [pool.peer("tiny", slot) for slot in ("left", "right")]
    assert pool.close() == []
    assert pool.running() == []
    assert [gone(peer.client.pid) for peer in peers] == [True, True]


def test_closing_tells_what_peers_did_wrong(make: Make) -> None:
    pool = make("bad-end")
    pool.peer("tiny", "left")
    assert pool.close() == ["tiny: ended with exit code 4 instead of 0"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("no-version", "tiny: hello: 'version' must be a str, not None"),
        ("pid-as-text", "tiny: hello: 'pid' must be a int, not '1'"),
        ("agrees", "tiny: self-probe: the peer agreed to open {'type': 'MADE_UP_FEATURE'}, which does not exist"),
        ("no-socket-types", "tiny: hello: "),
    ],
)
def test_a_peer_that_cannot_be_believed_is_refused(wrong: str, said: str, make: Make) -> None:
    pool = make(wrong)
    with pytest.raises(ContractBreach) as refused:
        pool.peer("tiny", "left")
    assert str(refused.value).startswith(said)
    assert pool.running() == []


def test_a_peer_of_another_contract_is_a_matter_of_set_up(make: Make) -> None:
    with pytest.raises(SetupFault, match="speaks contract 2, this harness speaks 1; update one of them"):
        make("other-contract").peer("tiny", "left")


def test_a_peer_that_never_says_hello_is_a_hang(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_DEADLINE", 0.2)
    with pytest.raises(PeerHang, match="no answer to hello"):
        make("silent", patience=0.1).peer("tiny", "left")
