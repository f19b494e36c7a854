"""``echo`` and ``ping`` on a socket of ``zmq.asyncio``: as ``ping`` has them for sockets that block, with tasks."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import Any

from .asyncio_port import AsyncioPort
from .trips import Trips


async def echo(port: AsyncioPort, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Receive a message and send the same frames back, ``count`` times."""
    count: int = params["count"]
    echoed = 0
    try:
        while echoed < count:
            await port.attend()
            await port.put(await port.get())
            echoed += 1
    finally:
        result["echoed"] = echoed


async def ping(port: AsyncioPort, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Send and wait for the answer, ``warmup`` + ``count`` times; only the ``count`` are timed."""
    trips = Trips(params)
    try:
        if trips.planned and not port.lockstep:
            await _open_loop(port, trips)
        else:
            await _lock_step(port, trips)
    finally:
        result.update(trips.result())


async def _lock_step(port: AsyncioPort, trips: Trips) -> None:
    for sequence in range(trips.total):
        await port.attend()
        message = trips.number(sequence)
        if trips.planned:
            await port.until(trips.due(sequence))
        start = trips.since(sequence) if trips.planned else perf_counter_ns()
        await port.put(message)
        answer = await port.get()
        trips.note(sequence, start, perf_counter_ns(), answer)


async def _open_loop(port: AsyncioPort, trips: Trips) -> None:
    async def send_all() -> None:
        for sequence in range(trips.total):
            await port.until(trips.due(sequence))
            trips.left(sequence)
            await port.send(trips.number(sequence))

    async def receive_all() -> None:
        while trips.missing:
            answer = await port.recv()
            trips.take(answer, perf_counter_ns())

    tasks = [asyncio.create_task(send_all()), asyncio.create_task(receive_all())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        port.stopped = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


WORKLOADS = {"echo": echo, "ping": ping}
