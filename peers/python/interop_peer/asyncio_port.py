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

import zmq.asyncio

from .errors import closed, timed_out
from .frames import Message

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
    """A socket as a workload sees it."""

    def __init__(self, socket: zmq.asyncio.Socket, deadline: float, closing: Callable[[], bool]) -> None:
        """Work on ``socket`` until ``deadline``, on the loop's clock, or until ``closing`` says so."""
        self._socket = socket
        self._closing = closing
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._quick = 0

    async def _attend(self) -> None:
        """See whether it is time to stop, and let others have their turn now and then."""
        self._quick += 1
        if self._quick > BREATH:
            self._quick = 0
            await asyncio.sleep(0)
        if self._closing():
            raise closed()
        if self._loop.time() >= self._deadline:
            raise timed_out()

    async def send(self, message: list[Any]) -> None:
        """Send as the library's own coroutine does."""
        while True:
            await self._attend()
            future = self._socket.send_multipart(message)
            try:
                await settle(future, self._deadline)
            except zmq.Again:  # the socket's own timeout; the workload's overrides it
                continue
            return

    async def recv(self, like: list[Any] | None = None) -> Message:
        """Receive as the library's own coroutine does."""
        while True:
            await self._attend()
            future = self._socket.recv_multipart()
            try:
                message: Message = await settle(future, self._deadline)
            except zmq.Again:
                continue
            return message

    async def until(self, instant: int) -> None:
        """Sleep."""
        while (left := (instant - perf_counter_ns()) / 1e9) > 0:
            await self._attend()
            await asyncio.sleep(min(left, self._deadline - self._loop.time()))


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
