"""Leak probes, thin: read a peer's counters, wait until they are back, and say what it holds where they are not."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from harness.errors import CallFailed, PeerFault, Unsupported
from harness.measure import leaks
from harness.measure.leaks import Counters, Course, Finding
from harness.model.figures import Figures
from harness.model.patterns import TRANSPORTS
from harness.peers.sockets import Peer, until

_STILL_MS: Final = 40.0
"""ms without a change after which counters count as settled, where nobody knows where they should be."""

_TRIED: Final = "PULL"
_DOOR: Final = TRANSPORTS["tcp4"]
"""What is opened to see the counters move: any socket that listens has a handle of its own in every library."""

_SAMPLED: Final = 2
"""Cycles from one look at the counters to the next: a peer collects its garbage first, which takes its time."""

_DUMP_S: Final = 20.0
"""Seconds that a dump may take: hundreds of stacks and handles on a busy machine."""

_SHOWN: Final = 16_384
"""Characters of a dump that are filed; the stacks of one leak repeat themselves."""


class Leak(PeerFault):
    """A peer's counters did not come back. `evidence` holds its stacks and open handles, by title."""


class Probe:
    """Watches one peer's counters while it does the same thing again and again; all that it counts, but `ignored`."""

    def __init__(self, peer: Peer, ignored: Collection[str] = ()) -> None:
        self.peer = peer
        self._ignored = ignored
        self._warm: Counters = {}
        self._samples: list[tuple[float, Counters]] = []

    def read(self) -> Counters:
        """Ask for the counters."""
        found = self.peer.client.call("stats", {"collect": True})
        return {name: value for name, value in found.items() if isinstance(value, int) and name not in self._ignored}

    def prove(self) -> None:
        """Open something that the counters must notice, and close it; `Unsupported` unless they do.

        A counter that stands still whatever is open would find every peer clean. One that falls, while what was closed
        goes, may hide what is opened: so it is tried again, for as long as a message may take.
        """
        self.peer.need("socket_types", _TRIED)
        self.peer.need("transports", _DOOR.capability)
        before = self.read()
        stuck = [leaks.REQUIRED]
        for pause in until(self.peer.wait_ms):
            opened = self.peer.socket(_TRIED, bind=_DOOR.wildcard)
            stuck = leaks.stuck(before, self.read())
            opened.close()
            if not stuck or leaks.REQUIRED not in before:
                break
            time.sleep(pause)
            before = self.read()
        if stuck:
            raise Unsupported(
                f"{self.peer.implementation} {self.peer.version} cannot be watched: {_names(stuck, before)} while a "
                f"{_TRIED} bound to {_DOOR.wildcard} was open"
            )

    def warm(self) -> None:
        """Take what is counted now for what is to come back, as soon as it stands still; `Unsupported` if it cannot."""
        self.prove()
        self._warm = self.read()
        since = time.perf_counter()
        for pause in until(self.peer.wait_ms):
            time.sleep(pause)
            now = self.read()
            if any(now.get(name) != self._warm.get(name) for name in leaks.EXACT):
                since = time.perf_counter()
            self._warm = now
            if time.perf_counter() - since > _STILL_MS / 1000:
                return

    def sample(self, at: float) -> Counters:
        """Note the counters after so many cycles; returns them."""
        self._samples.append((at, self.read()))
        return self._samples[-1][1]

    def settle(self, cycles: int, wait_ms: float | None = None) -> Course:
        """Wait until the counters are back, for `wait_ms` or as long as a message may take; return the whole course."""
        now = self.read()
        for pause in until(self.peer.wait_ms if wait_ms is None else wait_ms):
            if leaks.back(self._warm, now):
                break
            time.sleep(pause)
            now = self.read()
        return Course(self._warm, now, cycles, tuple(self._samples))

    def evidence(self) -> dict[str, str]:
        """Return what the peer holds: its stacks and its open handles."""
        if not self.peer.can("features", "dump"):
            return {}
        try:
            dump = self.peer.client.call("dump", wait=_DUMP_S)
        except CallFailed as error:
            return {f"dump of {self.peer.implementation}": str(error)}
        held = {"stacks": str(dump["text"]), "open handles": "\n".join(map(str, dump.get("handles", ())))}
        return {f"{what} of {self.peer.implementation}": _cut(text) for what, text in held.items() if text}


def _names(stuck: Collection[str], before: Counters) -> str:
    """Say which counters are not there, and which stood still."""
    absent = [f"it counts no {name}" for name in stuck if name not in before]
    return "; ".join(absent or [f"its {name} stayed at {before[name]}" for name in stuck])


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n… and {len(text) - _SHOWN} characters more"


class Watch:
    """Watches several peers, each under the name of its role, while they do something together again and again.

    `figures` takes how much each counter grew a cycle, and each process's whole course. `ignored` counters are not
    judged.
    """

    def __init__(self, figures: Figures, peers: Mapping[str, Peer], ignored: Collection[str] = ()) -> None:
        self._probes = {name: Probe(peer, ignored) for name, peer in peers.items()}
        self._figures = figures

    def findings(
        self,
        cycle: Callable[[int], object],
        *,
        warm_up: int = 5,
        cycles: int = leaks.CYCLES,
        settle_ms: float | None = None,
    ) -> dict[str, list[Finding]]:
        """Do `cycle` that often, after warming up; returns what leaked in each peer.

        `settle_ms` is the time that the counters have to come back (default: as long as a message may take).
        """
        for number in range(warm_up):
            cycle(number)
        for probe in self._probes.values():
            probe.warm()
        for number in range(cycles):
            cycle(warm_up + number)
            if number % _SAMPLED == 0:
                for probe in self._probes.values():
                    probe.sample(number + 1)
        found = {}
        for name, probe in self._probes.items():
            course = probe.settle(cycles, settle_ms)
            self._figures.courses[name] = leaks.told(course)
            self._figures |= {f"{name}_{what}": value for what, value in leaks.figures(course).items()}
            found[name] = leaks.findings(course)
        return found

    def refuse_leaks(self, cycle: Callable[[int], object], *, warm_up: int = 5, cycles: int = leaks.CYCLES) -> None:
        """Do `cycle` that often, after warming up; raises `Leak` unless every peer comes back."""
        found = {name: grown for name, grown in self.findings(cycle, warm_up=warm_up, cycles=cycles).items() if grown}
        if not found:
            return
        leak = Leak(
            "; ".join(
                f"{self._probes[name].peer.implementation} ({name}) leaks: {', '.join(map(str, grown))}"
                for name, grown in found.items()
            )
        )
        leak.evidence = {
            f"{title}, {name}": text for name in found for title, text in self._probes[name].evidence().items()
        }
        raise leak
