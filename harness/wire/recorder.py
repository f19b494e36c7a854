"""A recorder before one listener: a proxy that passes bytes on as they are, and keeps a copy with their times.

It has one thread, which waits for its sockets and never for time. Backpressure goes through: while the one side does
not take, the other is not read. Ends go through too: half a close as half a close, a reset as a reset. Where nobody
listens behind it, nobody listens before it either, as far as can be known: it starts to listen when `expect` has
reached the listener, and stops when a client comes and the listener has gone, if somebody will say that it is back.
"""

from __future__ import annotations

import contextlib
import os
import queue
import selectors
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import deque
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeAlias

from harness.errors import SetupFault
from harness.places.sweep import PREFIX
from harness.wire.record import KEEP, Connection, Flow, Recording

DEADLINE: Final = 10.0
"""Seconds that a listener on this machine may take to accept, and the thread to end."""

_LAST_WORDS: Final = 1.0
"""Seconds that a stream which does not end is followed after `stop`; what has come by then is passed on at once."""

_CHUNK: Final = 256 * 1024
_NO_LINGER: Final = struct.pack("ii" if sys.platform != "win32" else "hh", 1, 0)

_UNIX: Final = getattr(socket, "AF_UNIX", None)

Address: TypeAlias = "tuple[str, int] | str | bytes"


def address(endpoint: str) -> tuple[int, Address]:
    """Return the family and address of an endpoint; ValueError says why it cannot be recorded."""
    transport, _, rest = endpoint.partition("://")
    if transport == "tcp":
        host, _, port = rest.rpartition(":")
        try:
            family = socket.AF_INET6 if ip_address(host.strip("[]")).version == 6 else socket.AF_INET
        except ValueError:
            family = None
        if family is not None and port.isdecimal() and 0 < int(port) < 65_536:
            return family, (host.strip("[]"), int(port))
        raise ValueError("only numeric addresses with a port are recorded")
    if transport == "ipc" and sys.platform != "win32" and rest:
        return socket.AF_UNIX, b"\0" + rest[1:].encode() if rest.startswith("@") else rest
    raise ValueError("only tcp and ipc are recorded" if transport != "ipc" else "ipc is not recorded here")


class _Pipe:
    """One direction: what was read from a socket and not yet taken by the other."""

    def __init__(self, source: socket.socket, target: socket.socket, flow: Flow) -> None:
        self.source, self.target, self.flow = source, target, flow
        self.waiting = memoryview(b"")
        self.over = False

    def finish(self, how: str) -> None:
        """Note the end."""
        self.over = True
        self.waiting = memoryview(b"")
        if self.flow.end is None:
            self.flow.end = (time.monotonic_ns(), how)


class _Pair:
    """A client, the listener's side of its connection, and the two pipes between."""

    def __init__(self, client: socket.socket, server: socket.socket, connection: Connection) -> None:
        self.forth = _Pipe(client, server, connection.forth)
        self.back = _Pipe(server, client, connection.back)
        self.broken = False

    def pipes(self, one: socket.socket) -> tuple[_Pipe, _Pipe]:
        """Return the pipe that a socket feeds, and the one that it is fed by."""
        return (self.forth, self.back) if one is self.forth.source else (self.back, self.forth)


class Recorder:
    """A recorder before a listener's endpoint. Give clients its own `endpoint`; end it with `stop`.

    It listens on loopback, or on the address `before` of this machine. `keep` is how many bytes it keeps a direction.
    """

    def __init__(self, behind: str, keep: int = KEEP, before: str = "") -> None:
        self._family, self._behind = address(behind)
        self._before = before or ("::1" if self._family == socket.AF_INET6 else "127.0.0.1")
        self._keep = keep
        self.informed = True  # whether somebody calls `listen` when a listener that went has come back
        self.recording = Recording(behind, time.monotonic_ns(), time.time_ns())
        self._ready: deque[socket.socket] = deque()
        self._lock = threading.Lock()  # guards the listener and what is ready
        self._listener: socket.socket | None = None
        self._turn = 0  # counts the reasons to listen, so that one which comes meanwhile is not overlooked
        self._folder = ""
        self._own = self._reserve()
        self._selector = selectors.DefaultSelector()
        self._orders: queue.SimpleQueue[socket.socket | None] = queue.SimpleQueue()
        self._waker, waking = socket.socketpair()
        waking.setblocking(False)
        self._selector.register(waking, selectors.EVENT_READ, None)
        self._waking = waking
        self._pairs: set[_Pair] = set()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"recorder {behind}", daemon=True)
        self._thread.start()

    def _reserve(self) -> Address:
        """Take an address that nobody else gets, and on which nobody listens yet."""
        if self._family != _UNIX:
            self._holder = socket.socket(self._family)
            if sys.platform != "win32":
                self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._holder.bind((self._before, 0))
            host, port = self._holder.getsockname()[:2]
            if sys.platform == "win32":
                self._holder.close()
            shown = f"[{host}]" if ":" in host else host
            self.endpoint = f"tcp://{shown}:{port}"
            return host, port
        if isinstance(self._behind, bytes):
            # An empty name asks Linux for a free abstract one (unix(7)); it is free again once this socket is closed.
            self._holder = socket.socket(_UNIX)
            self._holder.bind("")
            name: bytes = self._holder.getsockname()
            self.endpoint = f"ipc://@{name[1:].decode()}.recorder"
            return name + b".recorder"
        self._folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-recorder-")
        self._holder = socket.socket(_UNIX)
        path = str(Path(self._folder) / "socket")
        self.endpoint = f"ipc://{path}"
        return path

    def expect(self) -> None:
        """Expect a client: reach the listener for it, and listen; stay deaf if nobody listens behind."""
        with self._lock:
            try:
                self._ready.append(self._connect())
            except OSError:
                return
            self._listen()

    def listen(self) -> None:
        """Listen: somebody listens behind now."""
        with self._lock:
            self._listen()

    def _connect(self) -> socket.socket:
        behind = socket.socket(self._family)
        try:
            behind.settimeout(DEADLINE)
            behind.connect(self._behind)
        except BaseException:
            behind.close()
            raise
        behind.setblocking(False)
        return behind

    def _listen(self) -> None:
        self._turn += 1
        if self._listener is not None or self._stopping:
            return
        listener = socket.socket(self._family)
        if self._family != _UNIX and sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._own)
        listener.setblocking(False)
        listener.listen(128)
        self._listener = listener
        self._order(listener)

    def _deafen(self, turn: int | None = None) -> None:
        """Listen no more, so that clients are refused as the listener itself would refuse them."""
        with self._lock:
            if self._listener is None or turn not in (None, self._turn):
                return
            with contextlib.suppress(KeyError):
                self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
            if isinstance(self._own, str):
                Path(self._own).unlink(missing_ok=True)

    def _order(self, order: socket.socket | None) -> None:
        self._orders.put(order)
        self._waker.send(b"\0")

    def stop(self) -> Recording:
        """Pass on what has come already, close everything, and return the record; once more is no error."""
        with self._lock:
            first, self._stopping = not self._stopping, True
        if first:
            self._order(None)
        self._thread.join(DEADLINE)
        if self._thread.is_alive():
            raise SetupFault(f"the recorder before {self.recording.endpoint} does not end")
        return self.recording

    # In the thread.

    def _run(self) -> None:
        try:
            stopping, end = False, 0.0
            while True:
                ready = self._selector.select(0 if stopping else None)
                for key, mask in ready:
                    if key.fileobj is self._waking:
                        if self._obey():
                            stopping, end = True, time.monotonic() + _LAST_WORDS
                    elif key.data is None:
                        self._accept()
                    elif key.data in self._pairs:  # what was ready with it may have ended it already
                        self._move(key.data, key.fileobj, mask)  # type: ignore[arg-type]
                if stopping and (not ready or time.monotonic() > end):
                    return
        except BaseException as error:
            self.recording.notes.append(f"the recorder failed: {type(error).__name__}: {error}")
        finally:
            self._close()

    def _obey(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            self._waking.recv(4096)
        stopping = False
        with contextlib.suppress(queue.Empty):
            while True:
                order = self._orders.get_nowait()
                if order is None:
                    stopping = True
                elif order.fileno() >= 0:
                    self._selector.register(order, selectors.EVENT_READ, None)
        return stopping

    def _accept(self) -> None:
        listener = self._listener
        if listener is None:
            return
        try:
            client, origin = listener.accept()
        except OSError:
            return
        client.setblocking(False)
        port = origin[1] if self._family != _UNIX else 0
        connection = Connection(len(self.recording.connections), time.monotonic_ns(), port, self._keep)
        self.recording.connections.append(connection)
        try:
            with self._lock:
                turn, server = self._turn, self._ready.popleft() if self._ready else None
            server = server or self._connect()
        except OSError:
            connection.refused = True
            _abort(client)
            if self.informed:
                self._deafen(turn)
            return
        for one in (client, server):
            if self._family != _UNIX:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(client, server, connection)
        self._pairs.add(pair)
        self._watch(pair)

    def _watch(self, pair: _Pair) -> None:
        """Wait for what can go on: read where nothing waits to be written, write where something does."""
        for pipe, other in ((pair.forth, pair.back), (pair.back, pair.forth)):
            mask = selectors.EVENT_READ if not pipe.over and not pipe.waiting else 0
            mask |= selectors.EVENT_WRITE if other.waiting else 0
            known = self._selector.get_map().get(pipe.source)
            if mask and known is None:
                self._selector.register(pipe.source, mask, pair)
            elif mask and known is not None and known.events != mask:
                self._selector.modify(pipe.source, mask, pair)
            elif not mask and known is not None:
                self._selector.unregister(pipe.source)

    def _move(self, pair: _Pair, one: socket.socket, mask: int) -> None:
        feeds, fed = pair.pipes(one)
        if mask & selectors.EVENT_WRITE and fed.waiting:
            self._write(pair, fed)
        if mask & selectors.EVENT_READ and not feeds.over and not feeds.waiting:
            self._read(pair, feeds)
        if pair.forth.over and pair.back.over:
            self._part(pair)
        else:
            self._watch(pair)

    def _read(self, pair: _Pair, pipe: _Pipe) -> None:
        try:
            data = pipe.source.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            # A reset ends both directions: what was on its way to the one who sent it is lost without a recorder too.
            pair.broken = True
            pair.forth.finish("reset")
            pair.back.finish("reset")
            return
        if data:
            pipe.flow.add(time.monotonic_ns(), data)
            pipe.waiting = memoryview(data)
            self._write(pair, pipe)
            return
        pipe.finish("closed")
        with contextlib.suppress(OSError):
            pipe.target.shutdown(socket.SHUT_WR)

    def _write(self, pair: _Pair, pipe: _Pipe) -> None:
        try:
            pipe.waiting = pipe.waiting[pipe.target.send(pipe.waiting) :]
        except BlockingIOError:
            return
        except OSError:
            # Who does not take any more may have said something before; that is still read.
            pair.broken = True
            pipe.finish("not taken")
            with contextlib.suppress(OSError):
                pipe.source.shutdown(socket.SHUT_RD)

    def _part(self, pair: _Pair) -> None:
        self._pairs.discard(pair)
        for one in (pair.forth.source, pair.back.source):
            with contextlib.suppress(KeyError):
                self._selector.unregister(one)
            if pair.broken:
                _abort(one)
            else:
                one.close()

    def _close(self) -> None:
        self._stopping = True
        self._deafen()
        for pair in list(self._pairs):
            for pipe in (pair.forth, pair.back):
                pipe.finish("cut off")
            self._part(pair)
        self._selector.close()
        for one in (*self._ready, self._holder, self._waker, self._waking):
            one.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _abort(one: socket.socket) -> None:
    """Close with a reset, where there is one."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    one.close()
