"""REQ, REP, ROUTER and DEALER, one client and one server: 28/REQREP."""

from __future__ import annotations

import pytest

from harness.model.payloads import Payload
from harness.peers.sockets import Link, Peer
from tests.interop.steps import send_bursts, turns


@pytest.mark.cells("req-rep")
def test_a_reply_goes_back_to_its_requester(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    client, server = link.open((left, "REQ"), (right, "REP"))
    for turn, ask, answer in turns(left, right):
        request, reply = payload.body(2 * turn), payload.body(2 * turn + 1)
        client.send(*request, via=ask)
        assert server.recv() == request
        server.send(*reply, via=answer)
        assert client.recv() == reply


@pytest.mark.cells("req-router")
def test_router_sees_identity_and_delimiter_of_a_request(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    # 28/REQREP: REQ SHALL prefix an empty delimiter; ROUTER SHALL prefix the identity of the originating peer.
    client, server = link.open((left, "REQ", {"ROUTING_ID": "requester"}), (right, "ROUTER"))
    for turn, ask, answer in turns(left, right):
        request, reply = payload.body(2 * turn), payload.body(2 * turn + 1)
        client.send(*request, via=ask)
        assert server.recv() == ["requester", "", *request]
        server.send("requester", "", *reply, via=answer)
        assert client.recv() == reply


@pytest.mark.cells("dealer-rep")
def test_rep_keeps_the_envelope_of_a_dealer(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    # 28/REQREP: REP SHALL remove and store the envelope, up to the empty delimiter, and restore it in its reply.
    client, server = link.open((left, "DEALER"), (right, "REP"))
    for turn, ask, answer in turns(left, right):
        request, reply = payload.body(2 * turn), payload.body(2 * turn + 1)
        client.send(f"hop {turn}", "", *request, via=ask)
        assert server.recv() == request
        server.send(*reply, via=answer)
        assert client.recv() == [f"hop {turn}", "", *reply]


@pytest.mark.cells("dealer-router")
def test_dealer_and_router_exchange_bursts_both_ways(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    dealer, router = link.open((left, "DEALER", {"ROUTING_ID": "dealer"}), (right, "ROUTER"))
    sent = send_bursts(dealer, payload)
    assert router.recv_all(len(sent)) == [["dealer", *body] for body in sent]
    sent = send_bursts(router, payload, "dealer")
    assert dealer.recv_all(len(sent)) == sent


@pytest.mark.cells("dealer-dealer")
def test_dealers_exchange_bursts_both_ways(left: Peer, right: Peer, link: Link, payload: Payload) -> None:
    one, other = link.open((left, "DEALER"), (right, "DEALER"))
    sent = send_bursts(one, payload)
    assert other.recv_all(len(sent)) == sent
    sent = send_bursts(other, payload)
    assert one.recv_all(len(sent)) == sent
