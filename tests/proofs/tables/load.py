"""Proofs of throughput and load: messages lost, doubled, swapped or sent to others while very many are under way."""

from __future__ import annotations

from typing import Final

from tests.interop import test_load, test_throughput
from tests.proofs.tables.proof import Proof

_small = test_throughput.test_a_flood_of_small_messages_comes_whole_and_in_order
_small_published = test_throughput.test_a_flood_of_small_publications_comes_whole_and_in_order
_1k = test_throughput.test_a_flood_of_messages_of_1_kib_comes_in_order
_64k = test_throughput.test_a_flood_of_messages_of_64_kib_comes_in_order
_1m = test_throughput.test_a_flood_of_messages_of_1_mib_comes_in_order
_hundred = test_load.test_a_router_answers_a_hundred_clients_at_no_more_than_ten_times_the_cost_of_ten
_thousand = test_load.test_a_router_answers_a_thousand_clients_at_no_more_than_ten_times_the_cost_of_a_hundred
_ten_thousand = test_load.test_a_router_answers_ten_thousand_clients_at_no_more_than_ten_times_the_cost_of_a_thousand

PROOFS: Final = (
    Proof("drop", _small, "push-pull/tcp4/faulty>pyzmq/right-binds/throughput-64", says="timeout"),
    Proof("double", _small, "push-pull/tcp4/faulty>pyzmq/right-binds/throughput-64", says="'doubled'"),
    Proof("reorder", _small, "push-pull/tcp4/faulty>pyzmq/right-binds/throughput-64", says="'reordered'"),
    Proof("drop", _small_published, "pub-sub/tcp4/faulty>pyzmq/left-binds/throughput-64", says="lost"),
    Proof("double", _1k, "pub-sub/tcp4/faulty>pyzmq/right-binds/throughput-1k", says="'doubled'"),
    Proof("reorder", _64k, "push-pull/tcp4/faulty>pyzmq/right-binds/throughput-64k", says="'reordered'"),
    Proof("double", _1m, "push-pull/tcp4/faulty>pyzmq/right-binds/throughput-1m", says="'doubled'"),
    Proof("drop", _hundred, "dealer-router/tcp4/pyzmq>faulty/right-binds/load-100", says="did not get their answer"),
    Proof("crowded=3", _hundred, "dealer-router/tcp4/pyzmq>faulty/right-binds/load-100", says="grows as"),
    Proof("double", _hundred, "dealer-router/tcp4/pyzmq>faulty/right-binds/load-100", says="did not get their answer"),
    Proof(
        "wrong-requester",
        _hundred,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/load-100",
        says="did not get their answer",
    ),
    Proof("double", _thousand, "req-router/tcp4/pyzmq>faulty/right-binds/load-1000", says="did not get their answer"),
    Proof(
        "wrong-requester",
        _ten_thousand,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/load-10000",
        says="did not get their answer",
    ),
)
