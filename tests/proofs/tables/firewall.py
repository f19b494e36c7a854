"""Proofs of what a firewall keeps back. A firewall that does not act is planted in `tests/host/test_firewall.py`."""

from __future__ import annotations

from typing import Final

from harness.model.verdicts import Verdict
from tests.interop import test_firewall as firewall
from tests.proofs.tables.proof import Proof

_before = firewall.test_who_connects_into_a_block_is_served_when_it_ends
_stream = firewall.test_a_block_in_mid_stream_delays_and_loses_nothing
_one_way = firewall.test_a_block_of_one_direction_loses_nothing_in_either
_loopback = firewall.test_a_peer_listens_on_loopback_only

PROOFS: Final = (
    Proof("no-timeout", _before, "req-rep/tcp4/pyzmq>faulty/right-binds/blocked-before", Verdict.HANG),
    Proof("drop", _stream, "pair-pair/tcp4/faulty>pyzmq/right-binds/blocked-mid-stream", says="timeout"),
    Proof("reorder", _stream, "pair-pair/tcp4/faulty>pyzmq/right-binds/blocked-mid-stream"),
    Proof("double", _one_way, "pair-pair/tcp4/faulty>pyzmq/right-binds/blocked-one-way"),
    Proof(
        "listen-everywhere",
        _loopback,
        "push-pull/tcp4/faulty>pyzmq/left-binds/loopback-only",
        says="0.0.0.0, which others reach",
    ),
    Proof("listen-everywhere", _loopback, "req-rep/tcp6/pyzmq>faulty/right-binds/loopback-only", says="::, which"),
)
