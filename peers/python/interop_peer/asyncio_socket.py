"""One socket of ``zmq.asyncio`` and its calls, a task for each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from math import inf
from typing import Any

import zmq
import zmq.asyncio

from . import asyncio_ping
from .asyncio_features import AsyncioRecorder
from .asyncio_port import BREATH, AsyncioPort, proxy, settle
from .calls import Call
from .endpoints import Endpoints
from .errors import PeerError, closed, timed_out
from .event_loop import EventLoop
from .jobs import RecvJob, SendJob
from .libzmq import SEND_PATHS, Contexts, ZmqSocket, explain
from .params import WORKLOADS, refuse_size
from .workloads import TABLE, seconds, with_result

_STALL = 0.001  # s to leave a socket alone that said it was ready and was not

# Which directions a workload has to itself; send is locked before recv
_DIRECTIONS = {"flood": "s", "pace": "s", "drain": "r", "echo": "sr", "ping": "sr"}
_WORKLOADS: dict[str, Callable[[AsyncioPort, dict[str, Any], dict[str, Any]], Coroutine[Any, Any, None]]] = {
    **TABLE,
    **asyncio_ping.WORKLOADS,
}


class AsyncioSocket(ZmqSocket[zmq.asyncio.Context, zmq.asyncio.Socket]):
    """One socket and the tasks that use it. Everything but ``submit`` and ``close`` runs on the loop."""

    def __init__(
        self,
        home: EventLoop,
        contexts: Contexts[zmq.asyncio.Context],
        endpoints: Endpoints,
        kind: str,
        context: str | None,
        gone: Callable[[AsyncioSocket], None],
    ) -> None:
        """Make the socket; ``gone`` is called when it is closed."""
        super().__init__(contexts, endpoints, kind, context)
        self.closing = False
        self.handle = 0
        self.locks = {"s": asyncio.Lock(), "r": asyncio.Lock()}
        self.tasks: set[asyncio.Task[None]] = set()
        self._home = home
        self._loop = home.loop
        self._gone = gone

    # From any thread

    def submit(self, call: Call) -> None:
        """Take a call on this socket."""
        self._loop.call_soon_threadsafe(self._begin, call)

    def close(self, call: Call | None, abandon: bool = False) -> None:
        """End the socket and the tasks that wait on it."""
        self.closing = True
        self._home.spawn(self._close(call, abandon))

    # On the loop

    def _begin(self, call: Call) -> None:
        task = self._loop.create_task(self._run(call))
        self.own(task)
        if call.backend is not None and isinstance(call.backend, AsyncioSocket):
            call.backend.own(task)

    def own(self, task: asyncio.Task[None]) -> None:
        """Cancel this task when the socket is closed."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, call: Call) -> None:
        try:
            self.held.check()
            if call.method == "send":
                await self._send_all(self._read_send(call))
            elif call.method == "recv":
                await self._recv_all(self._read_recv(call))
            elif call.method in WORKLOADS:
                call.answer(await self._work(call))
            elif call.method == "events" and self.recorder:
                self.recorder.take(call)
            else:
                call.answer(self.operate(call))
        except asyncio.CancelledError:
            call.fail(closed())
        except Exception as error:
            call.fail(explain(error, call.method))

    def _read_send(self, call: Call) -> SendJob:
        return SendJob(call, SEND_PATHS)

    def _read_recv(self, call: Call) -> RecvJob:
        refuse_size(call.method, call.params)
        return RecvJob(call)

    async def _send_all(self, job: SendJob) -> None:
        try:
            async with self.turn("s", job.deadline):
                while not job.done:
                    await self._breathe(job.sent)
                    job.ask()
                    await self._send(job)
                    job.moved()
        except (Exception, asyncio.CancelledError) as error:
            job.fail(self._reason(error, "send"))
        else:
            job.succeed()

    async def _recv_all(self, job: RecvJob) -> None:
        try:
            async with self.turn("r", job.deadline):
                while not job.done:
                    await self._breathe(len(job.messages))
                    job.ask()
                    await self._recv(job)
                    job.moved()
        except (Exception, asyncio.CancelledError) as error:
            job.fail(self._reason(error, "recv"))
        else:
            job.succeed()

    async def _breathe(self, count: int) -> None:
        """Let others have their turn after so many messages that may all have gone without waiting."""
        if count % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        self._check()

    def _check(self) -> None:
        if self.closing:
            raise closed()
        self.held.check()

    def record(self) -> AsyncioRecorder:
        """Start to record the socket's events."""
        return AsyncioRecorder(self.socket.get_monitor_socket())

    def end_context(self) -> None:
        """End what waits on the socket, and stay as it is until ``close``."""
        for task in self.tasks:
            task.cancel()
        if self.recorder:
            self.recorder.close()

    def _reason(self, error: BaseException, method: str) -> Exception:
        return explain(error, method) if isinstance(error, Exception) else closed()

    @asynccontextmanager
    async def turn(self, direction: str, deadline: float) -> AsyncIterator[None]:
        """Wait for the calls that came before in this direction."""
        lock = self.locks[direction]
        if lock.locked() and deadline != inf:
            try:
                async with asyncio.timeout_at(deadline):
                    await lock.acquire()
            except TimeoutError:
                raise timed_out() from None
        else:
            await lock.acquire()
        try:
            self._check()
            yield
        finally:
            lock.release()

    async def _send(self, job: SendJob) -> None:
        """Send the job's next message."""
        message = job.messages[job.sent]
        while True:
            # libzmq takes a message as a whole: only its first frame ever waits
            flags = zmq.NOBLOCK if job.deadline <= self._loop.time() else 0
            try:
                if job.via == "send":
                    for frame in message[:-1]:
                        await settle(self.socket.send(frame, flags | zmq.SNDMORE), job.deadline)
                    await settle(self.socket.send(message[-1], flags), job.deadline)
                else:
                    await settle(self.socket.send_multipart(message, flags), job.deadline)
            except zmq.Again:
                # The socket's own timeout, or one that said it was ready and was not (a ROUTER with one full peer)
                if not job.timed:
                    raise
                if job.deadline <= self._loop.time():
                    raise timed_out() from None
                await asyncio.sleep(_STALL)
                self._check()
            else:
                job.sent += 1
                return

    async def _recv(self, job: RecvJob) -> None:
        """Receive one message."""
        if not job.timed:
            job.messages.append(await settle(self.socket.recv_multipart(), inf))
            return
        while True:
            try:
                # A call that can't wait tells of a wrong state at once, where one that waits just waits
                job.messages.append(await self.socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                pass
            else:
                self.socket.get(zmq.EVENTS)  # the library then looks after a send that waits
                return
            if job.deadline <= self._loop.time():
                raise timed_out()
            try:
                job.messages.append(await settle(self.socket.recv_multipart(), job.deadline))
            except zmq.Again:  # the socket's own timeout, which the call's overrides
                self._check()
                continue
            return

    async def _work(self, call: Call) -> dict[str, Any]:
        if call.method == "proxy":
            return await self._proxy(call)
        refuse_size(call.method, call.params)
        result: dict[str, Any] = {}
        deadline = self._loop.time() + seconds(call.params)
        port: AsyncioPort | None = None
        try:
            async with AsyncExitStack() as stack:
                for direction in _DIRECTIONS[call.method]:
                    await stack.enter_async_context(self.turn(direction, deadline))
                port = AsyncioPort(self.socket, deadline, lambda: self.closing)
                stack.callback(port.end)
                stack.enter_context(self._home.planning(call.params))
                await _WORKLOADS[call.method](port, call.params, result)
        except (Exception, asyncio.CancelledError) as error:
            expired = isinstance(error, asyncio.CancelledError) and port and port.expired and not self.closing
            raise with_result(timed_out() if expired else self._reason(error, call.method), result) from None
        return result

    async def _proxy(self, call: Call) -> dict[str, Any]:
        back = call.backend
        if not isinstance(back, AsyncioSocket):
            raise PeerError("unsupported", "'backend' is not a ZeroMQ socket")
        result = {"forward": 0, "backward": 0}
        deadline = self._loop.time() + seconds(call.params)
        try:
            async with AsyncExitStack() as stack:
                for socket in sorted((self, back), key=lambda socket: socket.handle):  # in one order: no deadlock
                    for direction in "sr":
                        await stack.enter_async_context(socket.turn(direction, deadline))
                await proxy(self.socket, back.socket, deadline, lambda: self.closing or back.closing, result)
        except (Exception, asyncio.CancelledError) as error:
            if not self.closing and not back.closing:  # a close is the regular end
                raise with_result(self._reason(error, "proxy"), result) from None
        return result

    async def _close(self, call: Call | None, abandon: bool) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        error: Exception | None = None
        try:
            if abandon:
                self.forget()
            else:
                await self.end()
        except Exception as reason:
            error = explain(reason, "close")
        self._gone(self)
        if call and error:
            call.fail(error)
        elif call:
            call.answer({})

    async def end(self) -> None:
        """Close the socket, and its context with the last one."""
        if self.recorder:
            with contextlib.suppress(zmq.ContextTerminated):
                self.socket.disable_monitor()
            self.recorder.close()
        self.socket.close()
        await self._home.off_loop(self.release)
