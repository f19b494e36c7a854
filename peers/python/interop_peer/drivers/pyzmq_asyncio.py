"""``pyzmq-asyncio``: ``zmq.asyncio`` sockets on one event loop, which has a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
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
from ..features import FEATURES, ContextMethods
from ..libzmq import Contexts, explain
from ..owner import Owner
from ..raw import RawLink
from ..server import Server
from ..waiting import Selector, precisely


class AsyncioDriver(ContextMethods):
    """Makes sockets on the loop."""

    socket: type[AsyncioSocket] = AsyncioSocket

    def __init__(self, server: Server) -> None:
        """Start the loop."""
        self.registry = server.registry
        self.endpoints = Endpoints(server.workdir)
        super().__init__(Contexts[zmq.asyncio.Context](zmq.asyncio.Context), server.registry)
        self.own |= {
            "timer": self._on_loop(timer),
            "swarm": self._on_loop(self._swarm),
            "callers": self._on_loop(self._callers),
        }
        self.sockets: set[AsyncioSocket] = set()
        self.loop: asyncio.AbstractEventLoop
        self._tasks: set[asyncio.Task[None]] = set()
        self._selector = Selector()
        started = threading.Event()
        threading.Thread(target=self._serve, args=(started,), name="loop", daemon=True).start()
        started.wait()

    def _serve(self, started: threading.Event) -> None:
        async def main() -> None:
            self.loop = asyncio.get_running_loop()
            started.set()
            await self.loop.create_future()  # until the process ends

        # Windows needs the selector loop for libzmq's file descriptor; named here, it is the same everywhere
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(self._selector)) as runner:
            runner.run(main())

    @contextlib.contextmanager
    def planning(self, params: dict[str, Any]) -> Iterator[None]:
        """Let the loop's timers be precise while a workload keeps to a plan."""
        with precisely(params):
            self._selector.plans += "rate" in params
            try:
                yield
            finally:
                self._selector.plans -= "rate" in params

    def spawn(self, coroutine: Any) -> None:
        """Run a coroutine that no socket owns."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def off_loop(self, function: Callable[[], None]) -> None:
        """Run something that blocks in a thread of its own."""
        done: asyncio.Future[None] = self.loop.create_future()

        def run() -> None:
            self.registry.note(threading.current_thread())
            try:
                function()
            except Exception as error:
                self.loop.call_soon_threadsafe(done.set_exception, error)
            else:
                self.loop.call_soon_threadsafe(done.set_result, None)

        threading.Thread(target=run, name="terminator", daemon=True).start()
        await done

    def describe(self) -> dict[str, Any]:
        """Give the library's part of ``hello``."""
        return libzmq.describe("pyzmq-asyncio", FEATURES)

    def open(self, call: Call) -> None:
        """Make a socket on the loop."""
        if call.params["type"] == "RAW":
            Owner(self.registry).open(call, partial(RawLink.make, self.endpoints))
        else:
            self.loop.call_soon_threadsafe(self.spawn, self._open(call))

    def _on_loop(
        self, method: Callable[[dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
    ) -> Callable[[Call], None]:
        """Make a coroutine a method of the contract."""

        async def run(call: Call) -> None:
            try:
                call.answer(await method(call.params))
            except Exception as error:
                call.fail(explain(error, call.method))

        return lambda call: self._later(run(call))

    def _later(self, coroutine: Any) -> None:
        self.loop.call_soon_threadsafe(self.spawn, coroutine)

    async def _swarm(self, params: dict[str, Any]) -> dict[str, Any]:
        held = self.contexts.take(params["context"])
        try:
            return await swarm(held, params)
        finally:
            await self.off_loop(lambda: self.contexts.release(held))

    async def _callers(self, params: dict[str, Any]) -> dict[str, Any]:
        held = hold(self.contexts, params["clients"])
        try:
            return await callers(held, params)
        finally:
            await self.off_loop(lambda: self.contexts.release(held))

    def _term(self, call: Call) -> None:
        async def end() -> None:
            # The library's futures would wait on: nobody tells them of the context's end
            for socket in [socket for socket in self.sockets if socket.held is held]:
                socket.end_context()
            held.interrupt()
            call.answer({})

        held = self.contexts.shut_down(call.params["context"])
        self._later(end())

    async def _open(self, call: Call) -> None:
        params = call.params
        try:
            socket = self.socket(self, params["type"], params.get("context"))
        except Exception as error:
            call.fail(explain(error, "open"))
            return
        try:
            endpoints = socket.furnish(params)
        except Exception as error:
            socket.socket.close()
            await self.off_loop(socket.release)
            call.fail(explain(error, socket.method))
            return
        socket.handle = self.registry.add(socket)
        self.sockets.add(socket)
        call.answer({"socket": socket.handle, "endpoints": endpoints})

    def open_contexts(self) -> int:
        """Count the contexts that are open now."""
        return self.contexts.count

    def dump(self) -> str:
        """Show where every task waits."""
        lines = ["\nTasks of the event loop:"]
        for task in asyncio.all_tasks(self.loop):
            frames = [f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in task.get_stack()]
            lines.append(f"{task.get_name()} {task.get_coro()!r}: {' < '.join(frames)}")
        return "\n".join(lines)


def make(server: Server) -> AsyncioDriver:
    """Make the driver."""
    return AsyncioDriver(server)
