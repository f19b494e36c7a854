"""What a record becomes: lines that a person reads, and a pcap-ng whose segments give back the bytes."""

from __future__ import annotations

import ipaddress
import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.model.frames import frame
from harness.wire import filing, pcapng, text
from harness.wire.record import Connection, Flow, Recording
from harness.wire.zmtp import Command, Event, Frame, Greeting, encode

SECOND = 10**9


def conversation(
    forth: list[Event] | bytes,
    back: list[Event] | bytes = b"",
    *,
    endpoint: str = "tcp://127.0.0.1:7000",
    keep: int = 4096,
) -> Recording:
    """Return a record in which each side says something, an event a millisecond."""
    connection = Connection(0, 5 * SECOND, 40_000, keep)
    for flow, said, late in ((connection.forth, forth, 0), (connection.back, back, 500_000)):
        whole = said if isinstance(said, bytes) else encode(said)
        ends = (
            [len(whole)]
            if isinstance(said, bytes)
            else [len(encode(said[:count])) for count in range(1, len(said) + 1)]
        )
        pieces = [whole[start:end] for start, end in itertools.pairwise([0, *ends])]
        for number, octets in enumerate(pieces):
            flow.add(5 * SECOND + number * 1_000_000 + late, octets)
        flow.end = (6 * SECOND + late, "closed")
    return Recording(endpoint, 0, 1_700_000_000 * SECOND, "one", "two", connections=[connection])


def shown(record: Recording) -> str:
    return "\n".join(text.lines([record]))


# Lines.


def test_a_line_tells_time_direction_flags_size_and_content() -> None:
    page = shown(conversation([Greeting(0), Frame.of(b"a", more=True), Frame.of(b"z" * 300)], [Greeting(0, (3, 0))]))
    rows = [row.split(maxsplit=9) for row in page.splitlines()]
    assert rows[1][:5] == ["connection", "0", "to", "tcp://127.0.0.1:7000", "from"]
    assert rows[1][-1].endswith("2023-11-14T22:13:25.000000Z")
    assert [row[:4] for row in rows[3:7]] == [
        ["0.000", "two", ">", "one"],
        ["0.500", "one", ">", "two"],
        ["1.000", "two", ">", "one"],
        ["2.000", "two", ">", "one"],
    ]
    assert rows[3][4:] == ["greeting", "64", "ZMTP", "3.1", "NULL"]
    assert rows[5][4:] == ["message", "0", "frame", "0", "more", "1  'a'"]
    assert rows[6][4:9] == ["message", "0", "frame", "1", "long"]
    assert "closed after" in page


def test_a_frame_is_shown_as_in_a_failures_evidence() -> None:
    for body in (b"short", b"\xff", b"x" * 49, bytes(range(256)) * 2):
        known = repr(frame(body))
        assert known in shown(conversation([Greeting(0), Frame.of(body)]))


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    nasty = b"\x1b[2J\r\n\x07\xe2\x80\xae\xc2\x9b"
    said: list[Event] = [
        Greeting(0, mechanism_octets=b"\x1b[2J".ljust(20, b"\0")),
        Command.make(b"\x1b[2J", nasty),
        Command.make(b"ERROR", bytes([len(nasty)]) + nasty),
        Frame.of(nasty),
    ]
    assert all(character.isprintable() or character == "\n" for character in shown(conversation(said)))


def test_commands_are_told_in_words_and_a_password_is_not() -> None:
    ready = b"\x0bSocket-Type\x00\x00\x00\x03SUB\x08Identity\x00\x00\x00\x00"
    page = shown(
        conversation(
            [
                Greeting(0),
                Command.make(b"HELLO", b"\x02me\x06secret"),
                Command.make(b"READY", ready),
                Command.make(b"SUBSCRIBE", b"topic"),
                Command.make(b"PING", b"\x00\x0aabc"),
                Frame.of(b"\x01old"),
                Frame.of(b"\x00old"),
            ]
        )
    )
    assert "user name 'me', a password of 6 bytes" in page
    assert "secret" not in page
    assert "Socket-Type='SUB' Identity=''" in page
    assert "ttl 1 s, context 'abc'" in page
    assert "'\\x01old' (subscribes to 'old')" in page
    assert "'\\x00old' (unsubscribes from 'old')" in page


def test_what_is_broken_is_told_with_its_place() -> None:
    page = shown(conversation(encode([Greeting(0)]) + b"\x80rest"))
    assert "BROKEN at byte 64: reserved flags are set: 0x80; the other 5 bytes cannot be read" in page


def test_what_was_not_kept_is_told() -> None:
    frames: list[Event] = [Greeting(0), *(Frame.of(f"{number:03}".encode()) for number in range(300))]
    page = shown(conversation(frames, keep=2600))
    assert " not kept " in page
    assert "message 299 frame 0" in page
    assert "message 150 frame 0" not in page


def test_a_stream_without_zmtp_is_shown_in_chunks() -> None:
    record = conversation(b"hello", b"world")
    record.raw = True
    assert "bytes                                  5  'hello'" in shown(record)
    assert "BROKEN" not in shown(record)


def test_a_refused_connection_and_one_that_never_was_are_told() -> None:
    record = conversation(b"")
    record.connections[0].refused = True
    record.notes.append("a note")
    assert "nobody listens on tcp://127.0.0.1:7000 any more" in shown(record)
    assert shown(record).startswith("a note\n")
    record.connections.clear()
    assert shown(record).startswith("no connection was made")


# pcap-ng, read by a parser of its own.


@dataclass
class Segment:
    """A TCP segment of a file."""

    ns: int
    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    acknowledged: int
    flags: int
    data: bytes
    comment: str


def blocks(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while octets:
        kind, size = struct.unpack("<II", octets[:8])
        assert size % 4 == 0
        assert struct.unpack("<I", octets[size - 4 : size]) == (size,)
        yield kind, octets[8 : size - 4]
        octets = octets[size:]


def options(octets: bytes) -> dict[int, bytes]:
    found = {}
    while octets:
        code, size = struct.unpack("<HH", octets[:4])
        if code == 0:
            break
        found[code] = octets[4 : 4 + size]
        octets = octets[4 + size + -size % 4 :]
    return found


def summed(octets: bytes) -> int:
    """Return the internet checksum, word by word (RFC 1071)."""
    total = 0
    for (word,) in struct.iter_unpack("!H", octets + bytes(len(octets) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def segment(ns: int, packet: bytes, comment: str) -> Segment:
    if packet[0] >> 4 == 4:
        assert summed(packet[:20]) == 0, "the IP header's checksum"
        assert struct.unpack("!H", packet[2:4]) == (len(packet),)
        places, tcp = packet[12:20], packet[20:]
        pseudo = places + struct.pack("!BBH", 0, 6, len(tcp))
    else:
        size, following = struct.unpack("!HB", packet[4:7])
        places, tcp = packet[8:40], packet[40:]
        assert (size, following) == (len(tcp), 6)
        pseudo = places + struct.pack("!II", len(tcp), 6)
    assert summed(pseudo + tcp) == 0, "the TCP checksum"
    half = len(places) // 2
    hosts = [str(ipaddress.ip_address(place)) for place in (places[:half], places[half:])]
    source, target, sequence, acknowledged, _, flags = struct.unpack("!HHIIBB", tcp[:14])
    return Segment(ns, (hosts[0], source), (hosts[1], target), sequence, acknowledged, flags, tcp[20:], comment)


def parsed(octets: bytes) -> tuple[dict[int, bytes], list[Segment]]:
    """Return the options of the file's header, and its segments."""
    (first, header), (second, interface), *rest = blocks(octets)
    assert (first, second) == (0x0A0D0D0A, 1)
    assert struct.unpack("<IHHq", header[:16]) == (0x1A2B3C4D, 1, 0, -1)
    assert struct.unpack("<HHI", interface[:8]) == (101, 0, 0)
    assert options(interface[8:]) == {9: b"\x09"}
    segments = []
    for kind, body in rest:
        assert kind == 6
        number, high, low, size, original = struct.unpack("<IIIII", body[:20])
        assert (number, size) == (0, original)
        comment = options(body[20 + size + -size % 4 :]).get(1, b"").decode()
        segments.append(segment(high << 32 | low, body[20 : 20 + size], comment))
    return options(header[16:]), segments


def joined(segments: list[Segment], source: int) -> dict[int, bytes]:
    """Put one side's data together, by sequence number."""
    found: dict[int, bytes] = {}
    for one in segments:
        if one.source[1] == source and one.data:
            start = next((at for at, data in found.items() if at + len(data) == one.sequence), one.sequence)
            found[start] = found.get(start, b"") + one.data
    return found


@pytest.mark.parametrize(
    ("endpoint", "host", "port"),
    [
        ("tcp://127.0.0.1:7000", "127.0.0.1", 7000),
        ("tcp://[::1]:7000", "::1", 7000),
        ("ipc:///tmp/x", "127.0.0.1", pcapng.IPC_PORT),
        ("ipc://@x", "127.0.0.1", pcapng.IPC_PORT),
    ],
)
def test_the_segments_give_back_what_was_said(endpoint: str, host: str, port: int) -> None:
    forth, back = bytes(range(256)) * 200, b"answer"
    header, segments = parsed(pcapng.write([conversation(forth, back, endpoint=endpoint, keep=10**6)], "a cell"))
    assert header == {1: b"a cell", 4: b"zmq-interop"}
    assert {one.source for one in segments} == {(host, 40_000), (host, port)}
    assert joined(segments, 40_000) == {1: forth}
    assert joined(segments, port) == {1: back}


def test_a_connection_is_made_and_ended_as_tcp_does() -> None:
    _, segments = parsed(pcapng.write([conversation(b"hi")], ""))
    assert [one.flags for one in segments[:5]] == [0x02, 0x12, 0x10, 0x18, 0x10]
    assert [one.flags for one in segments[5:]] == [0x11, 0x10, 0x11, 0x10]
    assert segments[4].acknowledged == segments[3].sequence + 2
    assert [segments[6].acknowledged, segments[8].acknowledged] == [4, 2]
    assert segments[0].comment == "two connects to one at tcp://127.0.0.1:7000"
    assert segments[0].ns == 1_700_000_005 * SECOND
    assert [one.ns for one in segments] == sorted(one.ns for one in segments)


def test_what_was_not_kept_is_a_hole_in_the_sequence() -> None:
    record = conversation(b"", keep=1000)
    flow = record.connections[0].forth = Flow(1000)
    for number in range(100):
        flow.add(5 * SECOND + number, b"%04d" % number)
    _, segments = parsed(pcapng.write([record], ""))
    (first, before), (second, after) = sorted(joined(segments, 40_000).items())
    assert (first, second + len(after)) == (1, 401)
    assert 1 + len(before) + flow.dropped == second


def test_a_refused_connection_is_answered_with_a_reset() -> None:
    record = conversation(b"")
    record.connections[0].refused = True
    _, segments = parsed(pcapng.write([record], ""))
    assert [one.flags for one in segments] == [0x02, 0x14]


def test_a_reset_is_a_reset() -> None:
    record = conversation(b"x")
    record.connections[0].forth.end = (6 * SECOND, "reset")
    _, segments = parsed(pcapng.write([record], ""))
    assert [one.flags for one in segments if one.comment == "reset"] == [0x14]


@pytest.mark.parametrize("octets", [b"", b"\x00\x00", b"\xff\xff", b"\xff\xff\x00\x01", b"odd", bytes(range(256))])
def test_a_checksum_makes_the_sum_right(octets: bytes) -> None:
    even = octets + bytes(len(octets) % 2)
    assert summed(even + struct.pack("!H", pcapng.checksum(octets))) == 0


# Files.


def test_a_cell_has_a_folder_that_any_file_system_takes() -> None:
    assert filing.slug("push-pull/tcp4/a>b/left-binds/1m") == "push-pull_tcp4_a_b_left-binds_1m"


def test_a_record_is_filed_below_the_run(tmp_path: Path) -> None:
    page, capture = filing.file(tmp_path, "a/b", [conversation(b"x")], ["it ended"])
    assert page == tmp_path / "wire" / "a_b" / "conversation.txt"
    assert page.read_text(encoding="utf-8").startswith("a/b\nit ended\n")
    assert parsed(capture.read_bytes())[0][1] == b"a/b\nit ended"
