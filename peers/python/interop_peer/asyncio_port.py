"""Waiting on futures of ``zmq.asyncio`` without ever losing a message, and workloads on top of that.

A future that is cancelled before it is done has received nothing: the library skips it. One that is done holds a
message, whatever happens to the task that waits; so its result is taken even while the task is being cancelled,
and whoever waits in a loop looks at ``closing`` before it waits again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from time import perf_counter_ns
from typing import Any

import zmq
import zmq.asyncio

from .errors import closed, timed_out
from .frames import Message
from .waiting import LATE

BREATH = 64  # messages in a row that went without waiting, after which the loop's other tasks get their turn


async def settle(future: Any, deadline: float = inf) -> Any:
    """Wait for a future of the library until ``deadline``, on the loop's clock.

    :raises PeerError: ``timeout``; the future is cancelled then.
    :raises asyncio.CancelledError: if the task is cancelled before the future is done.
    """
    if future.done():
        return future.result()
    expired = False

    def expire() -> None:
        nonlocal expired
        expired = not future.done()
        future.cancel()

    timer = None if deadline == inf else asyncio.get_running_loop().call_at(deadline, expire)
    try:
        return await future
    except asyncio.CancelledError:
        if future.done() and not future.cancelled():
            return future.result()
        if expired:
            raise timed_out() from None
        raise
    finally:
        if timer:
            timer.cancel()


class AsyncioPort:
    """A socket as a workload sees it, which runs as a task of its own.

    One timer, for the end, is all that bounds it: one for each message would be felt in every round trip.
    """

    def __init__(self, socket: zmq.asyncio.Socket, deadline: float, closing: Callable[[], bool]) -> None:
        """Work on ``socket`` until ``deadline``, on the loop's clock, or until ``closing`` says so."""
        self._socket = socket
        self._closing = closing
        self._quick = 0
        loop = asyncio.get_running_loop()
        self.lockstep = socket.get(zmq.TYPE) == zmq.REQ
        self.stopped = False
        self.expired = deadline <= loop.time()
        """Whether the time is up, which cancels the task."""
        task = asyncio.current_task()
        assert task is not None
        self._timer = loop.call_at(deadline, self._expire, task)

    def _expire(self, task: asyncio.Task[Any]) -> None:
        self.expired = True
        task.cancel()

    def end(self) -> None:
        """Stop the timer."""
        self._timer.cancel()

    async def attend(self) -> None:
        """See whether it is time to stop, and let others have their turn now and then."""
        self._quick += 1
        if self._quick > BREATH:
            self._quick = 0
            await asyncio.sleep(0)
        self._check()

    def _check(self) -> None:
        if self.stopped or self._closing():
            raise closed()
        if self.expired:
            raise timed_out()

    async def put(self, message: list[Any]) -> None:
        """Send as the library's own coroutine does."""
        while True:
            single = len(message) == 1
            future: Any = self._socket.send(message[0]) if single else self._socket.send_multipart(message)
            try:
                await future
            except asyncio.CancelledError:
                if not future.done() or future.cancelled():
                    raise
            except zmq.Again:  # the socket's own timeout; the workload's overrides it
                await self.attend()
                continue
            return

    async def get(self) -> Message:
        """Receive as the library's own coroutine does."""
        while True:
            future: Any = self._socket.recv_multipart()
            try:
                message: Message = await future
            except asyncio.CancelledError:
                if not future.done() or future.cancelled():
                    raise
                message = future.result()
            except zmq.Again:
                await self.attend()
                continue
            return message

    async def send(self, message: list[Any]) -> None:
        """Send."""
        await self.attend()
        await self.put(message)

    async def recv(self) -> Message:
        """Receive."""
        await self.attend()
        return await self.get()

    async def until(self, instant: int) -> None:
        """Sleep, and spend the last moment with turns of the others."""
        while (left := (instant - perf_counter_ns()) / 1e9) > 0:
            await asyncio.sleep(max(0.0, left - LATE))
            self._check()


async def proxy(
    front: zmq.asyncio.Socket,
    back: zmq.asyncio.Socket,
    deadline: float,
    closing: Callable[[], bool],
    result: dict[str, Any],
) -> None:
    """Pass messages between two sockets, both ways; ends when the task is cancelled.

    :raises PeerError: ``timeout`` at ``deadline``, on the loop's clock.
    """
    stopped = False

    async def pump(source: zmq.asyncio.Socket, target: zmq.asyncio.Socket, way: str) -> None:
        while not stopped and not closing():
            message = await settle(source.recv_multipart())
            await settle(target.send_multipart(message))
            result[way] += 1
            if not result[way] % BREATH:
                await asyncio.sleep(0)

    pumps = [asyncio.ensure_future(pump(front, back, "forward")), asyncio.ensure_future(pump(back, front, "backward"))]
    try:
        left = deadline - asyncio.get_running_loop().time()
        done, _ = await asyncio.wait(pumps, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        stopped = True
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
    if not done:
        raise timed_out()
