"""A record as lines to read: who said what to whom, when, with which flags, how long, and how it begins."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Final

from harness.wire.commands import Error, Group, Hello, Meaning, Ping, Pong, Ready, Subscription, Welcome
from harness.wire.record import Connection, Flow, Gap, Recording
from harness.wire.zmtp import LONG, MORE, Broken, Command, Event, Frame, Greeting, Identity, OldGreeting

SHOWN: Final = 48
"""Bytes of a frame up to which it is shown whole, as in a failure's evidence; of a longer one comes the beginning."""

_BEGINNING: Final = 12
_RAW_LINES: Final = 200


def printable(data: bytes) -> str:
    """Return bytes as a Python literal: text where it is text, without anything that a terminal would obey."""
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        return repr(data)


def word(name: str) -> str:
    """Return a name that a peer chose: as it is if it is one, else as a literal."""
    return name if name.isascii() and name.isprintable() else repr(name.encode("latin-1", "replace"))


def content(data: bytes, size: int) -> str:
    """Show a frame of `size` bytes of which `data` is known, in the words of a failure's evidence."""
    if len(data) == size <= SHOWN:
        return printable(data)
    digest = f" sha256 {hashlib.sha256(data).hexdigest()[:12]}…" if len(data) == size else ""
    return f"<{size} bytes {data[:_BEGINNING]!r}…{digest}>"


def lines(recordings: list[Recording]) -> Iterator[str]:
    """Yield a record as lines. Times are ms since its first connection."""
    connections = [connection for record in recordings for connection in record.connections]
    if not connections:
        yield "no connection was made"
    start = min((connection.ns for connection in connections), default=0)
    for record in recordings:
        yield from record.notes
        for connection in record.connections:
            yield ""
            yield from _connection(record, connection, start)


def _connection(record: Recording, connection: Connection, start: int) -> Iterator[str]:
    binds, connects = record.binds or "listener", record.connects or "client"
    if binds == connects:
        binds, connects = f"{binds} (binds)", f"{connects} (connects)"
    seconds, rest = divmod(record.wall(connection.ns), 10**9)
    clock = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest // 1000:06}Z"
    port = f" from port {connection.port}" if connection.port else ""
    yield f"connection {connection.number} to {record.endpoint}{port}, {clock}"
    if connection.refused:
        yield (
            f"  refused: nobody listens on {record.endpoint} any more (without a recorder the connection would not "
            "have been accepted first)"
        )
        return
    forth, back = f"{connects} > {binds}", f"{binds} > {connects}"
    width = max(len(forth), len(back))
    yield f"{'ms':>12}  {'direction':{width}}  {'what':20} {'flags':9} {'bytes':>9}  content"
    said = [*_said(connection.forth, forth, record.raw), *_said(connection.back, back, record.raw)]
    for ns, direction, row in sorted(said, key=lambda line: line[0]):
        yield f"{(ns - start) / 1e6:12.3f}  {direction:{width}}  {row}".rstrip()


def _said(flow: Flow, direction: str, raw: bool) -> Iterator[tuple[int, str, str]]:
    ns = 0
    for ns, row in _raw_rows(flow) if raw else _Rows().all(flow):
        yield ns, direction, row
    if flow.end is not None:
        yield flow.end[0], direction, f"{flow.end[1]} after {flow.size} bytes"


def _row(what: str, flags: str, size: int | None, text: str) -> str:
    return f"{what:20} {flags:9} {'' if size is None else size:>9}  {text}"


def _raw_rows(flow: Flow) -> Iterator[tuple[int, str]]:
    """Show chunks as they came: where no ZMTP is spoken, or no more."""
    ns = 0
    for number, chunk in enumerate(flow.chunks()):
        if isinstance(chunk, Gap):
            yield ns, _row("not kept", "", chunk.size, "")
            continue
        ns = chunk.ns
        if number == _RAW_LINES:
            yield ns, "more chunks are in the pcapng file only"
            return
        yield ns, _row("bytes", "", len(chunk.data), content(chunk.data, len(chunk.data)))


class _Rows:
    """The rows of one direction. Messages are counted from 0, and so are their frames, as in a failure's evidence."""

    def __init__(self) -> None:
        self._message = 0
        self._frame = 0
        self._socket_type = ""

    def all(self, flow: Flow) -> Iterator[tuple[int, str]]:
        """Yield each row with its time."""
        for ns, event in flow.events():
            yield ns, self._shown(event, flow)

    def _shown(self, event: Event | Gap, flow: Flow) -> str:
        match event:
            case Greeting():
                server = " as-server" if event.as_server else ""
                version = ".".join(map(str, event.version))
                return _row("greeting", "", 64, f"ZMTP {version} {word(event.mechanism)}{server}")
            case OldGreeting():
                return _row("greeting", "", 12, f"ZMTP 2.0 {event.socket_type} (revision {event.revision})")
            case Broken():
                rest = f"; the other {flow.size - event.offset} bytes cannot be read" if event.fatal else ""
                return f"BROKEN at byte {event.offset}: {event.reason}{rest}"
            case Gap():
                self._message += event.messages
                self._frame = 0
                return _row("not kept", "", event.size, f"{event.frames} frames")
            case Identity():
                return _row("identity", _flags(event), event.size, content(event.body, event.size))
            case Command():
                return _row(word(event.name.decode("latin-1")), _flags(event), event.size, self._command(event))
            case Frame():
                return self._of_message(event)

    def _command(self, command: Command) -> str:
        said: Meaning = command.meaning
        if isinstance(said, Ready):
            self._socket_type = (said.get("Socket-Type") or b"").decode("latin-1")
            return " ".join(f"{name}={printable(value)}" for name, value in said.metadata)
        match said:
            case Error(reason):
                return printable(reason)
            case Subscription(prefix) | Group(prefix):
                return content(prefix, len(prefix))
            case Ping(ttl, context):
                return f"ttl {ttl / 10:g} s, context {printable(context)}"
            case Pong(context):
                return f"context {printable(context)}"
            case Hello(username, password):
                return f"user name {printable(username)}, a password of {len(password)} bytes"
            case Welcome():
                return ""
        return content(command.data, command.size - (len(command.body) - len(command.data)))

    def _of_message(self, frame: Frame) -> str:
        what = f"message {self._message} frame {self._frame}"
        self._frame += 1
        if not frame.more:
            self._message, self._frame = self._message + 1, 0
        text = content(frame.body, frame.size)
        # 23/ZMTP 3.0 and before: subscriptions travel as messages, whose first byte says which way.
        if self._socket_type in ("SUB", "XSUB") and frame.body[:1] in (b"\0", b"\1") and len(frame.body) == frame.size:
            word = "subscribes to" if frame.body[0] else "unsubscribes from"
            text += f" ({word} {content(frame.body[1:], frame.size - 1)})"
        return _row(what, _flags(frame), frame.size, text)


def _flags(frame: Frame) -> str:
    return " ".join(word for flag, word in ((MORE, "more"), (LONG, "long")) if frame.flags & flag)
