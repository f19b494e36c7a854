"""Many threads that send at once: ``swarm``, each with a socket of its own, and ``share``, all with the same one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from time import monotonic, perf_counter_ns
from typing import Any

import zmq

from .errors import PeerError, closed, timed_out
from .libzmq import Contexts, explain, make_socket
from .numbered import Numbered
from .owner import Owner
from .workloads import seconds, with_result

SLICE = 0.1  # s that a send may block before its worker looks whether to stop


class Crowd:
    """The workers of one call: how much they sent, when they stop, what went wrong first."""

    def __init__(self, params: dict[str, Any]) -> None:
        """Read how many there are and how long they may take."""
        self.params = params
        self.deadline = monotonic() + seconds(params)
        self.sent = [0] * params["workers"]
        self.error: Exception | None = None
        self._start = perf_counter_ns()

    def result(self) -> dict[str, Any]:
        """Sum up."""
        return {"sent": sum(self.sent), "ns": perf_counter_ns() - self._start}

    def run(self, work: Callable[[int], None]) -> dict[str, Any]:
        """Let every worker do its work in a thread of its own, and wait for all.

        :raises Exception: the first one of a worker, with the result so far.
        """

        def guarded(number: int) -> None:
            try:
                work(number)
            except Exception as error:
                self.error = self.error or error

        threads = [
            threading.Thread(target=guarded, args=(number,), name=f"worker {number}", daemon=True)
            for number in range(len(self.sent))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.error:
            raise self.error
        return self.result()

    def send_all(
        self, number: int, send: Callable[[list[Any]], None], closing: Callable[[], bool] = lambda: False
    ) -> None:
        """Send a worker's messages, shaped as ``flood`` does; ``send`` raises ``zmq.Again`` now and then."""
        numbered = Numbered({"size": self.params["size"], "source": number})
        for sequence in range(self.params["count"]):
            message = numbered.number(sequence)
            while True:
                if closing():
                    raise closed()
                if self.error:
                    return
                if monotonic() >= self.deadline:
                    raise timed_out()
                try:
                    send(message)
                except zmq.Again:
                    continue
                break
            self.sent[number] += 1


def swarm(contexts: Contexts[zmq.Context[zmq.Socket[bytes]]], params: dict[str, Any]) -> dict[str, Any]:
    """Run the workload to its end. What was sent is delivered: closing waits for that, as long as the call may take."""
    crowd = Crowd(params)
    held = contexts.take(params["context"])

    def work(number: int) -> None:
        socket = make_socket(held, params["type"])
        try:
            socket.set(zmq.SNDTIMEO, int(SLICE * 1000))
            socket.set(zmq.IPV6, "[" in params["endpoint"])
            socket.connect(params["endpoint"])
            crowd.send_all(number, socket.send_multipart)
        finally:
            socket.close(linger=max(0, int((crowd.deadline - monotonic()) * 1000)))

    try:
        return crowd.run(work)
    except Exception as error:
        raise with_result(explain(error, "swarm"), crowd.result()) from None
    finally:
        contexts.release(held)


Send = Callable[[int, list[Any]], None]


def share(owner: Owner, socket: zmq.Socket[bytes], params: dict[str, Any], send: Send | None = None) -> dict[str, Any]:
    """Run the workload while its owner's thread does nothing but wait; ``send`` is given the worker's number too."""
    crowd = Crowd(params)
    guard: AbstractContextManager[Any] = threading.Lock() if params["how"] == "mutex" else nullcontext()
    turns = [threading.Event() for _ in range(params["workers"] + 1)]
    turns[0].set()

    def guarded(number: int, message: list[Any]) -> None:
        with guard:
            send(number, message) if send else socket.send_multipart(message)

    def work(number: int) -> None:
        try:
            if params["how"] == "handover":
                turns[number].wait()  # a full memory barrier
            crowd.send_all(number, lambda message: guarded(number, message), lambda: owner.closing)
        finally:
            turns[number + 1].set()

    patience = socket.get(zmq.SNDTIMEO)
    socket.set(zmq.SNDTIMEO, int(SLICE * 1000))
    try:
        result = owner.block(lambda: crowd.run(work))
        socket.set(zmq.SNDTIMEO, patience)
    except Exception as error:
        if isinstance(error, PeerError) and not owner.closing:
            socket.set(zmq.SNDTIMEO, patience)
        raise with_result(explain(error, "share"), crowd.result()) from None
    return result
