"""The events of a socket (feature ``monitor``): recorded from the moment on when that was asked for, handed out once.

``Ledger`` knows nothing of how they come; ``Recorder`` reads them in a thread of its own, so that they come
whatever the socket's owner is busy with.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from math import ceil, inf
from queue import SimpleQueue
from time import monotonic
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from .calls import Call
from .errors import closed, timed_out
from .jobs import Job

_LONGEST_WAIT = 3_600_000  # ms in one go


class _EventsJob(Job):
    """An ``events`` call that waits."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.count: int = call.params.get("count", 1)
        self.events: list[dict[str, Any]] = []

    def progress(self) -> dict[str, Any]:
        return {"events": self.events}


class Ledger:
    """Events that nobody took yet, and calls that wait for events, in order of arrival. For one thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._events: deque[dict[str, Any]] = deque()
        self._waiting: deque[_EventsJob] = deque()
        self._ended = False

    def note(self, event: dict[str, Any]) -> None:
        """Record what pyzmq read from the monitor."""
        if event["event"] == zmq.Event.MONITOR_STOPPED:  # the socket is being closed
            self.end()
            return
        name = zmq.Event(event["event"]).name
        endpoint = event["endpoint"].decode(errors="replace")
        self._events.append({"event": name, "endpoint": endpoint, "value": int(event["value"])})
        self.serve()

    def take(self, call: Call) -> None:
        """Begin an ``events`` call."""
        if self._ended:
            call.fail(closed())
        else:
            self._waiting.append(_EventsJob(call))
            self.serve()

    def serve(self) -> None:
        """Give the events to those who wait; answer those whose time is up."""
        while self._waiting:
            job = self._waiting[0]
            while self._events and len(job.events) < job.count:
                job.events.append(self._events.popleft())
            if len(job.events) < job.count:
                break
            self._waiting.popleft()
            job.succeed()
        now = monotonic()
        for job in [job for job in self._waiting if job.deadline <= now]:
            self._waiting.remove(job)
            job.fail(timed_out())

    def deadline(self) -> float:
        """Say when the next call's time is up, on the clock of ``time.monotonic``."""
        return min((job.deadline for job in self._waiting), default=inf)

    def end(self) -> None:
        """Answer all that wait: the socket is closed, or its context has ended."""
        self._ended = True
        while self._waiting:
            self._waiting.popleft().fail(closed())


class Recorder:
    """A thread that reads a monitor's socket into a ledger."""

    ledger: type[Ledger] = Ledger

    def __init__(self, pair: zmq.Socket[bytes]) -> None:
        """Take ``pair`` over."""
        self._pair = pair
        self._ledger = self.ledger()
        self._inbox: SimpleQueue[Call | None] = SimpleQueue()
        self._wakers = socket.socketpair()
        for end in self._wakers:
            end.setblocking(False)
        self._lock = threading.Lock()
        self._ended = False
        self.thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        self.thread.start()

    def take(self, call: Call | None) -> None:
        """Take an ``events`` call from any thread; None ends the recording."""
        with self._lock:
            if not self._ended:
                self._inbox.put(call)
                with contextlib.suppress(BlockingIOError):  # full: it will wake
                    self._wakers[1].send(b"\0")
                return
        if call:
            call.fail(closed())

    def close(self) -> None:
        """End the recording, and wait for that."""
        self.take(None)
        self.thread.join()

    def _run(self) -> None:
        try:
            while self._read():
                pass
        except zmq.ZMQError:  # the context has ended
            pass
        finally:
            self._pair.close()
            with self._lock:
                self._ended = True
                for end in self._wakers:
                    end.close()
            while not self._inbox.empty():
                if call := self._inbox.get():
                    self._ledger.take(call)
            self._ledger.end()

    def _read(self) -> bool:
        deadline = self._ledger.deadline()
        wait = _LONGEST_WAIT if deadline == inf else max(0, ceil((deadline - monotonic()) * 1000))
        zmq.zmq_poll([(self._pair, zmq.POLLIN), (self._wakers[0], zmq.POLLIN)], min(wait, _LONGEST_WAIT))
        with contextlib.suppress(BlockingIOError):
            self._wakers[0].recv(4096)
        with contextlib.suppress(zmq.Again):
            while True:
                self._ledger.note(dict(parse_monitor_message(self._pair.recv_multipart(zmq.NOBLOCK))))
        while not self._inbox.empty():
            call = self._inbox.get()
            if call is None:
                return False
            self._ledger.take(call)
        self._ledger.serve()
        return True
