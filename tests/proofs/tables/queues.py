"""Proofs of queues, stuck peers, linger and limits."""

from __future__ import annotations

from typing import Final

from tests.interop import test_linger as linger
from tests.interop import test_message_limits as limits
from tests.interop import test_queues as queues
from tests.interop import test_stuck_peers as stuck
from tests.proofs.tables.proof import Proof

_full = queues.test_a_full_queue_blocks_its_sender_and_keeps_what_it_took

PROOFS: Final = (
    Proof("ignore-option=SNDHWM", _full, "push-pull/tcp4/faulty>pyzmq/right-binds/full-queue", says="were taken"),
    Proof("drop-accepted", _full, "dealer-router/tcp4/faulty>pyzmq/right-binds/full-queue", says="were taken"),
    Proof("drop", _full, "pair-pair/tcp4/faulty>pyzmq/right-binds/full-queue"),
    Proof(
        "drop-accepted",
        queues.test_a_message_whose_send_timed_out_never_arrives,
        "push-pull/tcp4/faulty>pyzmq/right-binds/failed-send",
    ),
    Proof(
        "block-on-slow",
        queues.test_a_slow_subscriber_misses_messages_and_delays_nobody,
        "pub-sub/tcp4/faulty>pyzmq/left-binds/slow-subscriber",
    ),
    Proof(
        "router-waits",
        queues.test_a_router_drops_for_a_slow_dealer_and_serves_the_others,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/router-drops",
        says="the router waits",
    ),
    Proof(
        "ignore-option=ROUTER_MANDATORY",
        queues.test_a_mandatory_router_says_that_a_dealer_cannot_take_more,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/router-mandatory-full",
        says="were taken",
    ),
    Proof(
        "hoard",
        queues.test_memory_stays_bounded_while_a_peer_is_paused,
        "pub-sub/tcp4/faulty>faulty/left-binds/paused-peer-memory",
        says="grew by",
    ),
    Proof(
        "hoard",
        queues.test_a_routers_memory_stays_bounded_while_a_dealer_is_paused,
        "dealer-router/tcp4/faulty>faulty/right-binds/paused-dealer-memory",
        says="grew by",
    ),
    Proof(
        "block-on-slow",
        queues.test_a_slow_subscriber_misses_messages_and_delays_nobody,
        "xpub-sub/tcp4/faulty>pyzmq/left-binds/slow-subscriber",
    ),
    Proof(
        "hoard",
        queues.test_memory_stays_bounded_while_a_peer_is_paused_for_long,
        "pub-sub/tcp4/faulty>faulty/left-binds/paused-peer-memory-10s",
        says="grew by",
    ),
    Proof(
        "drop-accepted",
        stuck.test_a_worker_that_does_not_receive_leaves_the_work_to_the_others,
        "push-pull/tcp4/faulty>pyzmq/left-binds/idle-worker",
    ),
    Proof(
        "block-on-slow",
        stuck.test_a_paused_process_holds_up_none_of_its_neighbours,
        "pub-sub/tcp4/faulty>faulty/left-binds/paused-neighbour",
    ),
    Proof(
        "router-waits",
        stuck.test_a_router_serves_others_while_a_dealers_process_is_paused,
        "dealer-router/tcp4/faulty>faulty/right-binds/paused-dealer",
        says="the router waits",
    ),
    Proof(
        "drop",
        linger.test_what_was_sent_before_close_arrives,
        "push-pull/tcp4/faulty>pyzmq/left-binds/last-words",
        says="does not arrive",
    ),
    Proof(
        "ignore-option=LINGER",
        linger.test_without_linger_close_is_prompt_and_discards,
        "push-pull/ipc/faulty>pyzmq/right-binds/linger-0",
        says="close still waits",
    ),
    Proof(
        "ignore-option=LINGER",
        linger.test_a_finite_linger_ends_in_time_and_discards,
        "push-pull/ipc/faulty>pyzmq/right-binds/linger-200",
        says="close still waits",
    ),
    Proof(
        "drop",
        linger.test_an_endless_linger_waits_until_everything_is_sent,
        "push-pull/ipc/faulty>pyzmq/right-binds/linger-endless",
    ),
    Proof(
        "ignore-option=CONFLATE",
        limits.test_conflate_keeps_only_the_last_message,
        "push-pull/tcp4/pyzmq>faulty/right-binds/conflate",
        says="were kept",
        known=True,
    ),
    Proof(
        "ignore-option=CONFLATE",
        limits.test_a_conflating_subscriber_keeps_only_the_last_publication,
        "pub-sub/tcp4/pyzmq>faulty/left-binds/conflate",
        says="were kept",
        known=True,
    ),
    Proof(
        "ignore-option=IMMEDIATE",
        limits.test_immediate_queues_only_for_completed_connections,
        "push-pull/tcp4/faulty>pyzmq/right-binds/immediate",
    ),
    Proof(
        "ignore-option=MAXMSGSIZE",
        limits.test_a_message_above_the_limit_is_refused_and_smaller_ones_go_on,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/max-size",
    ),
    Proof(
        "half-multipart",
        limits.test_a_message_whose_sender_is_killed_half_way_comes_whole_or_not_at_all,
        "push-pull/tcp4/pyzmq>faulty/right-binds/killed-in-a-message",
    ),
)
