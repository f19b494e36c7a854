"""What libzmq says is recorded, decoded, and encoded again to the same bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import zmq
from zmq.auth.thread import ThreadAuthenticator

from harness.wire.record import Flow
from harness.wire.recorder import Recorder
from harness.wire.zmtp import Command, Event, Frame, Greeting, encode
from tests.unit.test_wire_recorder import DEADLINE, kept
from tests.waiting import within


@contextlib.contextmanager
def libzmq(
    listens: int, connects: int, passwords: dict[str, str] | None = None
) -> Iterator[tuple[zmq.Socket[bytes], zmq.Socket[bytes], Recorder]]:
    """Yield two sockets of libzmq, one bound and one not yet connected, and the recorder before the first."""
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        if passwords:
            guard = ThreadAuthenticator(context)
            guard.start()
            stack.callback(guard.stop)
            guard.configure_plain(passwords=passwords)
        server, client = (stack.enter_context(context.socket(kind)) for kind in (listens, connects))
        for one in (server, client):
            one.linger = 0
            one.rcvtimeo = one.sndtimeo = int(1000 * DEADLINE)
        server.plain_server = bool(passwords)
        server.bind("tcp://127.0.0.1:*")
        recorder = Recorder(str(server.get_string(zmq.LAST_ENDPOINT)))
        recorder.expect()
        try:
            yield server, client, recorder
        finally:
            recorder.stop()


def said(flow: Flow) -> list[Event]:
    """Return what was said in a direction, and see that it is just what its bytes were."""
    events: list[Event] = [event for _, event in flow.events() if isinstance(event, Greeting | Frame)]
    assert encode(events) == kept(flow)
    return events


def test_a_conversation_of_libzmq_is_decoded_and_encoded_again_to_the_same_bytes() -> None:
    bodies = [[b"a", b"", b"c" * 255], [b"d" * 256], [bytes(100_000)]]
    with libzmq(zmq.PULL, zmq.PUSH) as (server, client, recorder):
        client.connect(recorder.endpoint)
        for body in bodies:
            client.send_multipart(body)
            assert server.recv_multipart() == body
    (connection,) = recorder.recording.connections
    frames = [event for event in said(connection.forth) if type(event) is Frame]
    assert [frame.body for frame in frames] == [part for body in bodies for part in body]
    assert [frame.more for frame in frames] == [True, True, False, False, False]
    said(connection.back)


def test_plain_and_heartbeats_of_libzmq_are_read() -> None:
    with libzmq(zmq.PULL, zmq.PUSH, {"me": "secret"}) as (server, client, recorder):
        client.plain_username, client.plain_password = b"me", b"secret"
        client.set(zmq.HEARTBEAT_IVL, 1)
        client.connect(recorder.endpoint)
        client.send(b"x")
        assert server.recv() == b"x"
        assert within(DEADLINE, lambda: b"\x04PONG" in kept(recorder.recording.connections[-1].back))
    connection = recorder.recording.connections[-1]
    forth = [event.name for event in said(connection.forth) if isinstance(event, Command)]
    back = [event.name for event in said(connection.back) if isinstance(event, Command)]
    assert [forth[0], forth[1]] == [b"HELLO", b"INITIATE"]
    assert [back[0], back[1]] == [b"WELCOME", b"READY"]
    assert b"PING" in forth
    assert b"PONG" in back


def test_subscriptions_of_libzmq_are_read() -> None:
    with libzmq(zmq.XPUB, zmq.SUB) as (server, client, recorder):
        client.connect(recorder.endpoint)
        client.subscribe(b"topic")
        assert server.recv() == b"\x01topic"
        client.unsubscribe(b"topic")
        assert server.recv() == b"\x00topic"
    (connection,) = recorder.recording.connections
    names = [event.name for event in said(connection.forth) if isinstance(event, Command)]
    assert names == [b"READY", b"SUBSCRIBE", b"CANCEL"]
