"""Many clients that ask at once (feature ``callers``), each with a socket of its own and one request on its way.

One thread serves them all. It sleeps on the descriptors of the library's sockets, which tell of anything new since a
call of the library said ``EAGAIN``; the library's own poll would look at every socket each time.
"""

from __future__ import annotations

import selectors
from collections import Counter
from time import perf_counter_ns
from typing import Any

import zmq

from . import machine
from .errors import PeerError
from .frames import Message
from .histogram import Histogram
from .libzmq import Contexts, Held, explain, make_socket
from .numbered import Numbered

TIMEOUT = 10_000  # ms for one request, unless the call says otherwise

_SPARE_SOCKETS = 16  # of a context, for its own use
_DESCRIPTORS = 2  # of each client: its mailbox and its connection


class Answers:
    """What came of the requests of all clients."""

    def __init__(self, params: dict[str, Any]) -> None:
        """Start before the first request."""
        self.timeout: float = params.get("timeout", TIMEOUT) / 1000
        self._answered = 0
        self._errors: Counter[str] = Counter()
        self._hdr: Histogram | None = None
        self._start = 0

    def start(self) -> None:
        """Count from now on: every client has had an answer."""
        self._hdr = Histogram()
        self._start = perf_counter_ns()

    def note(self, took: int) -> None:
        """Note an answer after so many ns."""
        if self._hdr:
            self._answered += 1
            self._hdr.record(took)

    def fail(self, error: Exception) -> None:
        """Note what stopped a client.

        :raises Exception: if it is nothing that a library says.
        """
        error = explain(error, "callers")
        if not isinstance(error, PeerError):
            raise error
        self._errors[error.data["name"]] += 1

    def result(self) -> dict[str, Any]:
        """Sum up."""
        ns = perf_counter_ns() - self._start if self._hdr else 0
        hdr = self._hdr or Histogram()
        return {"answered": self._answered, "errors": dict(self._errors), "ns": ns, "hdr": hdr.encode()}


def hold(contexts: Contexts[Any], clients: int) -> Held[Any]:
    """Take a context with room for so many clients.

    :raises PeerError: ``library`` if this process may not open so many sockets; libzmq may abort instead.
    """
    limit = machine.handle_limit()
    if limit is not None and clients * _DESCRIPTORS > limit:
        raise PeerError(
            "library", f"{clients} clients need more than the {limit} descriptors that this process may have"
        )
    held = contexts.take(None)
    try:
        held.context.set(zmq.MAX_SOCKETS, clients + _SPARE_SOCKETS)
    except BaseException:
        contexts.release(held)
        raise
    return held


def connect(held: Held[Any], params: dict[str, Any]) -> Any:
    """Make one client's socket."""
    socket = make_socket(held, params["type"])
    socket.set(zmq.LINGER, 0)
    socket.set(zmq.IPV6, "[" in params["endpoint"])
    socket.connect(params["endpoint"])
    return socket


def check(answer: Message, request: list[Any]) -> None:
    """Compare an answer with its request.

    :raises PeerError: ``library`` if it is another's.
    """
    if answer != request:
        raise PeerError("library", "the answer is not what was asked")


def requests(params: dict[str, Any], number: int) -> Numbered:
    """Make a client's requests; a DEALER puts the empty frame in front that a REQ does by itself."""
    prefix = [""] if params["type"] == "DEALER" else []
    return Numbered({"size": params["size"], "source": number, "prefix": prefix})


class _Client:
    __slots__ = ("asked", "numbered", "request", "socket")

    def __init__(self, socket: zmq.Socket[bytes], numbered: Numbered) -> None:
        self.socket = socket
        self.numbered = numbered
        self.request: list[Any] = []
        self.asked = 0

    def ask(self) -> int:
        """Send the next request, and give the moment."""
        self.request = self.numbered.number(self.asked)
        self.asked += 1
        start = perf_counter_ns()
        self.socket.send_multipart(self.request, zmq.NOBLOCK)
        return start


class _Hall:
    """All clients; those that wait are in the order of their requests."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self._selector = selectors.DefaultSelector()
        self._clients: set[_Client] = set()
        self._waiting: dict[_Client, int] = {}

    def add(self, client: _Client) -> None:
        self._clients.add(client)
        self._selector.register(client.socket.fileno(), selectors.EVENT_READ, client)

    def run(self, last: int) -> None:
        """Let every client that is well ask until it has asked so often."""
        for client in list(self._clients):
            if self._begin(client):
                self._serve(client, last)  # its descriptor tells of nothing before the library was asked in vain
        while self._waiting:
            left = next(iter(self._waiting.values())) / 1e9 + self.answers.timeout - perf_counter_ns() / 1e9
            if left <= 0:
                self._end(next(iter(self._waiting)), zmq.Again())
                continue
            for key, _ in self._selector.select(left):
                self._serve(key.data, last)

    def _begin(self, client: _Client) -> bool:
        try:
            self._waiting[client] = client.ask()
        except zmq.ZMQError as error:
            self._end(client, error)
            return False
        return True

    def _serve(self, client: _Client, last: int) -> None:
        while client in self._waiting:
            try:
                answer = client.socket.recv_multipart(zmq.NOBLOCK)
                end = perf_counter_ns()
                check(answer, client.request)
            except zmq.Again:
                return
            except (zmq.ZMQError, PeerError) as error:
                self._end(client, error)
                return
            self.answers.note(end - self._waiting.pop(client))
            if client.asked < last and not self._begin(client):
                return
        client.socket.get(zmq.EVENTS)  # or the descriptor would go on telling of what nobody wants

    def _end(self, client: _Client, error: Exception) -> None:
        self._waiting.pop(client, None)
        self._clients.remove(client)
        self._selector.unregister(client.socket.fileno())
        client.socket.close()
        self.answers.fail(error)

    def close(self) -> None:
        self._selector.close()
        for client in self._clients:
            client.socket.close()


def callers(contexts: Contexts[zmq.Context[zmq.Socket[bytes]]], params: dict[str, Any]) -> dict[str, Any]:
    """Run the workload to its end."""
    held = hold(contexts, params["clients"])
    hall = _Hall(Answers(params))
    try:
        for number in range(params["clients"]):
            hall.add(_Client(connect(held, params), requests(params, number)))
        hall.run(1)
        hall.answers.start()
        hall.run(1 + params["count"])
    except Exception as error:
        raise explain(error, "callers") from None
    finally:
        hall.close()
        contexts.release(held)
    return hall.answers.result()
