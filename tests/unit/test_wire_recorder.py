"""The recorder passes bytes on as they are, keeps what it may of them, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.places.ports import reserved
from harness.wire.record import KEEP, Connection, Flow, Gap, Recording
from harness.wire.recorder import Recorder, address
from harness.wire.tap import Tap
from harness.wire.zmtp import Frame, Greeting, encode
from tests.waiting import within

MIB = 1024 * 1024
DEADLINE = 10.0
TRANSPORTS = ["tcp4", "tcp6"] if sys.platform == "win32" else ["tcp4", "tcp6", "ipc", "ipc-abstract"]


def listening(transport: str, folder: Path) -> tuple[socket.socket, str]:
    """Return a plain listener and its endpoint."""
    if transport == "tcp4":
        listener = socket.create_server(("127.0.0.1", 0))
        endpoint = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    elif transport == "tcp6":
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        endpoint = f"tcp://[::1]:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX)
        abstract = transport == "ipc-abstract"
        listener.bind("" if abstract else str(folder / "listener"))
        listener.listen()
        endpoint = f"ipc://@{listener.getsockname()[1:].decode()}" if abstract else f"ipc://{folder / 'listener'}"
    listener.settimeout(DEADLINE)
    return listener, endpoint


def dial(endpoint: str) -> socket.socket:
    """Connect a plain client."""
    family, where = address(endpoint)
    client = socket.socket(family)
    client.settimeout(DEADLINE)
    try:
        client.connect(where)
    except BaseException:
        client.close()
        raise
    return client


def read(one: socket.socket, count: int = sys.maxsize) -> bytes:
    """Read so many bytes, or until the end."""
    found = bytearray()
    while len(found) < count and (data := one.recv(min(MIB, count - len(found)))):
        found += data
    return bytes(found)


class Line:
    """A client, a recorder, and the server's end of the client's connection."""

    def __init__(self, transport: str, folder: Path, keep: int = KEEP) -> None:
        self.listener, self.endpoint = listening(transport, folder)
        self.recorder = Recorder(self.endpoint, keep)
        self.recorder.expect()
        self.client = dial(self.recorder.endpoint)
        self.server, _ = self.listener.accept()
        self.server.settimeout(DEADLINE)

    def stop(self) -> Connection:
        """Close both ends and return the record of the connection."""
        self.close()
        (connection,) = self.recorder.stop().connections
        return connection

    def close(self) -> None:
        for one in (self.client, self.server, self.listener):
            one.close()


@contextlib.contextmanager
def line(transport: str, folder: Path, **options: int) -> Iterator[Line]:
    made = Line(transport, folder, **options)
    try:
        yield made
    finally:
        made.close()
        made.recorder.stop()


def kept(flow: Flow) -> bytes:
    """Return what a direction kept."""
    return b"".join(chunk.data for chunk in (*flow.head, *flow.tail))


# Bytes go through.


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bytes_in_are_bytes_out_for_random_slices_both_ways(tmp_path: Path, transport: str) -> None:
    dice = random.Random(6)
    forth, back = dice.randbytes(300_000), dice.randbytes(200_000)
    with line(transport, tmp_path) as made:

        def talk(one: socket.socket, data: bytes, seed: int) -> None:
            slices = random.Random(seed)
            at = 0
            while at < len(data):
                at += one.send(data[at : at + slices.choice((1, 7, 100, 5000, 70_000))])
            one.shutdown(socket.SHUT_WR)

        talking = [threading.Thread(target=talk, args=row) for row in ((made.client, forth, 1), (made.server, back, 2))]
        for thread in talking:
            thread.start()
        heard: list[bytes] = []
        reader = threading.Thread(target=lambda: heard.append(read(made.server)))
        reader.start()
        assert read(made.client) == back
        for thread in (*talking, reader):
            thread.join(DEADLINE)
        assert heard == [forth]
        connection = made.stop()
    assert (kept(connection.forth), kept(connection.back)) == (forth, back)
    assert [flow.end[1] for flow in (connection.forth, connection.back) if flow.end] == ["closed", "closed"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_half_a_close_is_passed_on_as_half_a_close(tmp_path: Path, transport: str) -> None:
    with line(transport, tmp_path) as made:
        made.client.sendall(b"question")
        made.client.shutdown(socket.SHUT_WR)
        assert read(made.server) == b"question"
        made.server.sendall(b"answer")
        made.server.close()
        assert read(made.client) == b"answer"
        connection = made.stop()
    assert connection.forth.end is not None
    assert connection.back.end is not None
    assert connection.forth.end[0] <= connection.back.end[0]


@pytest.mark.skipif(sys.platform == "win32", reason="SO_LINGER has another layout there")
def test_a_reset_is_passed_on_as_a_reset(tmp_path: Path) -> None:
    with line("tcp4", tmp_path) as made:
        made.client.sendall(b"x")
        assert read(made.server, 1) == b"x"
        made.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.client.close()
        with pytest.raises(ConnectionResetError):
            made.server.recv(1)
        connection = made.stop()
    assert connection.forth.end is not None
    assert connection.forth.end[1] == "reset"


@pytest.mark.skipif(sys.platform == "win32", reason="SO_LINGER has another layout there")
@pytest.mark.parametrize("first", ["server", "client"])
def test_a_reset_that_comes_together_with_bytes_ends_that_connection_alone(tmp_path: Path, first: str) -> None:
    with line("tcp4", tmp_path) as made:
        ends = {"server": made.server, "client": made.client}
        resets, sends = ends.pop(first), ends.popitem()[1]
        sends.sendall(b"x")
        assert read(resets, 1) == b"x"
        with made.recorder._lock:  # the recorder waits here with a new client: what comes meanwhile it sees at once
            other = dial(made.recorder.endpoint)
            assert within(DEADLINE, lambda: len(made.recorder.recording.connections) == 2)
            resets.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            resets.close()
            sends.sendall(b"words")
        with other, made.listener.accept()[0] as server:
            other.sendall(b"goes on")
            assert read(server, 7) == b"goes on"
        assert made.recorder.recording.notes == []


def test_who_does_not_read_holds_back_who_writes(tmp_path: Path) -> None:
    with line("tcp4", tmp_path) as made:
        made.client.settimeout(0.2)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 256 * MIB:
                sent += made.client.send(bytes(MIB))
        assert sent < 64 * MIB
        assert len(read(made.server, sent)) == sent


def test_64_mib_pass_in_bounded_memory(tmp_path: Path) -> None:
    block = random.Random(1).randbytes(MIB)
    with line("tcp4", tmp_path, keep=MIB) as made:
        got: list[int] = []

        def swallow() -> None:
            got.extend(len(read(made.server, MIB)) for _ in range(64))

        swallowing = threading.Thread(target=swallow)
        swallowing.start()
        tracemalloc.start()
        try:
            for _ in range(64):
                made.client.sendall(block)
            swallowing.join(DEADLINE)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert sum(got) == 64 * MIB
        flow = made.stop().forth
    assert flow.size == 64 * MIB
    assert flow.dropped == flow.size - len(kept(flow))
    assert kept(flow).startswith(block[: MIB // 2])
    assert kept(flow).endswith(block[MIB // 2 :])
    # The two ends that are kept, what the recorder and the reader hold at once, and room for the rest.
    assert peak < 12 * MIB


# Who listens.


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_where_nobody_listens_behind_nobody_listens_before(tmp_path: Path, transport: str) -> None:
    listener, endpoint = listening(transport, tmp_path)
    listener.close()
    recorder = Recorder(endpoint)
    try:
        recorder.expect()
        with pytest.raises(OSError, match=r"refused|No such file"):
            dial(recorder.endpoint)
    finally:
        assert recorder.stop().connections == []


def test_it_listens_once_somebody_listens_behind_and_is_deaf_when_he_has_gone() -> None:
    with reserved() as port:
        recorder = Recorder(f"tcp://127.0.0.1:{port}")
        try:
            with socket.create_server(("127.0.0.1", port)) as listener:
                recorder.expect()
                with dial(recorder.endpoint), listener.accept()[0]:
                    pass
            # One client gets as far as the recorder, and is cut off; the next one is refused.
            with contextlib.suppress(ConnectionResetError), dial(recorder.endpoint) as late:
                assert late.recv(1) == b""
            assert within(DEADLINE, lambda: not reachable(recorder.endpoint))
            with socket.create_server(("127.0.0.1", port)) as successor:
                recorder.listen()
                successor.settimeout(DEADLINE)
                with dial(recorder.endpoint) as client, successor.accept()[0] as server:
                    client.sendall(b"again")
                    assert read(server, 5) == b"again"
        finally:
            recording = recorder.stop()
    assert [connection.refused for connection in recording.connections][:2] == [False, True]
    assert not recording.connections[-1].refused


def reachable(endpoint: str) -> bool:
    try:
        dial(endpoint).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        return True  # it was accepted first
    return True


def test_nothing_is_left_when_it_has_stopped(tmp_path: Path) -> None:
    threads = threading.active_count()
    with line("tcp4", tmp_path) as made:
        made.client.sendall(b"never read")
        recording = made.recorder.stop()
        assert threading.active_count() == threads
        with pytest.raises(ConnectionRefusedError):
            dial(made.recorder.endpoint)
        # What had come by then was passed on, and the connections are closed.
        assert read(made.server) == b"never read"
        assert made.client.recv(1) == b""
    (connection,) = recording.connections
    assert connection.back.end is not None
    assert connection.back.end[1] == "cut off"


@pytest.mark.skipif(sys.platform == "win32", reason="no ipc there")
def test_the_socket_file_and_its_folder_are_removed(tmp_path: Path) -> None:
    with line("ipc", tmp_path) as made:
        path = Path(made.recorder.endpoint.removeprefix("ipc://"))
        assert path.exists()
        made.stop()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "endpoint",
    ["inproc://x", "ws://127.0.0.1:1", "tcp://localhost:1", "tcp://127.0.0.1:0", "tcp://127.0.0.1:*", "ipc://"],
)
def test_what_cannot_be_recorded_says_so(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"recorded"):
        address(endpoint)


# The tap.


def test_a_tap_leads_the_connecting_side_astray_and_nobody_notices(tmp_path: Path) -> None:
    listener, endpoint = listening("tcp4", tmp_path)
    tap = Tap()
    with listener:
        tap.bound(endpoint, "one")
        astray = tap.towards(endpoint, "two")
        assert astray != endpoint
        assert (tap.real(astray), tap.instead(endpoint)) == (endpoint, astray)
        assert tap.towards(endpoint, "three") == astray
        assert (tap.real("tcp://127.0.0.1:1"), tap.instead("ipc://other")) == ("tcp://127.0.0.1:1", "ipc://other")
        ((recording,), notes) = tap.stop()
    assert (recording.endpoint, recording.binds, recording.connects) == (endpoint, "one", "two, three")
    assert notes == []
    assert tap.towards(endpoint, "two") == endpoint, "a tap that has ended goes straight on"


def test_a_tap_goes_straight_on_to_what_cannot_be_recorded_and_says_why() -> None:
    tap = Tap()
    assert tap.towards("inproc://x", "one") == "inproc://x"
    assert tap.towards("inproc://x", "two") == "inproc://x"
    assert tap.stop() == ([], ["inproc://x was not recorded: only tcp and ipc are recorded"])


def test_a_listener_that_no_peer_announced_is_found_again() -> None:
    tap = Tap()
    with reserved() as port:
        with socket.create_server(("127.0.0.1", port)) as listener:
            astray = tap.towards(f"tcp://127.0.0.1:{port}", "one")
            with dial(astray), listener.accept()[0]:
                pass
        with contextlib.suppress(ConnectionResetError), dial(astray) as cut:
            assert cut.recv(1) == b""
        with socket.create_server(("127.0.0.1", port)) as successor:
            successor.settimeout(DEADLINE)
            with dial(astray) as client, successor.accept()[0] as server:
                server.sendall(b"back")
                assert read(client, 4) == b"back"
        ((recording,), _) = tap.stop()
    assert [connection.refused for connection in recording.connections] == [False, True, False]


# What was kept.


def test_what_was_dropped_is_counted_and_what_comes_after_it_is_still_read() -> None:
    flow = Flow(keep=2000)
    octets = encode(
        [Greeting(0), *(Frame.of(b"%04d" % number + bytes(number % 7), more=number % 2 == 0) for number in range(2000))]
    )
    for at in range(0, len(octets), 100):
        flow.add(at, octets[at : at + 100])
    shown = [event for _, event in flow.events()]
    frames = [event for event in shown if isinstance(event, Frame)]
    (gap,) = [event for event in shown if isinstance(event, Gap)]
    assert (frames[0].body[:4], frames[-1].body[:4]) == (b"0000", b"1999")
    assert [flow.size, flow.dropped] == [len(octets), len(octets) - len(kept(flow))]
    assert gap.frames + len(frames) == 2000
    numbers = [int(frame.body[:4]) for frame in frames if len(frame.body) == frame.size]
    assert numbers == sorted(numbers)
    assert numbers[-1] - numbers[0] + 1 - len(numbers) == gap.frames


def test_a_stream_of_single_bytes_is_bounded_too() -> None:
    flow = Flow(keep=1000)
    for number in range(10_000):
        flow.add(number, b"x")
    assert len(flow.head) + len(flow.tail) < 10
    assert flow.dropped + len(kept(flow)) == 10_000


def test_a_stamp_is_a_time_of_day() -> None:
    recording = Recording("tcp://127.0.0.1:1", ns=100, wall_ns=5_000)
    assert recording.wall(150) == 5_050
