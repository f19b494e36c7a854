"""In which order a flow's messages may come: those of one connection in order, those of two as they like."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest

from tests.interop.recovery import SETTLED, Flow

Deliver = Callable[[int], Iterable[int]]
"""What comes when a number was sent."""


class Wire:
    """Both ends of a flow, without a library; `deliver` says what comes."""

    type = "PULL"
    wait_ms = 200.0

    def __init__(self, deliver: Deliver) -> None:
        self.deliver = deliver
        self.peer = self
        self._there: list[int] = []

    def send(self, *frames: str, timeout: float | None) -> None:
        self._there += self.deliver(int(frames[-1].removeprefix("news ")))

    def recv_later(self) -> Wire:
        return self

    def done(self, seconds: float) -> bool:
        return bool(self._there)

    def messages(self) -> list[list[bytes]]:
        return [[b"news %d" % self._there.pop(0)]]


def steady(number: int) -> list[int]:
    return [number]


def flow_over(wire: Wire) -> Flow:
    return Flow(cast(Any, wire), cast(Any, wire), {})


def healed(deliver: Deliver) -> Flow:
    """Run a flow, send five messages of which none comes by itself, and run it again as `deliver` says."""
    wire = Wire(steady)
    flow = flow_over(wire)
    flow.run()
    wire.deliver = lambda number: []
    for _ in range(5):
        flow.send()
    wire.deliver = deliver
    flow.run()
    return flow


FIRST = 1 + SETTLED
"""The first number that does not come by itself."""


def test_what_an_ended_connection_had_may_come_among_what_the_next_one_has() -> None:
    flow = healed(lambda number: [number, FIRST + 1] if number == FIRST + 9 else [number])
    assert FIRST + 1 in flow.came
    assert flow.came != sorted(flow.came)


def test_what_one_connection_has_comes_in_order() -> None:
    swapped = {FIRST + 9: [], FIRST + 10: [FIRST + 10, FIRST + 9]}
    with pytest.raises(AssertionError, match="order"):
        healed(lambda number: swapped.get(number, [number]))


def test_what_came_late_came_once() -> None:
    with pytest.raises(AssertionError, match="came twice"):
        healed(lambda number: [number, FIRST + 1] if number in (FIRST + 8, FIRST + 9) else [number])


def test_a_first_run_is_in_order_from_its_beginning() -> None:
    swapped = {3: [], 4: [4, 3]}
    with pytest.raises(AssertionError, match="out of order"):
        flow_over(Wire(lambda number: swapped.get(number, [number]))).run()
