"""Section 7: a feature that a peer does not list is unsupported, and one that it lists checks its parameters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.needs import need
from tests.contract.wire import RawPeer

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    # A feature, and a call of one of its methods with well-formed parameters
    "timer": ("timer", {"ms": 1}),
    "term": ("term", {"context": "made up"}),
    "monitor": ("monitor", {}),
    "zap": ("zap", {"context": "zap", "plain": {}}),
    "swarm": (
        "swarm",
        {"context": "swarm", "type": "PUSH", "endpoint": "tcp://127.0.0.1:1", "workers": 1, "count": 1, "size": 16},
    ),
    "share": ("share", {"workers": 1, "count": 1, "size": 16, "how": "mutex"}),
    "steer": ("steer", {"command": "PAUSE"}),
    "callers": ("callers", {"type": "REQ", "endpoint": "tcp://127.0.0.1:1", "clients": 1, "count": 1, "size": 16}),
    "abandon": ("abandon", {}),
    "tune": ("tune", {"context": "tuned", "options": {"IO_THREADS": 2}}),
    "beside": ("beside", {"how": "spin", "threads": 1, "ms": 1}),
    "runtime": ("runtime", {}),
}
ON_A_SOCKET = ("monitor", "share", "abandon")


@pytest.mark.parametrize("feature", CALLS)
def test_a_feature_that_is_not_listed_is_unsupported(feature: str, peer: RawPeer) -> None:
    method, params = CALLS[feature]
    if feature in peer.capabilities["features"]:
        pytest.skip(f"{peer.name} has it")
    socket = {"socket": peer.bound("PUSH")[0]} if feature in ON_A_SOCKET else {}
    if feature == "steer":
        need(peer, "workloads", "proxy")
        socket = {"socket": peer.bound("PULL")[0]}
        peer.start("proxy", backend=peer.bound("PUSH")[0], **socket)
        peer.call("stats")
    assert peer.refused(method, **socket, **params)["data"]["name"] == "unsupported"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("timer", {}),
        ("timer", {"ms": -1}),
        ("term", {}),
        ("term", {"context": 1}),
        ("monitor", {"socket": 10**9}),
        ("events", {"socket": 10**9}),
        ("zap", {"plain": {}}),
        ("zap", {"context": "zap", "plain": {"user": 1}}),
        ("zap", {"context": "zap", "curve": "all"}),
        ("keypair", {"size": 40}),
        ("swarm", {"context": "swarm", "type": "PUSH", "workers": 1, "count": 1, "size": 16}),
        ("share", {"socket": 10**9, "workers": 1, "count": 1, "size": 16, "how": "mutex"}),
        ("steer", {"socket": 10**9, "command": "PAUSE"}),
        ("callers", {"type": "REQ", "endpoint": "tcp://127.0.0.1:1", "clients": 0, "count": 1, "size": 16}),
        ("callers", {"type": "REQ", "endpoint": "tcp://127.0.0.1:1", "clients": 1, "count": 1, "size": 15}),
        ("callers", {"type": "PUSH", "endpoint": "tcp://127.0.0.1:1", "clients": 1, "count": 1, "size": 16}),
        ("callers", {"type": "REQ", "clients": 1, "count": 1, "size": 16}),
        ("abandon", {"socket": 10**9}),
        ("tune", {"context": "tuned"}),
        ("tune", {"context": "tuned", "options": {"IO_THREADS": "2"}}),
        ("tune", {"context": "tuned", "options": {"MAX_SOCKETS": -1}}),
        ("beside", {"how": "sleep", "threads": 1, "ms": 1}),
        ("beside", {"how": "spin", "threads": 0, "ms": 1}),
        ("beside", {"how": "allocate", "threads": 1, "ms": 1, "bytes": 0}),
        ("runtime", {"more": 1}),
    ],
    ids=str,
)
def test_a_feature_checks_its_parameters(method: str, params: dict[str, Any], peer: RawPeer) -> None:
    need(peer, "features", {"events": "monitor", "keypair": "zap"}.get(method, method))
    error = peer.refused(method, **params)
    assert (error["code"], error["data"]["name"]) == (-32602, "invalid")
