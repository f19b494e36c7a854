"""Section 4, hello: a peer tells the truth about itself."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.contract.wire import RawPeer

NAMES = {
    "socket_types": "REQ REP DEALER ROUTER PUB SUB XPUB XSUB PUSH PULL PAIR STREAM CLIENT SERVER RADIO DISH SCATTER "
    "GATHER PEER CHANNEL RAW",
    "transports": "tcp tcp6 ipc ipc-abstract inproc ws udp tipc",
    "mechanisms": "NULL PLAIN CURVE",
    "workloads": "echo flood pace drain ping proxy",
    "features": "unbind disconnect dump timer term monitor zap reconnect swarm share steer "
    "callers abandon tune beside runtime",
}
KEYS = ("contract", "peer", "implementation", "version", "library", "runtime", "os", "arch", "pid", "workdir")


def test_hello_holds_what_the_contract_names(peer: RawPeer) -> None:
    assert peer.hello.keys() >= {*KEYS, "capabilities"}
    assert all(peer.hello[key] for key in KEYS)


def test_hello_may_be_said_again(peer: RawPeer) -> None:
    assert peer.call("hello") == peer.hello


def test_it_speaks_version_1(peer: RawPeer) -> None:
    assert peer.hello["contract"] == 1


def test_it_names_this_machine_as_go_does(peer: RawPeer) -> None:
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    assert peer.hello["os"] == platform.system().lower()
    assert peer.hello["arch"] == machine[platform.machine().lower()]


def test_its_pid_is_that_of_the_process(peer: RawPeer) -> None:
    assert psutil.pid_exists(peer.hello["pid"])
    if sys.platform != "win32":
        # On Windows a virtual environment's python is a launcher of the real one.
        assert peer.hello["pid"] == peer.process.pid


def test_its_working_directory_is_there_and_clearly_its_own(peer: RawPeer) -> None:
    workdir = Path(peer.hello["workdir"])
    assert workdir.is_dir()
    assert workdir.name.startswith(f"zmq-interop-{peer.hello['pid']}-")
    assert os.path.realpath(workdir.parent) == os.path.realpath(tempfile.gettempdir())


def test_its_name_carries_its_version(peer: RawPeer) -> None:
    assert len(peer.hello["peer"].split()) == 2


@pytest.mark.parametrize("kind", NAMES)
def test_it_lists_known_names_once(kind: str, peer: RawPeer) -> None:
    names = peer.capabilities[kind]
    assert set(names) <= set(NAMES[kind].split())
    assert len(names) == len(set(names))


def test_it_lists_options_by_their_upper_case_names(peer: RawPeer) -> None:
    options = peer.capabilities["options"]
    assert [name for name in options if name != name.upper() or name.startswith("ZMQ_")] == []
    assert len(options) == len(set(options))


def test_it_has_a_way_to_send(peer: RawPeer) -> None:
    paths = peer.capabilities["send_paths"]
    assert paths
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("method", ["hello", "stats", "dump", "quit"])
def test_a_method_without_parameters_takes_none(method: str, peer: RawPeer) -> None:
    error = peer.refused(method, made_up=1)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")
