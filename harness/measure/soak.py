"""The soak: hours of mixed traffic over all pairs, peers that are restarted now and then, and what grew meanwhile.

Every turn two processes open sockets of some pattern, pass a burst of messages and close; every so often one of them is
killed in the middle of it. The left processes live as long as they can and are the ones that are judged; the right ones
are killed in turn. What a call gets wrong is only counted: whether it may go wrong is for the checks to say.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, product
from pathlib import Path
from typing import Any, Final

from harness.errors import CallFailed, PeerFault, Unsupported
from harness.measure import leaks
from harness.measure.leaks import Finding
from harness.measure.probe import Probe
from harness.model.frames import Recipe
from harness.model.patterns import PATTERNS
from harness.peers.pool import Pool
from harness.peers.sockets import Link, RemoteSocket, until

FILE: Final = "soak.json"

_PATTERNS: Final = ("push-pull", "req-rep", "dealer-router", "pub-sub", "pair-pair")
_SIZES: Final = (0, 16, 1000, 65_536)
_BURST: Final = 8
_PATIENCE: Final = 2.0  # seconds that a message may take; one that is lost must not stop the soak for long
_RESTART_EVERY: Final = 25
"""Turns from one killed process to the next."""

_SAMPLES: Final = 500
"""Points of a curve, about: longer soaks are sampled less often."""

_SHORTEST, _LONGEST = 1.0, 7 * 86_400.0
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def duration(text: str) -> float:
    """Read a time such as `90s`, `10m` or `1h30m`; returns seconds. ValueError says what is wrong, in one line."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not _SHORTEST <= seconds <= _LONGEST:
        raise ValueError(f"--for {text}: must be a time from 1s to 7d, such as 90s, 10m or 1h30m")
    return seconds


@dataclass(slots=True)
class Series:
    """One counter of one process: points of (seconds since the start of the soak, value)."""

    peer: str
    counter: str
    points: list[tuple[float, int]] = field(default_factory=list)


@dataclass(slots=True)
class Soak:
    """What a soak found.

    `grew` is by process, and so is `unwatched`: why its counters say nothing. `errors` counts what calls got wrong, by
    pair and error.
    """

    asked: float
    seconds: float = 0.0
    turns: int = 0
    restarts: int = 0
    interrupted: bool = False
    judged: bool = False
    grew: dict[str, list[Finding]] = field(default_factory=dict)
    unwatched: dict[str, str] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    series: list[Series] = field(default_factory=list)

    def __str__(self) -> str:
        errors = f", {self.errors.total()} errors" if self.errors else ""
        return f"{self.seconds:.0f} of {self.asked:.0f} s: {self.turns} turns, {self.restarts} restarts{errors}"

    def summary(self) -> list[str]:
        """Say in lines what came of it."""
        lines = [f"interrupted after {self}" if self.interrupted else str(self)]
        lines += [f"  {count} × {what}" for what, count in self.errors.most_common(20)]
        lines += [f"{peer} is not judged: {why}" for peer, why in self.unwatched.items()]
        if not self.judged and self.unwatched:
            return lines
        if not self.judged:
            return [*lines, "too short to judge: the peers were not warm yet"]
        grown = [f"{peer}: {one}" for peer, found in self.grew.items() for one in found]
        return [*lines, *(grown or ["nothing grew"])]

    def to_json(self) -> dict[str, Any]:
        """Spell it as in `soak.json`."""
        return {
            "asked_seconds": self.asked,
            "seconds": round(self.seconds, 3),
            "turns": self.turns,
            "restarts": self.restarts,
            "interrupted": self.interrupted,
            "judged": self.judged,
            "grew": [
                {"peer": peer, "counter": one.counter, "per_cycle": one.per_cycle, "text": one.text}
                for peer, found in self.grew.items()
                for one in found
            ],
            "unwatched": self.unwatched,
            "errors": dict(self.errors.most_common()),
            "series": [
                {
                    "peer": one.peer,
                    "counter": one.counter,
                    "points": [[round(at, 3), value] for at, value in one.points],
                }
                for one in self.series
            ],
        }


def write(soak: Soak, folder: Path) -> Path:
    """File a soak; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_text(json.dumps(soak.to_json(), ensure_ascii=False) + "\n", encoding="utf-8")
    return file


class _Process:
    """A process of the soak: its peer, how many turns it had, and what it counted."""

    def __init__(self, pool: Pool, name: str, side: str, generation: int) -> None:
        self.name = name
        self.title = f"{name} {side}" + (f" {generation}" if generation > 1 else "")
        self.generation = generation
        self.side = side
        self.peer = pool.start(name)
        self.peer.client.patience = min(pool.patience, _PATIENCE)
        self.probe = Probe(self.peer)
        self.turns = 0
        self.warm_at = -1
        self._series: dict[str, Series] = {}

    def sample(self, at: float, into: list[Series]) -> None:
        """Take the counters down."""
        counters = self.probe.sample(self.turns - self.warm_at) if self.warm_at >= 0 else self.probe.read()
        for counter, value in counters.items():
            if counter not in self._series:
                self._series[counter] = Series(self.title, counter)
                into.append(self._series[counter])
            self._series[counter].points.append((at, value))

    def close(self) -> None:
        """Close what is open."""
        for closing in self.peer.start_closing():
            closing.result()


class Soaker:
    """Runs a soak. `told` is called after each turn with what there is so far."""

    def __init__(self, pool: Pool, seconds: float, told: Callable[[Soak], object] = lambda soak: None) -> None:
        self._pool = pool
        self.soak = Soak(seconds)
        self._told = told
        self._random = random.Random(4711)  # the same soak every time, as far as time allows
        self._started = time.perf_counter()
        self._processes: dict[tuple[str, str], _Process] = {}
        self._doomed = cycle(pool.manifests)

    def run(self) -> Soak:
        """Soak until the time is over, or Ctrl-C; then judge. The peers are ended in any case."""
        try:
            try:
                self._traffic()
            except KeyboardInterrupt:
                self.soak.interrupted = True
            self._judge()
        finally:
            self.soak.seconds = self._elapsed
            for process in self._processes.values():
                process.peer.client.kill()
        return self.soak

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._started

    def _traffic(self) -> None:
        for name, side in product(self._pool.manifests, ("left", "right")):
            self._processes[name, side] = _Process(self._pool, name, side, 1)
        kinds = list(product(_PATTERNS, self._pool.manifests, self._pool.manifests, (True, False)))
        interval = self.soak.asked / _SAMPLES
        due = 0.0
        while self._elapsed < self.soak.asked:
            if self.soak.turns % len(kinds) == 0:
                self._random.shuffle(kinds)
            if self.soak.turns == len(kinds):
                self._warm()
            self._turn(*kinds[self.soak.turns % len(kinds)])
            self.soak.turns += 1
            if self._elapsed >= due:
                due = self._elapsed + interval
                self._guarded("stats", self._sample)
            self.soak.seconds = self._elapsed
            self._told(self.soak)

    def _warm(self) -> None:
        """Every process has met every pattern and partner: from here on nothing should grow."""
        for process in list(self._processes.values()):
            if process.side == "left":
                self._guarded(f"warm {process.name}", partial(self._start_watching, process))

    def _start_watching(self, process: _Process) -> None:
        try:
            process.probe.warm()
        except Unsupported as why:
            self.soak.unwatched[process.title] = str(why)
        else:
            process.warm_at = process.turns

    def _turn(self, pattern: str, left: str, right: str, left_binds: bool) -> None:
        doomed = self.soak.turns % _RESTART_EVERY == _RESTART_EVERY - 1
        if doomed:
            right = next(self._doomed)
        ends = self._processes[left, "left"], self._processes[right, "right"]
        link = Link("tcp4", "left-binds" if left_binds else "right-binds")
        kind = PATTERNS[pattern]

        def talk() -> None:
            one, other = link.open((ends[0].peer, kind.left), (ends[1].peer, kind.right))
            _exchange(one, other, self._random.choice(_SIZES))

        self._guarded(f"{pattern} {left}>{right}", talk)
        if doomed:
            self._replace((right, "right"))
        for process in ends:
            process.turns += 1
            if not process.peer.client.ended:
                self._guarded(f"close {process.name}", process.close)

    def _sample(self) -> None:
        for process in self._processes.values():
            process.sample(self._elapsed, self.soak.series)

    def _guarded(self, what: str, action: Callable[[], object]) -> None:
        """Do something, count what goes wrong, and put another process in the place of one that is broken.

        That a peer lacks something is not wrong.
        """
        try:
            action()
        except Unsupported:
            pass
        except PeerFault as error:
            name = error.name or str(error.code) if isinstance(error, CallFailed) else type(error).__name__
            self.soak.errors[f"{what}: {name}"] += 1
        for other, process in list(self._processes.items()):
            if process.peer.client.broken is not None:
                self._replace(other)

    def _replace(self, key: tuple[str, str]) -> None:
        old = self._processes[key]
        old.peer.client.kill()
        self._processes[key] = _Process(self._pool, *key, old.generation + 1)
        self.soak.restarts += 1

    def _judge(self) -> None:
        """Judge the processes that lived from warming up until now."""
        for process in self._processes.values():
            cycles = process.turns - process.warm_at
            if process.warm_at < 0 or cycles < 1 or process.peer.client.broken:
                continue
            self.soak.judged = True
            process.close()
            if found := leaks.findings(process.probe.settle(cycles)):
                self.soak.grew[process.title] = found


def _exchange(left: RemoteSocket, right: RemoteSocket, size: int) -> None:
    """Pass a burst from left to right, and an answer back where the pattern lets it."""
    body = Recipe(size, 1)
    if right.type == "SUB":
        right.subscribe("")
        waiting = right.recv_later()
        for pause in until(left.peer.wait_ms):
            left.send("news", body)
            if waiting.done(pause):
                break
        waiting.messages()
        return
    turns = 1 if left.type == "REQ" else _BURST
    left.send_all([[f"{turn}", body] for turn in range(turns)])
    messages = right.recv_all(turns)
    if right.type != "PULL":
        right.send(*messages[-1][:-2], "answer")
        left.recv()
