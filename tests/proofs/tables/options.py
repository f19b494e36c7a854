"""Proofs of the options' checks: an option that is ignored, and one that is told again and never applied."""

from __future__ import annotations

from typing import Final

from tests.interop import test_options
from tests.proofs.tables.proof import Proof

_keepalive = test_options.test_tcp_keepalive_and_its_idle_time_are_set_on_the_live_connection
_identity = test_options.test_a_routers_application_sees_the_identity_that_was_set

PROOFS: Final = (
    Proof("ignore-option=TCP_KEEPALIVE", _keepalive, "push-pull/tcp4/faulty>pyzmq/left-binds/keepalive"),
    Proof("pretend-option=TCP_KEEPALIVE", _keepalive, "push-pull/tcp4/faulty>pyzmq/left-binds/keepalive"),
    Proof("pretend-option=TCP_KEEPALIVE_IDLE", _keepalive, "push-pull/tcp4/faulty>pyzmq/left-binds/keepalive"),
    Proof("pretend-option=TCP_KEEPALIVE_IDLE", _keepalive, "push-pull/tcp4/faulty>pyzmq/right-binds/keepalive"),
    Proof(
        "pretend-option=IPV6",
        test_options.test_ipv6_decides_whether_an_ipv6_address_can_be_reached,
        "push-pull/tcp6/faulty>pyzmq/right-binds/ipv6-switch",
    ),
    Proof(
        "pretend-option=SNDHWM",
        test_options.test_sndhwm_is_how_many_messages_wait_for_a_peer,
        "dealer-router/tcp4/faulty>pyzmq/right-binds/sndhwm-exact",
        says="DID NOT RAISE",
    ),
    Proof(
        "pretend-option=RCVHWM",
        test_options.test_rcvhwm_of_a_puller_that_does_not_read_holds_its_pusher_back,
        "push-pull/tcp4/pyzmq>faulty/right-binds/rcvhwm-holds-back",
        says="were taken",
    ),
    Proof(
        "pretend-option=LINGER",
        test_options.test_close_waits_for_queued_messages_as_long_as_linger_says,
        "push-pull/tcp4/faulty>pyzmq/right-binds/linger-holds-close",
    ),
    Proof("ignore-option=ROUTING_ID", _identity, "req-router/tcp4/faulty>pyzmq/right-binds/identity-seen"),
    Proof("pretend-option=ROUTING_ID", _identity, "dealer-router/tcp4/faulty>pyzmq/left-binds/identity-seen"),
)
