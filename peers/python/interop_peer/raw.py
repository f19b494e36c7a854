"""``RAW`` (section 6 of the contract): one plain connection, no ZMTP, no library."""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
from math import ceil, inf
from time import monotonic
from typing import Any

from . import raw_port, workloads
from .calls import Call
from .endpoints import Endpoints
from .errors import InvalidError, PeerError, closed, timed_out, unsupported
from .events import Recorder
from .jobs import Job, RecvJob, SendJob
from .owner import Owner
from .waiting import precisely

_ENDPOINT = re.compile(r"tcp://(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>\*|\d{1,5})")
_CHUNK = 1_048_576


Place = tuple[str, int] | str


def address(endpoint: str) -> tuple[socket.AddressFamily, Place]:
    """Read ``tcp://host:port``, where ``*`` is port 0, or ``ipc://path``."""
    transport, _, rest = endpoint.partition("://")
    if transport == "ipc" and hasattr(socket, "AF_UNIX"):
        return socket.AF_UNIX, f"\0{rest[1:]}" if rest.startswith("@") else rest
    if transport != "tcp":
        raise unsupported(f"RAW transport '{endpoint}'")
    match = _ENDPOINT.fullmatch(endpoint)
    port = 0 if match is None or match["port"] == "*" else int(match["port"])
    if match is None or port > 65_535:
        raise InvalidError(f"'{endpoint}' is not tcp://address:port")
    family = socket.AF_INET6 if match["six"] else socket.AF_INET
    return family, (match["six"] or match["four"], port)


class RawLink:
    """A connection behind the face that ``Owner`` needs; never blocks inside the system."""

    paths: tuple[str, ...] = ("send",)
    interruptible = False
    recorder: Recorder | None = None

    def __init__(self, endpoints: Endpoints) -> None:
        """Start without a connection."""
        self._endpoints = endpoints
        self._path: str | None = None
        self._listener: socket.socket | None = None
        self._stream: socket.socket | None = None
        self._unsent: memoryview | None = None
        self._held = bytearray()

    @classmethod
    def make(cls, endpoints: Endpoints, params: dict[str, Any]) -> tuple[RawLink, list[str]]:
        """Open as ``open`` asks."""
        link = cls(endpoints)
        try:
            for name in params.get("options", {}):
                raise unsupported(f"option {name} for RAW")
            actual = [link.bind(endpoint) for endpoint in params.get("bind", ())]
            actual += [link.connect(endpoint) for endpoint in params.get("connect", ())]
        except Exception as error:
            link.close()
            raise link.explain(error, "open") from None
        return link, actual

    def _need_none(self) -> None:
        if self._listener or self._stream:
            raise PeerError("state", "RAW is one connection, and this one has its endpoint")

    def bind(self, endpoint: str) -> str:
        """Listen for one connection."""
        self._need_none()
        endpoint = self._endpoints.concrete(endpoint)
        family, place = address(endpoint)
        if isinstance(place, tuple):
            self._listener = socket.create_server(place, family=family, backlog=1)
            host, port = self._listener.getsockname()[:2]
            endpoint = f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
        else:
            self._listener = socket.socket(family, socket.SOCK_STREAM)
            self._listener.bind(place)
            self._listener.listen(1)
            self._path = place
        self._listener.setblocking(False)
        return endpoint

    def connect(self, endpoint: str) -> str:
        """Connect; waits for the connection, which on a machine's own addresses is there at once."""
        self._need_none()
        family, place = address(endpoint)
        stream = socket.socket(family, socket.SOCK_STREAM)
        try:
            stream.connect(place)
        except BaseException:
            stream.close()
            raise
        self._use(stream)
        return endpoint

    def _use(self, stream: socket.socket) -> None:
        if stream.family in (socket.AF_INET, socket.AF_INET6):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as libzmq does
        stream.setblocking(False)
        self._stream = stream

    def _connection(self) -> socket.socket | None:
        if self._stream is None:
            if self._listener is None:
                raise PeerError("state", "this RAW socket has neither bound nor connected")
            try:
                stream, _ = self._listener.accept()
            except BlockingIOError:
                return None
            self._listener.close()
            self._listener = None
            self._use(stream)
        return self._stream

    def begin(self, call: Call) -> SendJob | RecvJob:
        """Read a ``send`` or ``recv``; RAW takes ``size`` where others take ``count``."""
        if call.method == "send":
            return SendJob(call, self.paths)
        if "count" in call.params or "size" not in call.params:
            raise InvalidError("recv on RAW takes 'size' instead of 'count'")
        return RecvJob(call)

    def try_send(self, job: SendJob) -> bool:
        """Write as many bytes as fit; True when the job's next message is written."""
        stream = self._connection()
        if stream is None:
            return False
        if self._unsent is None:
            self._unsent = memoryview(b"".join(job.messages[job.sent]))
        while self._unsent:
            try:
                self._unsent = self._unsent[stream.send(self._unsent) :]
            except BlockingIOError:
                return False
        self._unsent = None
        job.sent += 1
        return True

    def try_recv(self, job: RecvJob) -> bool:
        """Read until the job's bytes have come; what came before the end of the stream goes with the error."""
        stream = self._connection()
        if stream is None:
            return False
        assert job.size is not None
        while len(self._held) < job.size:
            try:
                chunk = stream.recv(min(job.size - len(self._held), _CHUNK))
            except BlockingIOError:
                return False
            except OSError:
                self._hand_over(job)
                raise
            if not chunk:
                self._hand_over(job)
                raise PeerError("closed", "the other end closed the connection")
            self._held += chunk
        self._hand_over(job)
        return True

    def _hand_over(self, job: RecvJob) -> None:
        if self._held:
            job.messages.append([bytes(self._held)])
            self._held.clear()

    def send(self, job: SendJob) -> None:
        """Never asked for: RAW is not interruptible."""
        raise NotImplementedError

    def recv(self, job: RecvJob) -> None:
        """Never asked for: RAW is not interruptible."""
        raise NotImplementedError

    def patience(self, job: Job) -> float:
        """Wait for ever, as a TCP socket does."""
        return inf

    def wait(self, readable: bool, writable: bool, wake: socket.socket, milliseconds: int) -> bool:
        """Wait for the connection, the wake-up, or the time."""
        reading: list[socket.socket] = [wake]
        writing: list[socket.socket] = []
        if self._stream is None:
            if self._listener and (readable or writable):
                reading.append(self._listener)
        else:
            reading += [self._stream] if readable else []
            writing += [self._stream] if writable else []
        ready, free, _ = select.select(reading, writing, [], milliseconds / 1000)
        return bool(free) or any(one is not wake for one in ready)

    def operate(self, call: Call) -> dict[str, Any]:
        """Bind or connect; RAW has no options and no way back."""
        if call.method == "bind":
            return {"endpoint": self.bind(call.params["endpoint"])}
        if call.method == "connect":
            return {"endpoint": self.connect(call.params["endpoint"])}
        raise unsupported(f"{call.method} for RAW")

    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        """Run a workload to its end, if it makes sense without messages."""
        if call.method not in raw_port.WORKLOADS:
            raise unsupported(f"{call.method} for RAW")
        result: dict[str, Any] = {}
        deadline = monotonic() + workloads.seconds(call.params)
        raw_port.size_of(call.params)
        try:
            stream = self._await_connection(owner, deadline)
            port = raw_port.RawPort(stream, self._held, call.params, deadline - monotonic(), lambda: owner.closing)
            try:
                with precisely(call.params):
                    raw_port.WORKLOADS[call.method](port, call.params, result)
            finally:
                port.end()
        except Exception as error:
            raise workloads.with_result(self.explain(error, call.method), result) from None
        return result

    def _await_connection(self, owner: Owner, deadline: float) -> socket.socket:
        while (stream := self._connection()) is None:
            if owner.closing:
                raise closed()
            if (left := deadline - monotonic()) <= 0:
                raise timed_out()
            with owner.watched():
                if not owner.closing:
                    self.wait(True, False, owner.waker(), ceil(left * 1000))
        return stream

    def explain(self, error: Exception, method: str) -> Exception:
        """Put an error of the system into the contract's words."""
        if not isinstance(error, OSError) or isinstance(error, PeerError):
            return error
        # A refused connection is no end of one
        name = (
            "closed" if isinstance(error, ConnectionError) and method not in ("open", "bind", "connect") else "library"
        )
        return PeerError(name, f"{method}: {error}", errno=error.errno, text=error.strerror)

    def interrupt(self) -> None:
        """Never asked for: RAW is not interruptible."""

    def close(self) -> None:
        """Close the connection and the listener."""
        for one in (self._stream, self._listener):
            if one:
                one.close()
        if self._path and not self._path.startswith("\0"):
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def forget(self) -> None:
        """Let the connection go without closing it; the language closes it then."""
        self._stream = self._listener = None
