"""The event loop of ``pyzmq-asyncio``, on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from .driver import Registry
from .waiting import Selector, precisely


class EventLoop:
    """A loop that runs until the process ends."""

    def __init__(self, registry: Registry) -> None:
        """Start it. ``registry`` is told of the threads that ``off_loop`` starts."""
        self.loop: asyncio.AbstractEventLoop
        self._registry = registry
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

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that no socket owns. From any thread."""
        self.loop.call_soon_threadsafe(self._keep, coroutine)

    def _keep(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextlib.contextmanager
    def planning(self, params: dict[str, Any]) -> Iterator[None]:
        """Let the loop's timers be precise while a workload keeps to a plan."""
        with precisely(params):
            self._selector.plans += "rate" in params
            try:
                yield
            finally:
                self._selector.plans -= "rate" in params

    async def off_loop(self, function: Callable[[], None]) -> None:
        """Run something that blocks in a thread of its own."""
        done: asyncio.Future[None] = self.loop.create_future()

        def run() -> None:
            self._registry.note(threading.current_thread())
            try:
                function()
            except Exception as error:
                self.loop.call_soon_threadsafe(done.set_exception, error)
            else:
                self.loop.call_soon_threadsafe(done.set_result, None)

        threading.Thread(target=run, name="terminator", daemon=True).start()
        await done
