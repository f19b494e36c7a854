"""Affinity and priority: set, read back, put back; what cannot be is one line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.errors import SetupFault, Unsupported
from harness.host import affinity as cores_of
from harness.host import facts, journal, libraries
from harness.host import priority as priority_of
from harness.host.fixtures import Affinity, Priority
from harness.host.groups import numbers, one_group
from harness.host.processes import system
from harness.peers.pool import Pool
from harness.peers.sockets import until

pinning = pytest.mark.skipif(
    not hasattr(psutil.Process, "cpu_affinity"), reason="unsupported: this system can't pin a process to a core"
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="unsupported: only Linux names the threads of a process")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(journal.FOLDER, str(tmp_path))


@pytest.fixture
def process() -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield child.pid
    child.communicate()


@pinning
@pytest.mark.parametrize("name", ["pyzmq", "pebbe", "go-zeromq", "pyzmq-asyncio"])
def test_a_peer_is_pinned_with_all_its_threads_and_let_go(name: str, pool: Pool, affinity: Affinity) -> None:
    peer = pool.peer(name, "left")
    before, last = affinity.read(peer), affinity.cores[-1]
    affinity.pin(peer, [last])
    peer.socket("PUSH", bind="tcp://127.0.0.1:*").close()
    assert affinity.read(peer) == [last], "threads that came with the socket too"
    affinity.restore()
    assert affinity.read(peer) == before


@linux
@pytest.mark.parametrize("name", ["pyzmq", "pebbe"])
def test_one_io_thread_is_pinned_alone(name: str, pool: Pool, affinity: Affinity) -> None:
    if len(affinity.cores) < 2:
        raise Unsupported("one core only: a thread cannot be apart from the others")
    peer = pool.peer(name, "left")
    peer.socket("PUSH", bind="tcp://127.0.0.1:*")
    for pause in until(peer.wait_ms):  # a thread gives itself its name, a moment after the socket is there
        if threads := affinity.io_threads(peer):
            break
        time.sleep(pause)
    (thread,) = threads
    affinity.pin_thread(peer, thread, affinity.cores[:1])
    assert affinity.read_thread(peer, thread) == affinity.cores[:1]
    assert affinity.read(peer) == affinity.cores
    affinity.restore()
    assert affinity.read_thread(peer, thread) == affinity.cores


@pinning
def test_the_harness_itself_is_pinned_and_let_go(affinity: Affinity) -> None:
    before = affinity.cores
    affinity.pin(os.getpid(), before[:1])
    assert affinity.cores == before[:1]
    affinity.restore()
    assert affinity.cores == before


@pinning
@pytest.mark.parametrize(
    ("cores", "says"), [([], "no core is named"), ([100_000], "there is no core 100000: this machine has 0 to ")]
)
def test_impossible_cores_are_one_line_and_change_nothing(cores: list[int], says: str, process: int) -> None:
    before = cores_of.read(process)
    with pytest.raises(SetupFault, match=says), cores_of.pinned([process], cores):
        pytest.fail("pinned")
    assert cores_of.read(process) == before


@pinning
def test_a_process_that_is_gone_is_one_line() -> None:
    with pytest.raises(SetupFault, match="there is no such process"), cores_of.pinned([2**22 - 1], [0]):
        pytest.fail("pinned")


@pinning
def test_a_process_of_another_user_is_unsupported_with_its_owner(process: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, thread: int, to: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(system, "set_affinity", refuse)
    monkeypatch.setattr(cores_of, "restore", lambda before: None)
    owner = psutil.Process(process).username()
    with pytest.raises(Unsupported, match=rf"of process {process} \(of {owner}\): .* run as its owner, or elevated"):
        cores_of.place({process: 0})


def test_a_priority_is_set_read_back_and_put_back(process: int, priority: Priority) -> None:
    before = priority.read(process)
    priority.set(process, "low")
    assert priority.read(process) == "low"
    priority.restore()
    assert priority.read(process) == before


def test_a_priority_that_there_is_not_is_one_line(process: int) -> None:
    with pytest.raises(SetupFault, match="there are low, normal, high"), priority_of.prioritized(process, "utmost"):
        pytest.fail("set")


@pytest.mark.parametrize(
    ("cores", "group", "mask"), [([0], 0, 1), ([63], 0, 1 << 63), ([64, 66], 1, 0b101), ([130], 2, 0b100)]
)
def test_processors_are_counted_through_their_groups(cores: list[int], group: int, mask: int) -> None:
    sizes = [64, 64, 8]
    assert one_group(cores, sizes) == (group, mask)
    assert numbers(group, mask, sizes) == cores


@pytest.mark.parametrize(
    ("cores", "says"),
    [([], "no core"), ([136], "this machine has 0 to 135"), ([-1], "no core -1"), ([1, 70], "group 0 and group 1")],
)
def test_processors_of_no_group_or_of_several_are_refused(cores: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        one_group(cores, [64, 64, 8])


def test_the_facts_of_the_host_are_all_told_and_quickly(host_facts: dict[str, str]) -> None:
    assert {"OS build", "processor", "power plan", "clock source", "container", "virtual machine"} <= host_facts.keys()
    assert all(host_facts.values())
    costs = []
    for _ in range(5):
        started = time.perf_counter()
        facts.facts()
        costs.append(time.perf_counter() - started)
    assert min(costs) < 0.05


def test_the_library_files_of_a_peer_are_told(pool: Pool) -> None:
    found = libraries.of_peers([pool.peer("pebbe", "left"), pool.peer("go-zeromq", "left")])
    assert found["go-zeromq"]["files"] == []
    assert any("libzmq" in file for file in found["pebbe"]["files"])


def test_library_files_are_known_by_their_names() -> None:
    paths = [
        r"C:\Windows\System32\ntdll.dll",
        r"D:\vcpkg\bin\libzmq-mt-4_3_5.dll",
        "/usr/lib/libzmq.so.5.2.4",
        "/usr/lib/libzmq.so.5.2.4",
        "/home/zmq/notes.txt",
        "/usr/lib/libc.so.6",
        r"C:\py\zmq\_zmq.cp311-win_amd64.pyd",
    ]
    assert len(libraries.libraries(paths)) == 3
