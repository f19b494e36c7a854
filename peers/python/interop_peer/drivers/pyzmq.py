"""``pyzmq``, blocking: each socket has a thread of its own, because libzmq's sockets are not thread-safe."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from functools import partial
from math import inf
from time import perf_counter_ns
from typing import Any

import zmq

from .. import libzmq
from ..blocking_port import BlockingPort, proxy, run
from ..callers import callers
from ..calls import Call
from ..crowd import share, swarm
from ..endpoints import Endpoints
from ..events import Recorder
from ..features import FEATURES, ContextMethods, in_thread
from ..jobs import Job, RecvJob, SendJob
from ..libzmq import SEND_PATHS, Contexts, ZmqSocket, explain
from ..owner import Make, Owner
from ..params import refuse_size
from ..raw import RawLink
from ..server import Server
from ..workloads import seconds

Context = zmq.Context[zmq.Socket[bytes]]


class ZmqLink(ZmqSocket[Context, "zmq.Socket[bytes]"]):
    """A blocking pyzmq socket behind the face that ``Owner`` needs."""

    paths: tuple[str, ...] = SEND_PATHS
    make_recorder: type[Recorder] = Recorder

    def __init__(self, contexts: Contexts[Context], endpoints: Endpoints, kind: str, context: str | None) -> None:
        """Make the socket."""
        super().__init__(contexts, endpoints, kind, context)
        self.interruptible = context is None

    def begin(self, call: Call) -> SendJob | RecvJob:
        """Read a ``send`` or ``recv``."""
        self.held.check()
        if call.method == "send":
            return SendJob(call, self.paths)
        refuse_size(call.method, call.params)
        return RecvJob(call)

    def send(self, job: SendJob, flags: int = 0) -> None:
        """Send the next message; blocks as ``SNDTIMEO`` says, unless ``flags`` say otherwise."""
        message = job.messages[job.sent]
        if job.via == "send":
            for frame in message[:-1]:
                self.socket.send(frame, flags | zmq.SNDMORE)
            self.socket.send(message[-1], flags)
        else:
            self.socket.send_multipart(message, flags)
        job.sent += 1

    def recv(self, job: RecvJob, flags: int = 0) -> None:
        """Receive one message; blocks as ``RCVTIMEO`` says, unless ``flags`` say otherwise."""
        job.messages.append(self.socket.recv_multipart(flags))

    def try_send(self, job: SendJob) -> bool:
        """Send the next message, or say False when that would block."""
        try:
            self.send(job, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def try_recv(self, job: RecvJob) -> bool:
        """Receive one message, or say False when that would block."""
        try:
            self.recv(job, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def patience(self, job: Job) -> float:
        """Read ``SNDTIMEO`` or ``RCVTIMEO``."""
        limit = self.socket.get(zmq.SNDTIMEO if isinstance(job, SendJob) else zmq.RCVTIMEO)
        assert isinstance(limit, int)
        return inf if limit < 0 else limit / 1000

    def wait(self, readable: bool, writable: bool, wake: socket.socket, milliseconds: int) -> bool:
        """Wait for the socket, the wake-up, or the time."""
        watched: list[tuple[Any, int]] = [(wake, zmq.POLLIN)]
        if readable or writable:
            watched.append((self.socket, readable * zmq.POLLIN | writable * zmq.POLLOUT))
        return any(one is self.socket for one, _ in zmq.zmq_poll(watched, milliseconds))

    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        """Run a workload to its end."""
        self.held.check()
        params = call.params
        refuse_size(call.method, params)
        if call.method == "share":
            return share(owner, self.socket, params)
        if call.method == "proxy":
            return proxy(owner, self.socket, call.backend, seconds(params))
        return run(owner, BlockingPort, self.socket, call.method, params)

    def explain(self, error: Exception, method: str) -> Exception:
        """Put pyzmq's exception into the contract's words."""
        return explain(error, method)

    def interrupt(self) -> None:
        """End a blocking call from another thread: with its context, which is the socket's own."""
        self.held.interrupt()

    def record(self) -> Recorder:
        """Start to record the socket's events."""
        return self.make_recorder(self.socket.get_monitor_socket())

    def close(self) -> None:
        """Close the socket, and its context with the last one."""
        if self.recorder:
            with contextlib.suppress(zmq.ContextTerminated):
                self.socket.disable_monitor()
            self.recorder.close()
        self.socket.close()
        self.release()


class PyzmqDriver(ContextMethods):
    """Makes sockets, each with its owner."""

    implementation = "pyzmq"
    link: type[ZmqLink] = ZmqLink
    contexts_type: type[Contexts[Context]] = Contexts

    def __init__(self, server: Server) -> None:
        """Start without sockets."""
        self._server = server
        self._endpoints = Endpoints(server.workdir)
        super().__init__(self.contexts_type(zmq.Context), server.registry)
        self.own |= {"timer": self._timer, "swarm": self._swarm, "callers": self._callers}

    def describe(self) -> dict[str, Any]:
        """Give the library's part of ``hello``."""
        return libzmq.describe(self.implementation, (*FEATURES, "share"))

    def open(self, call: Call) -> None:
        """Make a socket in a thread of its own."""
        make: Make = partial(RawLink.make, self._endpoints) if call.params["type"] == "RAW" else self._make
        Owner(self._server.registry).open(call, make)

    def _make(self, params: dict[str, Any]) -> tuple[ZmqLink, list[str]]:
        try:
            link = self.link(self.contexts, self._endpoints, params["type"], params.get("context"))
        except Exception as error:
            raise explain(error, "open") from None
        try:
            return link, link.furnish(params)
        except Exception as error:
            link.close()
            raise explain(error, link.method) from None

    def _timer(self, call: Call) -> None:
        def wait() -> dict[str, Any]:
            start = perf_counter_ns()
            time.sleep(min(call.params["ms"] / 1000, threading.TIMEOUT_MAX))
            return {"ns": perf_counter_ns() - start}

        in_thread(self._server.registry, call, wait)

    def _swarm(self, call: Call) -> None:
        in_thread(self._server.registry, call, lambda: swarm(self.contexts, call.params))

    def _callers(self, call: Call) -> None:
        in_thread(self._server.registry, call, lambda: callers(self.contexts, call.params))

    def open_contexts(self) -> int:
        """Count the contexts that are open now."""
        return self.contexts.count

    def dump(self) -> str:
        """Add nothing: threads are all there is."""
        return ""


def make(server: Server) -> PyzmqDriver:
    """Make the driver."""
    return PyzmqDriver(server)
