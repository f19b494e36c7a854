"""One block: two fresh processes with their settings on either side, and what the probes measure of them in turn.

The processes live for one block only, so that what differs from process to process (where its memory lies, which
core it starts on) is in the spread of the blocks and not in the effect. Both sides live at the same time, one of them
idle, and each probe goes from one to the other, so that a neighbour on the machine hits both.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from harness.errors import CallFailed, ContractBreach, HarnessError
from harness.host import affinity, settings, timers
from harness.host.priority import raise_priority
from harness.measure import histogram
from harness.measure.latency import WARMUP
from harness.measure.tune import effects as to
from harness.measure.tune.factors import (
    ANYWHERE,
    APART,
    FLOOD,
    HIGH,
    LOCK_STEP,
    NEIGHBOURS,
    OPEN_LOOP,
    SAME,
    SENDS,
    Factor,
    Setting,
)
from harness.model.patterns import TRANSPORTS
from harness.peers.sockets import Peer, RemoteSocket
from harness.places import switching

Start = Callable[[Mapping[str, str]], Peer]
"""Starts one peer with an addition to its environment."""

_BESIDE_MS: Final = 100
_PARTS: Final = ("x" * 64,) * 2  # frames of a message of the probe `SENDS`


@dataclass(frozen=True, slots=True)
class Load:
    """How much a probe does at a time, and how many times in a block. Sizes in bytes, the rate in messages a second.

    `flood` has to fill the queues of both ends at the larger mark and the kernel's; a library without marks is slower
    and gets `flood_unmarked`. Pings and rate are those of all pairs of sockets together.
    """

    turns: Mapping[str, int]
    pings: int = 150
    rate: float = 2000.0
    flood: int = 20_000
    flood_unmarked: int = 4000
    sends: int = 2000
    warmup: int = 500
    ping_size: int = 64
    flood_size: int = 1024


FULL: Final = Load({LOCK_STEP: 3, OPEN_LOOP: 2, FLOOD: 1, SENDS: 3})
QUICK: Final = Load(dict.fromkeys(FULL.turns, 1), pings=100, flood=12_000, flood_unmarked=2000, sends=1000, warmup=200)


@dataclass(frozen=True, slots=True)
class Side:
    """Which peer to start, and what its setting is."""

    start: Start
    setting: Setting


def block(sides: Sequence[Side], factor: Factor, load: Load) -> list[dict[str, float]]:
    """Measure every side once, the first one first; returns the metrics of each by name, medians of the probe's turns.

    Raises PeerFault and Unsupported.
    """
    values: list[dict[str, float]] = [{} for _ in sides]
    order = list(range(len(sides)))
    with _processes(sides) as ends:
        for probe in factor.probes:
            found: list[list[dict[str, float]]] = [[] for _ in sides]
            for _ in range(load.turns[probe]):
                for which in order:
                    setting = sides[which].setting
                    with (
                        settings.changed(setting.machine) if setting.machine else contextlib.nullcontext(),
                        _sockets(ends[which], setting, probe, factor.partial) as pairs,
                        _beside(ends[which][1], setting),
                    ):
                        found[which].append(_PROBES[probe](pairs, load, setting))
                order.reverse()
            for mine, turns in zip(values, found, strict=True):
                mine.update({name: statistics.median(turn[name] for turn in turns) for name in turns[0]})
        for mine, pair in zip(values, ends, strict=True):
            mine.update(_runtime(pair))
    return values


@contextlib.contextmanager
def _processes(sides: Sequence[Side]) -> Iterator[list[tuple[Peer, Peer]]]:
    """Start both ends of every side, and end them all."""
    peers: dict[int, Peer] = {}

    def start(number: int) -> None:
        side = sides[number // 2]
        peers[number] = side.start(side.setting.env)

    try:
        with ThreadPoolExecutor(2 * len(sides)) as at_once:
            list(at_once.map(start, range(2 * len(sides))))
        ends = [(peers[number], peers[number + 1]) for number in range(0, 2 * len(sides), 2)]
        for side, pair in zip(sides, ends, strict=True):
            _settle([peer.client.pid for peer in pair], side.setting)
        yield ends
    finally:
        for peer in peers.values():  # their sockets are closed, and how a peer ends is for others to judge
            peer.client.kill()


def _settle(pids: list[int], setting: Setting) -> None:
    if setting.cores != ANYWHERE:
        affinity.place(dict(zip(pids, _cores(setting.cores), strict=True)))
    if setting.priority == HIGH:
        for pid in pids:
            raise_priority(pid)
    if setting.sharp:
        for pid in pids:
            timers.sharpen(pid)


def _cores(place: str) -> tuple[int, int]:
    cores = affinity.cores()
    first = {SAME: cores[-1], NEIGHBOURS: cores[-2:][0], APART: cores[0]}[place]
    return first, cores[-1]


@contextlib.contextmanager
def _sockets(
    ends: tuple[Peer, Peer], setting: Setting, probe: str, partial: bool
) -> Iterator[list[tuple[RemoteSocket, RemoteSocket]]]:
    left, right = ends
    context = f"tune {probe}" if setting.shared or setting.context else None
    options = {name: value for name, value in setting.options.items() if not partial or left.can("options", name)}
    if setting.context:
        for peer in ends:
            peer.need("features", "tune")
            peer.client.call("tune", {"context": context, "options": dict(setting.context)})
    pairs = []
    sends, answers = _TYPES[probe]
    for _ in range(setting.pairs):
        bound = right.socket(answers, bind=TRANSPORTS["tcp4"].wildcard, context=context, options=options)
        pairs.append((left.socket(sends, connect=bound.endpoint, context=context, options=options), bound))
    yield pairs
    for pair in pairs:
        for socket in pair:
            with contextlib.suppress(CallFailed):  # how a library closes is for the checks of the matrix to judge
                socket.close()


@contextlib.contextmanager
def _beside(peer: Peer, setting: Setting) -> Iterator[None]:
    """Keep a peer busy beside its sockets, by one short call after the other, until the probe is done."""
    work = setting.beside
    if work is None:
        yield
        return
    params: dict[str, Any] = {"how": work.how, "threads": work.threads, "ms": _BESIDE_MS}
    if work.bytes:
        params["bytes"] = work.bytes
    over = threading.Event()

    def keep_busy() -> None:
        with contextlib.suppress(HarnessError):  # the probe meets the same fault, and tells it
            while not over.is_set():
                peer.client.call("beside", params, wait=_BESIDE_MS / 1000)

    worker = threading.Thread(target=keep_busy, daemon=True)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


Pairs = list[tuple[RemoteSocket, RemoteSocket]]


def _round_trips(pairs: Pairs, count: int, size: int, rate: float | None = None) -> tuple[Any, float]:
    """Ping over all pairs at the same time, `count` times in all; returns a histogram, and the jitter in ns."""
    each = count // len(pairs)
    planned = {} if rate is None else {"rate": rate / len(pairs)}
    echoing = [bound.work("echo", count=each + WARMUP) for _, bound in pairs]
    pinging = [sender.work("ping", count=each, size=size, warmup=WARMUP, **planned) for sender, _ in pairs]
    told = [call.result() for call in pinging]
    for call in echoing:
        call.result()
    if wrong := sum(int(result["wrong"]) for result in told):
        raise ContractBreach(f"{wrong} of {count} answers were not what had been sent")
    jitter = statistics.mean(float(result["jitter_ns"]) for result in told)
    return _added(str(result["hdr"]) for result in told), jitter


def _added(encoded: Iterable[str]) -> Any:
    total, *others = map(histogram.decode, encoded)
    for other in others:
        total.add(other)
    return total


def _at(found: Any, percentile: float) -> float:
    """Return a percentile in µs."""
    return float(found.get_value_at_percentile(percentile)) / 1000


def _lock_step(pairs: Pairs, load: Load, _: Setting) -> dict[str, float]:
    found, jitter = _round_trips(pairs, load.pings, load.ping_size)
    return {to.LOCK_P50: _at(found, 50), to.LOCK_P99: _at(found, 99), to.JITTER: jitter / 1000}


def _open_loop(pairs: Pairs, load: Load, _: Setting) -> dict[str, float]:
    pids = [socket.peer.client.pid for socket in pairs[0]]
    before, started = switching.switches(pids), time.perf_counter()
    found, _jitter = _round_trips(pairs, load.pings, load.ping_size, load.rate)
    after, seconds = switching.switches(pids), time.perf_counter() - started
    voluntary, involuntary = (max(0, now - then) / seconds for then, now in zip(before, after, strict=True))
    return {
        to.OPEN_P99: _at(found, 99),
        to.SWITCHES: voluntary + involuntary,
        to.VOLUNTARY: voluntary,
        to.INVOLUNTARY: involuntary,
    }


def _flood(pairs: Pairs, load: Load, _: Setting) -> dict[str, float]:
    marked = pairs[0][0].peer.can("options", "SNDHWM")
    count = (load.flood if marked else load.flood_unmarked) // len(pairs)
    for each in (load.warmup, count):
        draining = [bound.work("drain", count=each, stamped=True) for _, bound in pairs]
        flooding = [sender.work("flood", count=each, size=load.flood_size, stamp=True) for sender, _ in pairs]
        for call in flooding:
            call.result()
        drained = [call.result() for call in draining]
    delays = _added(str(result["delay"]) for result in drained)
    seconds = max(int(result["ns"]) for result in drained) / 1e9
    return {
        to.DELAY_P50: _at(delays, 50),
        to.DELAY_P99: _at(delays, 99),
        to.DELAY_SPREAD: _at(delays, 90) - _at(delays, 10),
        to.THROUGHPUT: count * len(pairs) / seconds,
    }


def _sends(pairs: Pairs, load: Load, setting: Setting) -> dict[str, float]:
    """Send many messages by the library's path. The time holds the reading of the request, the same on both sides."""
    sender, bound = pairs[0]
    path = sender.peer.capabilities["send_paths"][setting.path]
    for count in (load.warmup, load.sends):
        draining = bound.work("drain", count=count, strip=len(_PARTS))  # behind the frames nothing is left to tally
        sender.send_all([_PARTS] * count, via=path)
        seconds = int(draining.result()["ns"]) / 1e9
    return {to.THROUGHPUT: load.sends / seconds}


_TYPES: Final = {
    LOCK_STEP: ("REQ", "REP"),
    OPEN_LOOP: ("DEALER", "DEALER"),  # REQ may not send before it was answered
    FLOOD: ("PUSH", "PULL"),
    SENDS: ("PUSH", "PULL"),
}

_PROBES: Final = {LOCK_STEP: _lock_step, OPEN_LOOP: _open_loop, FLOOD: _flood, SENDS: _sends}


def _runtime(ends: tuple[Peer, Peer]) -> dict[str, float]:
    """Ask the runtimes of both processes about their whole life, this block: the cycles of both, the longer times."""
    if not all(peer.can("features", "runtime") for peer in ends):
        return {}
    told = [peer.client.call("runtime") for peer in ends]
    return {
        to.CYCLES: sum(float(one["gc_cycles"]) for one in told),
        to.PAUSE_P50: max(one["gc_pause_ns"]["p50"] for one in told) / 1000,
        to.PAUSE: max(one["gc_pause_ns"]["p99"] for one in told) / 1000,
        to.WAIT: max(one["sched_ns"]["p99"] for one in told) / 1000,
    }
