"""Proofs of what holds when peers come and go, networks fail and heartbeats stay out."""

from __future__ import annotations

from typing import Final

from harness.model.verdicts import Verdict
from tests.interop import test_coming_and_going, test_endpoints, test_heartbeats, test_network_faults
from tests.proofs.tables.proof import Proof

_returns = test_coming_and_going.test_a_client_finds_a_listener_that_closed_and_came_back
_idle = test_heartbeats.test_a_live_peer_with_nothing_to_say_is_never_cut_off
_limit = test_network_faults.test_a_message_whose_connection_ends_in_the_middle_comes_whole_or_not_at_all
_NONE: Final = "messages came within"

PROOFS: Final = (
    Proof("lose-on-restart", _returns, "push-pull/tcp4/faulty>pyzmq/right-binds/listener-returns", says=_NONE),
    Proof("lose-on-restart", _returns, "push-pull/tcp4/pyzmq>faulty/left-binds/listener-returns", says=_NONE),
    Proof("forget-subscriptions", _returns, "pub-sub/tcp4/pyzmq>faulty/left-binds/listener-returns", says=_NONE),
    Proof("double", _returns, "push-pull/tcp4/faulty>pyzmq/right-binds/listener-returns", says="came twice"),
    Proof("reorder", _returns, "push-pull/tcp4/faulty>pyzmq/right-binds/listener-returns", says="order"),
    Proof("drop", _returns, "push-pull/tcp4/faulty>pyzmq/right-binds/listener-returns"),
    Proof("lose-on-restart", _returns, "dealer-router/tcp4/faulty>pyzmq/right-binds/listener-returns", says=_NONE),
    Proof("one-way", _returns, "dealer-router/tcp4/pyzmq>faulty/right-binds/listener-returns", says=_NONE),
    Proof(
        "lose-on-restart",
        test_coming_and_going.test_a_client_finds_a_listener_that_came_back_over_each_transport,
        "push-pull/ipc/faulty>pyzmq/right-binds/listener-returns",
        says=_NONE,
    ),
    Proof(
        "flip",
        test_coming_and_going.test_a_dealer_that_comes_back_under_its_name_is_heard,
        "dealer-router/tcp4/faulty>pyzmq/right-binds/returns-by-name",
        says="firsu",
        known=True,
    ),
    Proof(
        "lose-on-restart",
        test_coming_and_going.test_a_router_goes_on_with_the_others_when_a_dealer_is_killed,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/dealer-killed",
    ),
    Proof(
        "lose-on-restart",
        test_coming_and_going.test_a_client_finds_the_successor_of_a_listener_that_was_killed,
        "push-pull/tcp4/faulty>pyzmq/right-binds/listener-killed",
        says=_NONE,
    ),
    Proof(
        "connect-once",
        test_coming_and_going.test_a_requester_asks_the_server_that_came_back,
        "req-rep/tcp4/faulty>pyzmq/right-binds/server-returns",
        says="no event HANDSHAKE_SUCCEEDED",
    ),
    Proof(
        "connect-once",
        test_coming_and_going.test_a_client_may_connect_before_there_is_a_listener,
        "push-pull/tcp4/faulty>pyzmq/right-binds/connects-first",
        says="timeout",
    ),
    Proof(
        "drop",
        test_coming_and_going.test_a_late_subscriber_misses_what_was_before_and_disturbs_nobody,
        "pub-sub/tcp4/faulty>pyzmq/left-binds/late-subscriber",
        says="timeout",
    ),
    Proof(
        "drop",
        test_coming_and_going.test_a_receiver_that_was_paused_gets_everything_when_it_goes_on,
        "push-pull/tcp4/faulty>pyzmq/right-binds/paused",
    ),
    Proof(
        "eof",
        test_coming_and_going.test_a_receiver_goes_on_with_the_others_when_a_sender_is_killed,
        "push-pull/tcp4/pyzmq>faulty/right-binds/one-is-killed",
        says="a receive failed",
    ),
    Proof(
        "lose-on-restart",
        test_coming_and_going.test_a_publisher_goes_on_with_the_others_when_a_subscriber_is_killed,
        "pub-sub/tcp4/faulty>pyzmq/left-binds/subscriber-killed",
    ),
    Proof(
        "lose-on-restart",
        test_coming_and_going.test_a_listener_serves_one_short_lived_client_after_the_other,
        "push-pull/tcp4/pyzmq>faulty/right-binds/40-cycles",
        says="timeout",
    ),
    Proof(
        "lose-on-restart",
        test_coming_and_going.test_a_listener_outlives_a_thousand_clients,
        "req-rep/tcp4/pyzmq>faulty/right-binds/1000-cycles",
        says="timeout",
    ),
    Proof(
        "wrong-requester",
        test_coming_and_going.test_one_socket_serves_two_hundred_peers_at_once,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/200-at-once",
    ),
    Proof(
        "any-endpoint",
        test_endpoints.test_an_endpoint_that_is_taken_cannot_be_bound_again,
        "push-pull/tcp4/pyzmq>faulty/right-binds/two-binds",
        says="succeeded",
    ),
    Proof(
        "keep-file",
        test_endpoints.test_the_socket_file_of_a_killed_listener_is_no_obstacle,
        "push-pull/ipc/pyzmq>faulty/right-binds/stale-file",
        says="exists",
    ),
    Proof(
        "cling",
        test_endpoints.test_an_endpoint_that_was_unbound_can_be_bound_again,
        "push-pull/tcp4/pyzmq>faulty/right-binds/rebind",
        says="in use",
    ),
    Proof(
        "cling",
        test_endpoints.test_a_sender_that_disconnected_has_no_peer_until_it_connects_again,
        "push-pull/tcp4/faulty>pyzmq/right-binds/disconnect",
        says="succeeded",
    ),
    Proof(
        "any-endpoint",
        test_endpoints.test_a_wrong_endpoint_is_refused_and_harms_nothing,
        "push-pull/tcp4/faulty>faulty/right-binds/wrong-endpoints",
        says="succeeded",
    ),
    Proof(
        "any-endpoint",
        test_endpoints.test_a_port_that_does_not_exist_is_refused,
        "push-pull/tcp4/faulty>faulty/right-binds/impossible-ports",
        says="succeeded",
        known=True,
    ),
    Proof(
        "wait-for-names",
        test_endpoints.test_a_name_that_cannot_be_resolved_keeps_nobody_from_the_others,
        "push-pull/tcp4/pyzmq>faulty/left-binds/unresolvable",
        Verdict.HANG,
        "no answer to connect",
    ),
    Proof(
        "vague-endpoint",
        test_endpoints.test_port_zero_and_a_wildcard_each_give_a_port_of_their_own,
        "push-pull/tcp4/pyzmq>faulty/right-binds/free-ports",
        says="*",
    ),
    Proof(
        "no-names",
        test_endpoints.test_localhost_leads_to_a_listener_on_loopback,
        "push-pull/tcp4/faulty>pyzmq/right-binds/localhost",
        says="timeout",
    ),
    Proof(
        "flip",
        test_network_faults.test_a_slow_unsteady_network_changes_nothing_but_the_time,
        "pair-pair/tcp4/faulty>pyzmq/right-binds/latency",
    ),
    Proof(
        "truncate",
        test_network_faults.test_a_narrow_network_carries_long_messages_whole,
        "pair-pair/tcp4/faulty>pyzmq/right-binds/bandwidth",
    ),
    Proof(
        "split",
        test_network_faults.test_a_network_that_passes_single_bytes_changes_no_message,
        "pair-pair/tcp4/pyzmq>faulty/right-binds/single-bytes",
    ),
    Proof(
        "lose-on-restart",
        test_network_faults.test_a_flow_runs_again_after_its_connection_was_cut,
        "push-pull/tcp4/faulty>pyzmq/right-binds/cut-and-healed",
        says=_NONE,
    ),
    Proof(
        "lose-on-restart",
        test_network_faults.test_a_flow_runs_again_after_its_connection_was_reset,
        "push-pull/tcp4/pyzmq>faulty/left-binds/reset",
        says=_NONE,
    ),
    Proof(
        "lose-on-restart",
        test_network_faults.test_a_flow_runs_again_after_its_network_swallowed_everything,
        "push-pull/tcp4/faulty>pyzmq/right-binds/half-open",
        says=_NONE,
    ),
    Proof(
        "half-multipart",
        test_network_faults.test_a_request_whose_connection_ends_in_the_middle_comes_whole_or_not_at_all,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/data-limit",
        says="nobody sent",
    ),
    Proof("half-multipart", _limit, "push-pull/tcp4/pyzmq>faulty/right-binds/data-limit", says="nobody sent"),
    Proof("split", _limit, "push-pull/tcp4/faulty>pyzmq/right-binds/data-limit"),
    Proof(
        "ignore-option=HEARTBEAT_IVL",
        test_heartbeats.test_a_peer_that_falls_silent_is_noticed_in_time,
        "push-pull/tcp4/faulty>pyzmq/right-binds/silent-peer",
        says="no event DISCONNECTED",
    ),
    Proof(
        "ignore-option=HEARTBEAT_TTL",
        test_heartbeats.test_a_peer_that_was_told_a_time_to_live_notices_by_itself,
        "push-pull/tcp4/faulty>pyzmq/right-binds/time-to-live",
        says="no event DISCONNECTED",
    ),
    Proof("double", _idle, "push-pull/tcp4/faulty>pyzmq/right-binds/idle-but-alive", says="reached the application"),
    Proof("alarm", _idle, "push-pull/tcp4/faulty>pyzmq/right-binds/idle-but-alive", says="was cut off"),
    Proof(
        "alarm",
        test_heartbeats.test_a_requester_is_not_answered_by_a_heartbeat,
        "req-rep/tcp4/pyzmq>faulty/right-binds/slow-answer",
        says="was cut off",
    ),
    Proof(
        "ignore-option=HEARTBEAT_IVL",
        test_heartbeats.test_a_watched_connection_that_went_dead_is_replaced,
        "push-pull/tcp4/faulty>pyzmq/right-binds/half-open-watched",
    ),
)
