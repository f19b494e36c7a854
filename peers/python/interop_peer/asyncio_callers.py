"""Many clients that ask at once (feature ``callers``) with ``zmq.asyncio``: a task each."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import Any

import zmq.asyncio

from .asyncio_port import settle
from .callers import Answers, check, connect, requests
from .libzmq import Held
from .numbered import Numbered


class _Client:
    def __init__(self, answers: Answers, socket: zmq.asyncio.Socket, numbered: Numbered) -> None:
        self.answers = answers
        self.socket = socket
        self._numbered = numbered
        self._asked = 0

    async def ask(self, last: int) -> bool:
        """Ask until that was done so often; False when something went wrong before."""
        loop = asyncio.get_running_loop()
        try:
            while self._asked < last:
                request = self._numbered.number(self._asked)
                self._asked += 1
                deadline = loop.time() + self.answers.timeout
                start = perf_counter_ns()
                await settle(self.socket.send_multipart(request), deadline)
                answer = await settle(self.socket.recv_multipart(), deadline)
                end = perf_counter_ns()
                check(answer, request)
                self.answers.note(end - start)
        except Exception as error:
            self.socket.close()
            self.answers.fail(error)
            return False
        return True


async def callers(held: Held[zmq.asyncio.Context], params: dict[str, Any]) -> dict[str, Any]:
    """Run the workload to its end."""
    answers = Answers(params)
    clients: list[_Client] = []
    try:
        for number in range(params["clients"]):
            clients.append(_Client(answers, connect(held, params), requests(params, number)))
        well = await asyncio.gather(*(client.ask(1) for client in clients))
        answers.start()
        await asyncio.gather(
            *(client.ask(1 + params["count"]) for client, good in zip(clients, well, strict=True) if good)
        )
    finally:
        for client in clients:
            client.socket.close()
    return answers.result()
