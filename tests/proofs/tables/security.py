"""Proofs of who gets in, and of what monitors tell."""

from __future__ import annotations

from typing import Final

from tests.interop import test_monitor, test_plain_error, test_security, test_zap
from tests.proofs.tables.proof import Proof

_TCP: Final = "push-pull/tcp4"

PROOFS: Final = (
    # The server's handler does not look.
    Proof(
        "anybody",
        test_security.test_a_wrong_password_lets_nothing_in,
        f"{_TCP}/pyzmq>faulty/right-binds/plain-wrong-password",
        says="the intruder was let in",
    ),
    Proof(
        "anybody",
        test_security.test_an_unknown_user_gets_nothing_in,
        f"{_TCP}/pyzmq>faulty/right-binds/plain-unknown-user",
        says="the intruder was let in",
    ),
    Proof(
        "anybody",
        test_security.test_a_client_whose_key_is_not_listed_gets_nothing_in,
        f"{_TCP}/pyzmq>faulty/right-binds/curve-unknown-key",
        says="the intruder was let in",
    ),
    Proof(
        "anybody",
        test_security.test_nobody_whom_zap_does_not_list_gets_into_a_null_server_with_a_domain,
        f"{_TCP}/pyzmq>faulty/right-binds/null-in-domain",
        says="the intruder was let in",
    ),
    # The friend stands outside.
    Proof(
        "nobody",
        test_security.test_a_wrong_password_lets_nothing_in,
        f"{_TCP}/pyzmq>faulty/right-binds/plain-wrong-password",
        says="timeout",
    ),
    Proof(
        "nobody",
        test_security.test_a_client_shows_its_credentials_to_each_server,
        f"{_TCP}/pyzmq>faulty/right-binds/plain-two-servers",
        says="timeout",
    ),
    # Nobody is secured at all.
    *(
        Proof("no-security", check, f"{_TCP}/{pair}/right-binds/{what}", says="the intruder was let in")
        for check, pair, what in (
            (
                test_security.test_a_client_without_security_gets_nothing_into_a_plain_server,
                "faulty>faulty",
                "plain-no-password",
            ),
            (
                test_security.test_a_client_without_security_gets_nothing_into_a_curve_server,
                "pyzmq>faulty",
                "curve-no-key",
            ),
            (test_security.test_a_plain_client_gets_nothing_into_a_curve_server, "faulty>faulty", "curve-plain-client"),
            (
                test_security.test_a_client_that_expects_another_server_sends_it_nothing,
                "faulty>faulty",
                "curve-wrong-server",
            ),
            (
                test_security.test_a_plain_client_gets_nothing_into_a_server_without_security,
                "faulty>pyzmq",
                "null-plain-client",
            ),
        )
    ),
    Proof(
        "truncate",
        test_security.test_a_plain_connection_carries_every_size_of_frame,
        "pair-pair/tcp4/faulty>pyzmq/right-binds/plain-payloads",
    ),
    Proof(
        "truncate",
        test_security.test_a_curve_connection_carries_every_size_of_frame,
        "pair-pair/tcp4/pyzmq>faulty/right-binds/curve-payloads",
    ),
    # libzmq itself fails here in another way, which is a known issue.
    Proof(
        "anybody",
        test_plain_error.test_a_plain_server_refuses_with_the_error_command,
        f"{_TCP}/faulty>faulty/right-binds/plain-says-error",
        says="WELCOME",
        known=True,
    ),
    Proof(
        "no-events",
        test_plain_error.test_a_plain_client_understands_the_error_command,
        f"{_TCP}/faulty>faulty/right-binds/plain-hears-error",
        says="timeout",
        known=True,
    ),
    # Whom the server does not ask about, the handler cannot refuse.
    *(
        Proof("no-security", check, f"{_TCP}/{pair}/right-binds/{what}", says="does not ask its handler")
        for check, pair, what in (
            (test_zap.test_a_null_client_gets_in_if_zap_says_so, "pyzmq>faulty", "zap-null"),
            (test_zap.test_zap_is_shown_the_name_and_password_of_a_plain_client, "faulty>faulty", "zap-plain"),
            (test_zap.test_zap_is_shown_the_key_of_a_curve_client, "faulty>faulty", "zap-curve"),
        )
    ),
    # A server that connects, and whose handler does not look, or has nobody in.
    *(
        Proof(fault, check, f"{_TCP}/pyzmq>faulty/left-binds/{what}", says=says)
        for check, what in (
            (test_security.test_a_plain_server_may_be_the_one_that_connects, "plain-server-connects"),
            (test_security.test_a_curve_server_may_be_the_one_that_connects, "curve-server-connects"),
        )
        for fault, says in (("anybody", ""), ("nobody", "timeout"))
    ),
    # Monitors.
    *(
        Proof(fault, check, f"{_TCP}/{pair}/right-binds/{what}", says=says)
        for check, pair, what in (
            (
                test_monitor.test_the_connecting_sides_monitor_tells_of_connection_handshake_and_loss,
                "faulty>pyzmq",
                "monitor-connects",
            ),
            (
                test_monitor.test_the_listening_sides_monitor_tells_of_connection_handshake_and_loss,
                "pyzmq>faulty",
                "monitor-listens",
            ),
            (
                test_monitor.test_a_servers_monitor_tells_of_a_client_with_another_mechanism,
                "pyzmq>faulty",
                "monitor-mismatch",
            ),
            (test_monitor.test_a_servers_monitor_tells_of_a_client_that_zap_refuses, "pyzmq>faulty", "monitor-refusal"),
            (
                test_monitor.test_a_servers_monitor_tells_of_a_client_that_uses_another_key,
                "pyzmq>faulty",
                "monitor-cipher",
            ),
            (test_monitor.test_a_refused_clients_monitor_tells_it_that_zap_said_no, "faulty>pyzmq", "monitor-told"),
        )
        for fault, says in (("no-events", "timeout"), ("wrong-event", ""))
    ),
)
