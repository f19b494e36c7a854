"""Proofs of the brokers."""

from __future__ import annotations

from typing import Final

from tests.interop import test_brokers as brokers
from tests.proofs.tables.proof import Proof

PROOFS: Final = (
    Proof(
        "lossy-proxy",
        brokers.test_a_forwarder_passes_subscriptions_up_and_publications_down,
        "pub-xsub/tcp4/pyzmq>faulty/right-binds/forwarder",
        says="timeout",
    ),
    Proof(
        "lossy-proxy",
        brokers.test_a_streamer_gives_each_message_to_one_worker,
        "push-pull/tcp4/pyzmq>faulty/right-binds/streamer",
        says="did not come in time",
    ),
    Proof(
        "lossy-proxy",
        brokers.test_a_queue_returns_each_answer_to_who_asked,
        "req-router/tcp4/pyzmq>faulty/right-binds/queue",
        says="timeout",
    ),
    Proof(
        "lossy-proxy",
        brokers.test_two_brokers_in_a_row_are_as_good_as_one,
        "req-router/tcp4/pyzmq>faulty/right-binds/two-brokers",
        says="timeout",
    ),
    Proof(
        "drop",
        brokers.test_subscribers_behind_a_forwarder_come_and_go_unnoticed_by_others,
        "pub-xsub/tcp4/faulty>pyzmq/right-binds/subscribers-come-and-go",
    ),
    Proof(
        "lossy-proxy",
        brokers.test_workers_behind_a_broker_come_and_go_under_load,
        "push-pull/tcp4/pyzmq>faulty/right-binds/workers-come-and-go",
        says="when a worker joined",
    ),
    Proof(
        "deaf-steer",
        brokers.test_a_proxy_can_be_paused_resumed_and_ended,
        "req-router/tcp4/pyzmq>faulty/right-binds/steered",
        says="a message passed a paused proxy",
    ),
)
