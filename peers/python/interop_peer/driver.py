"""What a driver is: the two faces that the server needs of a library, and the registry of open sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from . import machine
from .calls import Call
from .errors import InvalidError, closed


class Socket(Protocol):
    """One open socket. All methods return at once; the calls are answered later, from any thread."""

    closing: bool

    def submit(self, call: Call) -> None:
        """Take a call on this socket: every method with a ``socket`` but ``close``."""

    def close(self, call: Call | None, abandon: bool = False) -> None:
        """End the socket and calls that wait on it; answer ``call`` when that is done. Called once.

        ``abandon``: do not close the library's socket, but forget it.
        """


class Driver(Protocol):
    """One library."""

    own: dict[str, Callable[[Call], None]]
    """The methods of section 7 that are about no socket."""

    def describe(self) -> dict[str, Any]:
        """Give the library's part of ``hello``: implementation, version, library and capabilities."""

    def open(self, call: Call) -> None:
        """Make a socket, add it to the registry, and answer."""

    def open_contexts(self) -> int:
        """Count the library contexts that are open now."""

    def dump(self) -> str:
        """Give what the library knows beyond the stacks of all threads, or nothing."""


class Registry:
    """Which handles were given out, and which are open: a handle is never used twice."""

    def __init__(self) -> None:
        """Start without sockets."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sockets: dict[int, Socket] = {}
        self._last = 0
        self._leaving: list[threading.Thread] = []

    def add(self, socket: Socket) -> int:
        """Give out the next handle."""
        with self._lock:
            self._last += 1
            self._sockets[self._last] = socket
            return self._last

    def remove(self, handle: int) -> None:
        """Forget a socket that is closed now."""
        with self._changed:
            self._sockets.pop(handle, None)
            self._changed.notify_all()

    def note(self, thread: threading.Thread) -> None:
        """Note a thread that is about to end, so that ``count`` waits for it."""
        self._leaving.append(thread)

    def find(self, handle: int, name: str = "socket") -> Socket:
        """Look an open socket up.

        :raises PeerError: ``closed``, or ``InvalidError`` when there never was such a handle.
        """
        socket = self._sockets.get(handle)
        if socket is not None and not socket.closing:
            return socket
        if handle <= self._last:
            raise closed()
        raise InvalidError(f"'{name}' {handle} was never given out")

    def count(self) -> int:
        """Count open sockets; threads of closed ones have ended when this returns."""
        while self._leaving:
            machine.join(self._leaving.pop())
        return len(self._sockets)

    def close_all(self) -> None:
        """Close every socket and wait until all are closed."""
        for socket in list(self._sockets.values()):
            if not socket.closing:
                socket.close(None)
        with self._changed:
            while self._sockets:
                self._changed.wait()
