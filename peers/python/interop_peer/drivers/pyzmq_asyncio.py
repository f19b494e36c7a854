"""``pyzmq-asyncio``: ``zmq.asyncio`` sockets on one event loop, which has a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import zmq.asyncio

from .. import libzmq
from ..asyncio_callers import callers
from ..asyncio_features import swarm, timer
from ..asyncio_socket import AsyncioSocket
from ..callers import hold
from ..calls import Call
from ..endpoints import Endpoints
from ..event_loop import EventLoop
from ..features import FEATURES, ContextMethods
from ..libzmq import Contexts, explain
from ..owner import Owner
from ..raw import RawLink
from ..server import Server


class AsyncioDriver(ContextMethods):
    """Makes sockets on the loop."""

    socket: type[AsyncioSocket] = AsyncioSocket

    def __init__(self, server: Server) -> None:
        """Start the loop."""
        self.home = EventLoop(server.registry)
        self._endpoints = Endpoints(server.workdir)
        super().__init__(Contexts[zmq.asyncio.Context](zmq.asyncio.Context), server.registry)
        self.own |= {
            "timer": self._on_loop(timer),
            "swarm": self._on_loop(self._swarm),
            "callers": self._on_loop(self._callers),
        }
        self._sockets: set[AsyncioSocket] = set()

    def describe(self) -> dict[str, Any]:
        """Give the library's part of ``hello``."""
        return libzmq.describe("pyzmq-asyncio", FEATURES)

    def open(self, call: Call) -> None:
        """Make a socket on the loop."""
        if call.params["type"] == "RAW":
            Owner(self._registry).open(call, partial(RawLink.make, self._endpoints))
        else:
            self.home.spawn(self._open(call))

    def _on_loop(
        self, method: Callable[[dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
    ) -> Callable[[Call], None]:
        """Make a coroutine a method of the contract."""

        async def run(call: Call) -> None:
            try:
                call.answer(await method(call.params))
            except Exception as error:
                call.fail(explain(error, call.method))

        return lambda call: self.home.spawn(run(call))

    async def _swarm(self, params: dict[str, Any]) -> dict[str, Any]:
        held = self.contexts.take(params["context"])
        try:
            return await swarm(held, params)
        finally:
            await self.home.off_loop(lambda: self.contexts.release(held))

    async def _callers(self, params: dict[str, Any]) -> dict[str, Any]:
        held = hold(self.contexts, params["clients"])
        try:
            return await callers(held, params)
        finally:
            await self.home.off_loop(lambda: self.contexts.release(held))

    def _term(self, call: Call) -> None:
        async def end() -> None:
            # The library's futures would wait on: nobody tells them of the context's end
            for socket in [socket for socket in self._sockets if socket.held is held and not socket.closing]:
                socket.end_context()
            held.interrupt()
            call.answer({})

        held = self.contexts.shut_down(call.params["context"])
        self.home.spawn(end())

    async def _open(self, call: Call) -> None:
        params = call.params
        try:
            socket = self.socket(
                self.home, self.contexts, self._endpoints, params["type"], params.get("context"), self._forget
            )
        except Exception as error:
            call.fail(explain(error, "open"))
            return
        try:
            endpoints = socket.furnish(params)
        except Exception as error:
            socket.socket.close()
            await self.home.off_loop(socket.release)
            call.fail(explain(error, socket.method))
            return
        socket.handle = self._registry.add(socket)
        self._sockets.add(socket)
        call.answer({"socket": socket.handle, "endpoints": endpoints})

    def _forget(self, socket: AsyncioSocket) -> None:
        self._sockets.discard(socket)
        self._registry.remove(socket.handle)

    def open_contexts(self) -> int:
        """Count the contexts that are open now."""
        return self.contexts.count

    def dump(self) -> str:
        """Show where every task waits."""
        lines = ["\nTasks of the event loop:"]
        for task in asyncio.all_tasks(self.home.loop):
            frames = [f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in task.get_stack()]
            lines.append(f"{task.get_name()} {task.get_coro()!r}: {' < '.join(frames)}")
        return "\n".join(lines)


def make(server: Server) -> AsyncioDriver:
    """Make the driver."""
    return AsyncioDriver(server)
