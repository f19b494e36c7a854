"""Proofs of what is left behind."""

from __future__ import annotations

from typing import Final

from harness.model.verdicts import Verdict
from tests.interop import test_leaks, test_leaks_of_failures
from tests.proofs.tables.proof import Proof

_TCP: Final = "push-pull/tcp4"
_cycles = test_leaks.test_sockets_that_talked_and_were_closed_leave_nothing_behind
_GROW: Final = "grow=65536"
_STUCK: Final = "its handles stayed at 9 while a PULL bound to tcp://127.0.0.1:* was open"

PROOFS: Final = (
    # The article's case: a program that answers that it closed, and did not.
    *(
        Proof("forget-close", _cycles, f"{pattern}/tcp4/faulty>faulty/right-binds/leaks", says="handles grew")
        for pattern in ("push-pull", "pub-sub", "req-rep")
    ),
    Proof("leak-thread", _cycles, f"{_TCP}/faulty>faulty/right-binds/leaks", says="threads grew"),
    Proof(_GROW, _cycles, f"{_TCP}/faulty>faulty/right-binds/leaks", says="bytes a cycle"),
    *(
        Proof(
            fault,
            test_leaks.test_sockets_that_talked_to_another_library_leave_nothing_behind,
            f"{_TCP}/{pair}/right-binds/leaks-abroad",
            says=says,
        )
        for fault, says in (("forget-close", "handles grew"), ("leak-thread", "threads grew"), (_GROW, "bytes a cycle"))
        for pair in ("faulty>pyzmq", "pyzmq>faulty")
    ),
    *(
        Proof("forget-close", check, f"push-pull/{transport}/faulty>faulty/right-binds/{what}", says="handles grew")
        for check, transport, what in (
            (test_leaks.test_sockets_within_one_machine_leave_nothing_behind, "ipc", "leaks-nearby"),
            (test_leaks.test_messages_that_nobody_received_go_with_their_socket, "tcp4", "leaks-unread"),
            (test_leaks.test_calls_that_timed_out_leave_nothing_behind, "tcp4", "leaks-timeouts"),
            (
                test_leaks_of_failures.test_strangers_that_knock_and_hang_up_leave_nothing_behind,
                "tcp4",
                "leaks-strangers",
            ),
            (
                test_leaks_of_failures.test_a_listener_that_closes_lets_go_of_clients_in_mid_handshake,
                "tcp4",
                "leaks-silent-clients",
            ),
            (
                test_leaks_of_failures.test_a_client_that_met_no_zeromq_leaves_nothing_behind,
                "tcp4",
                "leaks-rude-servers",
            ),
            (
                test_leaks_of_failures.test_a_client_that_closes_lets_go_of_a_server_that_says_nothing,
                "tcp4",
                "leaks-silent-servers",
            ),
            (
                test_leaks_of_failures.test_a_client_that_closes_stops_looking_for_a_server,
                "tcp4",
                "leaks-nobody-there",
            ),
        )
    ),
    Proof(
        "forget-close",
        test_leaks_of_failures.test_clients_that_are_refused_leave_nothing_behind,
        f"{_TCP}/faulty>pyzmq/right-binds/leaks-refusals",
        says="handles grew",
    ),
    # A count that never moves would find every peer clean.
    *(
        Proof("stuck-handles", _cycles, f"{pattern}/tcp4/faulty>faulty/right-binds/leaks", Verdict.UNSUPPORTED, _STUCK)
        for pattern in ("push-pull", "req-rep")
    ),
    Proof(
        "stuck-handles",
        test_leaks.test_a_program_that_forgets_to_close_is_caught,
        f"{_TCP}/faulty>faulty/right-binds/forgotten-close",
        Verdict.UNSUPPORTED,
        _STUCK,
    ),
    # What is forgotten must have talked before.
    Proof(
        "flip",
        test_leaks.test_a_program_that_forgets_to_close_is_caught,
        f"{_TCP}/faulty>faulty/right-binds/forgotten-close",
    ),
    # A second process is not served.
    Proof(
        "lose-on-restart",
        test_leaks.test_a_listener_lets_go_of_processes_that_died,
        f"{_TCP}/pyzmq>faulty/right-binds/leaks-restarts",
        says="timeout",
    ),
    Proof(
        "lose-on-restart",
        test_leaks.test_a_client_lets_go_of_connections_to_processes_that_died,
        f"{_TCP}/pyzmq>faulty/left-binds/leaks-reconnects",
        says="timeout",
    ),
)
