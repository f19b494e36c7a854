"""What several unit tests are given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.peers.client import PeerClient
from harness.places.local import LocalPlace
from tests.unit.helpers import script
from tests.unit.tiny import PRELUDE, Start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a peer from the lines of its program."""
    clients = []

    def begin(code: str, patience: float = 20.0) -> PeerClient:
        process = LocalPlace().start(script(tmp_path, PRELUDE + code), tmp_path, os.environ)
        clients.append(PeerClient("tiny", process, patience))
        return clients[-1]

    yield begin
    for client in clients:
        client.kill()
