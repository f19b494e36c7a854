"""Proofs of what many threads do."""

from __future__ import annotations

from typing import Final

from tests.interop import test_concurrency
from tests.proofs.tables.proof import Proof

PROOFS: Final = (
    Proof(
        "hasty-swarm",
        test_concurrency.test_threads_with_a_socket_each_on_one_context_lose_nothing,
        "push-pull/tcp4/faulty>pyzmq/right-binds/swarm",
        says="timeout",
    ),
    Proof(
        "shared-race",
        test_concurrency.test_a_socket_behind_a_mutex_serves_many_threads,
        "dealer-router/tcp4/faulty>pyzmq/right-binds/shared-by-mutex",
        says="doubled",
    ),
    Proof(
        "shared-race",
        test_concurrency.test_a_socket_may_migrate_from_thread_to_thread,
        "push-pull/tcp4/faulty>pyzmq/right-binds/shared-in-turn",
        says="doubled",
    ),
    Proof(
        "shared-race",
        test_concurrency.test_misuse_of_a_socket_by_many_threads_is_never_silently_wrong,
        "push-pull/tcp4/faulty>faulty/right-binds/shared-by-nothing",
        says="that is not what arrived",
        known=True,
    ),
)
