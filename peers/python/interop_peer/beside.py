"""Work beside the sockets (feature ``beside``): threads that take the interpreter, or the allocator."""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic
from typing import Any

_KEPT = 64  # buffers
_BYTES = 65_536
_STEPS = 1_000  # of the loop without calls, in each round


def _spin(size: int, deadline: float) -> int:
    rounds = 0
    while monotonic() < deadline:
        number = _STEPS
        while number:
            number -= 1
        rounds += 1
    return rounds


def _allocate(size: int, deadline: float) -> int:
    kept: deque[bytearray] = deque(maxlen=_KEPT)
    rounds = 0
    while monotonic() < deadline:
        kept.append(bytearray(size))
        rounds += 1
    return rounds


def _reuse(size: int, deadline: float) -> int:
    pool: list[bytearray] = []
    kept: deque[bytearray] = deque()
    rounds = 0
    while monotonic() < deadline:
        kept.append(pool.pop() if pool else bytearray(size))
        if len(kept) > _KEPT:
            pool.append(kept.popleft())
        rounds += 1
    return rounds


KINDS = {"spin": _spin, "allocate": _allocate, "reuse": _reuse}


def beside(params: dict[str, Any]) -> dict[str, Any]:
    """Work in so many threads, for so long, and count the rounds of all."""
    deadline = monotonic() + params["ms"] / 1000
    rounds = [0] * params["threads"]

    def work(number: int) -> None:
        rounds[number] = KINDS[params["how"]](params.get("bytes", _BYTES), deadline)

    threads = [
        threading.Thread(target=work, args=(number,), name=f"beside {number}", daemon=True)
        for number in range(len(rounds))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"rounds": sum(rounds)}
