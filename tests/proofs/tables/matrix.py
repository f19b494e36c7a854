"""Proofs of the matrix and the topologies, and of mistakes that a process makes."""

from __future__ import annotations

from typing import Final

from harness.model.verdicts import Verdict
from tests.interop import (
    test_drafts,
    test_pair,
    test_pipeline,
    test_publish_subscribe,
    test_request_reply,
    test_router_router,
    test_stream,
    test_topologies,
)
from tests.proofs.tables.proof import Proof

_push_pull = test_pipeline.test_pull_gets_every_message_once_and_in_order
_req_rep = test_request_reply.test_a_reply_goes_back_to_its_requester
_pub_sub = test_publish_subscribe.test_subscriber_gets_what_begins_with_its_prefix_and_nothing_else

PROOFS: Final = (
    # One-way: what the sender does to a message.
    Proof("drop", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/multipart", says="timeout"),
    Proof("double", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/multipart"),
    Proof("reorder", _push_pull, "push-pull/tcp4/faulty>pyzmq/right-binds/multipart"),
    Proof("merge", _push_pull, "push-pull/ipc/faulty>pyzmq/left-binds/multipart"),
    Proof("split", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/multipart"),
    Proof("eat-empty", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/empty-front"),
    Proof("eat-empty", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/empty-middle"),
    Proof("eat-empty", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/empty-end"),
    Proof("eat-empty", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/empty", says="timeout"),
    Proof("flip", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/all-bytes"),
    Proof("flip", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/1000-frames"),
    Proof("truncate", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/1m"),
    # Every other check, each with a fault that belongs to it.
    Proof("flip", _req_rep, "req-rep/tcp4/faulty>pyzmq/right-binds/utf8"),
    Proof("flip", _req_rep, "req-rep/tcp4/pyzmq>faulty/right-binds/255-bytes"),
    Proof(
        "merge",
        test_request_reply.test_router_sees_identity_and_delimiter_of_a_request,
        "req-router/tcp4/faulty>pyzmq/right-binds/multipart",
    ),
    Proof(
        "eat-empty",
        test_request_reply.test_rep_keeps_the_envelope_of_a_dealer,
        "dealer-rep/tcp4/faulty>pyzmq/right-binds/multipart",
    ),
    Proof(
        "reorder",
        test_request_reply.test_dealer_and_router_exchange_bursts_both_ways,
        "dealer-router/tcp4/faulty>pyzmq/right-binds/1-byte",
    ),
    Proof(
        "double",
        test_request_reply.test_dealers_exchange_bursts_both_ways,
        "dealer-dealer/tcp6/pyzmq>faulty/right-binds/256-bytes",
    ),
    Proof(
        "flip",
        test_router_router.test_routers_address_each_other_by_identity,
        "router-router/tcp4/pyzmq>faulty/right-binds/64k",
    ),
    Proof("split", test_pair.test_pairs_exchange_bursts_both_ways, "pair-pair/tcp4/pyzmq>faulty/left-binds/multipart"),
    Proof(
        "eat-empty",
        test_pair.test_whatever_multipart_body_is_sent_arrives_unchanged,
        "pair-pair/tcp4/faulty>pyzmq/left-binds/any-body",
    ),
    Proof("ignore-prefix", _pub_sub, "pub-sub/tcp4/pyzmq>faulty/left-binds/multipart"),
    Proof("ignore-prefix", _pub_sub, "pub-xsub/tcp4/pyzmq>faulty/left-binds/64k"),
    Proof(
        "ignore-prefix",
        test_publish_subscribe.test_xpub_hands_subscriptions_to_its_application,
        "xpub-xsub/tcp4/pyzmq>faulty/left-binds/sees-subscription",
    ),
    Proof(
        "flip",
        test_stream.test_stream_and_plain_tcp_exchange_the_same_bytes,
        "stream-raw/tcp4/faulty>pyzmq/left-binds/multipart",
    ),
    Proof(
        "false-capability",
        test_drafts.test_a_draft_type_delivers_a_message,
        "client-server/tcp4/faulty>faulty/left-binds/1-byte",
        says="unsupported",
    ),
    Proof("false-capability", _req_rep, "req-rep/ws/faulty>faulty/left-binds/1-byte", says="unsupported"),
    Proof(
        "ignore-prefix",
        test_topologies.test_overlapping_topics_reach_exactly_their_subscribers,
        "pub-sub/tcp4/pyzmq>faulty/left-binds/three-subscribers",
    ),
    Proof(
        "drop",
        test_topologies.test_three_pushers_share_their_work_among_three_pullers,
        "push-pull/tcp4/faulty>pyzmq/right-binds/three-by-three",
        says="came in time",
    ),
    Proof(
        "double",
        test_topologies.test_three_pushers_share_their_work_among_three_pullers,
        "push-pull/tcp4/faulty>pyzmq/right-binds/three-by-three",
    ),
    Proof(
        "wrong-requester",
        test_topologies.test_each_requester_gets_its_own_reply,
        "dealer-router/tcp4/pyzmq>faulty/right-binds/three-requesters",
    ),
    Proof(
        "wrong-requester",
        test_topologies.test_go_and_python_requesters_share_one_router,
        "req-router/tcp4/mixed>faulty/right-binds/five-mixed-requesters",
    ),
    Proof(
        "flip",
        test_topologies.test_one_socket_serves_two_transports,
        "req-rep/tcp4/faulty>pyzmq/right-binds/two-transports",
    ),
    Proof(
        "flip",
        test_topologies.test_a_send_waits_until_there_is_a_peer,
        "push-pull/tcp4/faulty>pyzmq/left-binds/waits-for-a-peer",
    ),
    # Mistakes of the process rather than of a message.
    Proof("silent", _req_rep, "req-rep/tcp4/pyzmq>faulty/right-binds/multipart", Verdict.HANG, "no answer to recv"),
    Proof("crash", _req_rep, "req-rep/tcp4/faulty>pyzmq/right-binds/multipart", Verdict.CRASH, "ended with"),
    Proof("garbage", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/multipart", says="not JSON"),
    Proof("leak", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/multipart", says="still has"),
    Proof("swallow", _push_pull, "push-pull/tcp4/faulty>pyzmq/left-binds/multipart", says="self-probe"),
)

AT_THE_END: Final = {"leave-child": "left a child process behind"}
"""Faults that show when the peer ends: what the run then says."""
