"""Section 7 for ``zmq.asyncio``: a monitor's socket read by a task, and many tasks that send."""

from __future__ import annotations

import asyncio
import threading
from math import inf
from time import perf_counter_ns
from typing import Any

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from .asyncio_port import BREATH, settle
from .calls import Call
from .crowd import Crowd
from .events import Ledger
from .libzmq import Held, explain, make_socket
from .numbered import Numbered
from .workloads import with_result


class AsyncioRecorder:
    """A task that reads a monitor's socket into a ledger. Everything happens on the loop."""

    def __init__(self, pair: zmq.asyncio.Socket) -> None:
        """Take ``pair`` over."""
        self._pair = pair
        self._ledger = Ledger()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._read())

    async def _read(self) -> None:
        while True:
            self._ledger.note(dict(await recv_monitor_message(self._pair)))

    def take(self, call: Call) -> None:
        """Take an ``events`` call."""
        self._ledger.take(call)
        self._serve()

    def _serve(self) -> None:
        """Answer those whose time is up, now and at the next deadline."""
        self._ledger.serve()
        if self._timer:
            self._timer.cancel()
        deadline = self._ledger.deadline()
        if deadline != inf:
            # A loop may come up to a tick of its clock too early
            self._timer = self._loop.call_at(max(deadline, self._loop.time() + 0.001), self._serve)

    def close(self) -> None:
        """End the recording."""
        if self._timer:
            self._timer.cancel()
        self._task.cancel()
        self._pair.close()
        self._ledger.end()


async def timer(params: dict[str, Any]) -> dict[str, Any]:
    """Wait on the loop's timer."""
    start = perf_counter_ns()
    await asyncio.sleep(min(params["ms"] / 1000, threading.TIMEOUT_MAX))
    return {"ns": perf_counter_ns() - start}


async def swarm(held: Held[zmq.asyncio.Context], params: dict[str, Any]) -> dict[str, Any]:
    """Let every worker send from a task of its own; closing delivers, as long as the call may take."""
    crowd = Crowd(params)
    loop = asyncio.get_running_loop()

    async def work(number: int) -> None:
        socket: zmq.asyncio.Socket = make_socket(held, params["type"])
        try:
            socket.set(zmq.IPV6, "[" in params["endpoint"])
            socket.connect(params["endpoint"])
            numbered = Numbered({"size": params["size"], "source": number})
            for sequence in range(params["count"]):
                await settle(socket.send_multipart(numbered.number(sequence)), crowd.deadline)
                crowd.sent[number] += 1
                if not crowd.sent[number] % BREATH:
                    await asyncio.sleep(0)
        finally:
            socket.close(linger=max(0, int((crowd.deadline - loop.time()) * 1000)))

    tasks = [loop.create_task(work(number)) for number in range(params["workers"])]
    try:
        await asyncio.gather(*tasks)
    except Exception as error:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise with_result(explain(error, "swarm"), crowd.result()) from None
    return crowd.result()
