"""Proofs of timeouts, of calls that wait, and of handshakes that do not end."""

from __future__ import annotations

from typing import Final

from harness.model.verdicts import Verdict
from tests.interop import test_handshake_timeouts as handshake
from tests.interop import test_timeouts as timeouts
from tests.proofs.tables.proof import Proof

_recv, _send = timeouts.test_a_receive_ends_at_its_timeout, timeouts.test_a_send_without_a_peer_ends_at_its_timeout
_rcvtimeo, _sndtimeo = timeouts.test_rcvtimeo_ends_a_blocking_receive, timeouts.test_sndtimeo_ends_a_blocking_send

PROOFS: Final = (
    Proof("early", _recv, "push-pull/tcp4/faulty>faulty/right-binds/recv-timeout", says="before its time"),
    Proof("late", _recv, "dealer-router/tcp4/faulty>faulty/right-binds/recv-timeout", says="late"),
    Proof("wrong-error", _recv, "pair-pair/tcp4/faulty>faulty/right-binds/recv-timeout", says="'library' instead of"),
    Proof("early", _send, "push-pull/tcp4/faulty>faulty/left-binds/send-timeout", says="before its time"),
    Proof("late", _send, "req-rep/tcp4/faulty>faulty/left-binds/send-timeout", says="late"),
    Proof("no-timeout", _send, "dealer-router/tcp4/faulty>faulty/left-binds/send-timeout", Verdict.HANG),
    Proof("early", _rcvtimeo, "pub-sub/tcp4/faulty>faulty/right-binds/rcvtimeo", says="before its time"),
    Proof("ignore-option=RCVTIMEO", _rcvtimeo, "push-pull/tcp4/faulty>faulty/right-binds/rcvtimeo", Verdict.HANG),
    Proof("late", _sndtimeo, "push-pull/tcp4/faulty>faulty/left-binds/sndtimeo", says="late"),
    Proof("ignore-option=SNDTIMEO", _sndtimeo, "req-rep/tcp4/faulty>faulty/left-binds/sndtimeo", Verdict.HANG),
    Proof(
        "early",
        timeouts.test_a_receive_ends_at_a_timeout_of_a_second,
        "push-pull/tcp4/faulty>faulty/right-binds/recv-timeout-1s",
        says="before its time",
    ),
    Proof(
        "early",
        timeouts.test_rcvtimeo_and_sndtimeo_keep_a_second,
        "push-pull/tcp4/faulty>faulty/left-binds/timeo-1s",
        says="before its time",
    ),
    Proof(
        "impatient",
        timeouts.test_a_receive_without_timeout_waits_until_a_message_comes,
        "pair-pair/tcp4/faulty>faulty/right-binds/endless-recv",
        says="ended without a message",
    ),
    Proof(
        "impatient",
        timeouts.test_a_send_without_timeout_waits_until_a_peer_comes,
        "req-rep/tcp4/faulty>faulty/left-binds/endless-send",
        says="timeout",
    ),
    Proof(
        "deaf-close",
        timeouts.test_a_waiting_call_ends_when_its_socket_closes,
        "push-pull/tcp4/faulty>faulty/left-binds/close-ends-waits",
        says="still waits",
    ),
    Proof(
        "deaf-close",
        timeouts.test_a_waiting_call_ends_when_its_context_ends,
        "dealer-router/tcp4/faulty>faulty/left-binds/term-ends-waits",
        says="still waits",
    ),
    Proof(
        "serial-handshakes",
        handshake.test_a_client_that_says_nothing_keeps_nobody_out,
        "push-pull/tcp4/pyzmq>faulty/right-binds/silent-clients",
        says="nobody gets through",
    ),
    Proof(
        "ignore-option=CONNECT_TIMEOUT",
        handshake.test_connecting_to_where_nobody_answers_is_given_up_in_time,
        "push-pull/tcp4/faulty>faulty/right-binds/connect-timeout",
        says="no event CONNECT_RETRIED",
    ),
    Proof(
        "ignore-option=HANDSHAKE_IVL",
        handshake.test_a_handshake_that_does_not_end_is_cut_off,
        "push-pull/tcp4/faulty>faulty/left-binds/handshake-interval",
        says="still there",
    ),
    Proof(
        "connect-holds-all",
        handshake.test_a_listener_that_says_nothing_hangs_only_who_connects_to_it,
        "dealer-router/tcp4/faulty>pyzmq/left-binds/silent-listener",
        Verdict.HANG,
    ),
)
