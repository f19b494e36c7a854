"""A record as a pcap-ng file: the bytes as TCP segments over loopback, which Wireshark puts together again.

The bytes, their times and the endpoints' ports are real; handshakes, acknowledgements and checksums are made up, for a
recorder sees streams and not packets. What was not kept is a hole in the sequence numbers. An ipc connection is shown
as TCP between made-up ports. A Wireshark that knows ZMTP reads it so once it is told to ("Decode As").

Formats: draft-ietf-opsawg-pcapng; RFC 791, RFC 8200 and RFC 9293.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from typing import Final

from harness.wire.record import Connection, Flow, Gap, Recording

IPC_PORT: Final = 5555
"""The port that stands for an ipc endpoint."""

_SEGMENT: Final = 16 * 1024
_FIN, _SYN, _RST, _PSH, _ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_WINDOW: Final = 65_535
_RAW_IP: Final = 101  # LINKTYPE_RAW: each packet begins with its IP header
_END, _COMMENT, _RESOLUTION, _APPLICATION = 0, 1, 9, 4


def write(recordings: list[Recording], comment: str) -> bytes:
    """Return the file. `comment` stands in its header."""
    packets = [
        packet
        for number, (record, connection) in enumerate(
            (record, connection) for record in recordings for connection in record.connections
        )
        for packet in _Stream(record, connection, number).packets()
    ]
    packets.sort(key=lambda packet: packet[0])
    blocks = [
        _block(
            0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), {_COMMENT: comment, _APPLICATION: "zmq-interop"}
        ),
        _block(1, struct.pack("<HHI", _RAW_IP, 0, 0), {_RESOLUTION: b"\x09"}),  # times are in 10^-9 s
    ]
    for ns, octets, note in packets:
        head = struct.pack("<IIIII", 0, ns >> 32, ns & 0xFFFFFFFF, len(octets), len(octets))
        blocks.append(_block(6, head + _padded(octets), {_COMMENT: note} if note else {}))
    return b"".join(blocks)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _block(kind: int, body: bytes, options: dict[int, str | bytes]) -> bytes:
    for code, value in options.items():
        octets = value.encode() if isinstance(value, str) else value
        body += struct.pack("<HH", code, len(octets)) + _padded(octets)
    if options:
        body += struct.pack("<HH", _END, 0)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


class _Side:
    """One end of a made-up TCP connection."""

    def __init__(self, address: bytes, port: int) -> None:
        self.address = address
        self.port = port
        self.next = 0  # the sequence number of its next byte


class _Stream:
    """The segments of one connection."""

    def __init__(self, record: Recording, connection: Connection, number: int) -> None:
        self._record = record
        self._connection = connection
        _, _, port = record.endpoint.rpartition(":")
        address = ipaddress.ip_address("::1" if record.endpoint.startswith("tcp://[") else "127.0.0.1").packed
        self._server = _Side(address, int(port) if record.endpoint.startswith("tcp://") else IPC_PORT)
        self._client = _Side(address, connection.port or 49_152 + number % 16_384)

    def packets(self) -> Iterator[tuple[int, bytes, str]]:
        """Yield (time in ns since 1970, IP packet, comment)."""
        record, connection = self._record, self._connection
        client, server = self._client, self._server
        wall = record.wall(connection.ns)
        note = f"{record.connects or 'client'} connects to {record.binds or 'listener'} at {record.endpoint}"
        yield wall, self._segment(client, server, _SYN), note
        client.next += 1
        if connection.refused:
            yield wall, self._segment(server, client, _RST | _ACK), "nobody listens any more"
            return
        yield wall, self._segment(server, client, _SYN | _ACK), ""
        server.next += 1
        yield wall, self._segment(client, server, _ACK), ""
        steps = [
            *((ns, client, server, data) for ns, data in _steps(connection.forth)),
            *((ns, server, client, data) for ns, data in _steps(connection.back)),
        ]
        for ns, sender, receiver, step in sorted(steps, key=lambda row: row[0]):
            for octets, said in self._step(sender, receiver, step):
                yield record.wall(ns), octets, said

    def _step(self, sender: _Side, receiver: _Side, step: bytes | Gap | str) -> Iterator[tuple[bytes, str]]:
        if isinstance(step, Gap):
            sender.next += step.size
            return
        if isinstance(step, str):
            yield self._segment(sender, receiver, _ACK | (_FIN if step == "closed" else _RST)), step
            if step == "closed":
                sender.next += 1
                yield self._segment(receiver, sender, _ACK), ""
            return
        for at in range(0, len(step), _SEGMENT):
            part = step[at : at + _SEGMENT]
            yield self._segment(sender, receiver, _PSH | _ACK, part), ""
            sender.next += len(part)
            yield self._segment(receiver, sender, _ACK), ""

    def _segment(self, sender: _Side, receiver: _Side, flags: int, data: bytes = b"") -> bytes:
        """Return an IP packet with one TCP segment, checksums included."""
        head = struct.pack(
            "!HHIIBBHHH",
            *(sender.port, receiver.port, sender.next & 0xFFFFFFFF),
            *(receiver.next & 0xFFFFFFFF if flags & _ACK else 0, 5 << 4, flags, _WINDOW, 0, 0),
        )
        size = len(head) + len(data)
        places = sender.address + receiver.address
        pseudo = places + (struct.pack("!BBH", 0, 6, size) if len(sender.address) == 4 else struct.pack("!II", size, 6))
        head = head[:16] + struct.pack("!H", checksum(pseudo + head + data)) + head[18:]
        if len(sender.address) == 16:
            return struct.pack("!IHBB", 6 << 28, size, 6, 64) + places + head + data
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, 6, 0)
        return ip[:10] + struct.pack("!H", checksum(ip + places)) + places + head + data


def checksum(octets: bytes) -> int:
    """Return the internet checksum (RFC 1071) of octets; 0 for those that hold their own."""
    # The sum of 16-bit words with carries added back is the number itself modulo 2^16 - 1.
    number = int.from_bytes(octets + bytes(len(octets) % 2), "big")
    return ~(number % 0xFFFF or 0xFFFF) & 0xFFFF if number else 0xFFFF


def _steps(flow: Flow) -> Iterator[tuple[int, bytes | Gap | str]]:
    """Yield what happened in a direction: data, a hole, and how it ended."""
    ns = 0
    for chunk in flow.chunks():
        if isinstance(chunk, Gap):
            yield ns, chunk
        else:
            ns = chunk.ns
            yield ns, chunk.data
    if flow.end is not None and flow.end[1] != "cut off":
        yield flow.end
