"""A ROUTER against many clients at once: thin; what the figures mean stands in `harness.measure.curve`.

The server is the workload `echo` of one peer, the clients are the workload `callers` of another one. Every step has
a socket of its own in processes that stay, so that a server's memory can be seen to grow with its clients.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psutil

from harness.errors import CallFailed, ContractBreach, Unsupported
from harness.measure.curve import Step
from harness.peers.sockets import Link, OptionValue, Peer, RemoteSocket

SIZE: Final = 64
"""Bytes of a request."""

PATIENT: Final = 2000
"""Clients for each of which a request may take once more as long as a message: they wait for one another."""

MORE: Final = 60.0
"""Seconds that a step may take beyond what it was planned for: the connecting, and a slow machine."""

SPARE: Final = 256
"""Descriptors that a process needs for everything but its connections."""

TUNED: Final[Mapping[str, OptionValue]] = {
    "SNDHWM": 10_000,
    "RCVHWM": 10_000,
    "LINGER": 0,
    "TCP_KEEPALIVE": 1,
    "IPV6": 0,
}
"""The options of a tuned server's socket; and of its context:"""

TUNED_CONTEXT: Final[Mapping[str, int]] = {"IO_THREADS": 4}

ASKS: Final = 10
"""How often each client asks where the growth of the cost is measured: ten clients cost some ms then."""

CROWD: Final = 2000
"""More clients than these ask three times only, which costs their server seconds."""

_LOOK: Final = 0.1  # s between two looks at a process's memory


def descriptors(library: str, clients: int) -> int:
    """Return how many descriptors a process with so many clients needs; `library` as its hello says it.

    A connection takes one; each socket of libzmq has a mailbox beside it, which is another.
    """
    return clients * (2 if library.startswith("libzmq") else 1) + SPARE


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a server's library lets be tuned."""

    options: Mapping[str, OptionValue]
    context: Mapping[str, int]

    @property
    def applied(self) -> str:
        """The options in words."""
        both: dict[str, Any] = {**self.options, **self.context}
        return (
            ", ".join(f"{name}={value}" for name, value in both.items())
            or "nothing, for the library has none of the options"
        )


DEFAULT: Final = Tuning({}, {})


def tuning(server: Peer) -> Tuning:
    """Return the article's tuning, as far as the library of the server has it."""
    options = {name: value for name, value in TUNED.items() if server.can("options", name)}
    return Tuning(options, TUNED_CONTEXT if server.can("features", "tune") else {})


class Bench:
    """A server and its clients, each a process of its own that `may` open so many descriptors.

    `kind` is the clients' socket type; `tuned` holds for the server.
    """

    def __init__(
        self, server: Peer, clients: Peer, link: Link, may: int, *, kind: str = "DEALER", tuned: Tuning = DEFAULT
    ) -> None:
        self._may = may
        self._server = server
        self._clients = clients
        self._link = link
        self._kind = kind
        self._tuned = tuned
        self._turn = 0
        clients.need("features", "callers")
        clients.need("socket_types", kind)
        server.need("socket_types", "ROUTER")
        server.need("workloads", "echo")
        self._gauges = [Gauge(peer.client.pid) for peer in (server, clients)]

    def check(self, clients: int) -> None:
        """Raise Unsupported if so many clients need more descriptors than a process may open."""
        needed = descriptors(self._clients.library, clients)  # the server needs no more
        if needed > self._may:
            raise Unsupported(f"{clients:,} clients need {needed:,} descriptors, the hard limit is {self._may:,}")

    def step(self, clients: int, count: int, *, seconds: float = 1.0, look: bool = False) -> Step:
        """Let so many clients ask `count` times each, for about so many seconds. With `look` memory is watched.

        A client that the server leaves alone is an error in the result; a PeerFault is raised for anything worse, and
        Unsupported as by `check`.
        """
        self.check(clients)
        router = self._router()
        request_ms = self._clients.wait_ms * math.ceil(clients / PATIENT)
        whole_ms = 3 * request_ms + 1000 * (MORE + 10 * seconds)
        echoing = router.work("echo", count=clients * (count + 1), timeout=whole_ms)
        params = {
            "type": self._kind,
            "endpoint": self._clients.tap.towards(router.endpoint, self._clients.implementation),
            "clients": clients,
            "count": count,
            "size": SIZE,
            "timeout": request_ms,
        }
        server_gauge, client_gauge = self._gauges
        with server_gauge.running(look=look), client_gauge.running(look=look):
            result = self._clients.client.call("callers", params, wait=whole_ms / 1000)
        errors = {str(name): int(times) for name, times in result["errors"].items()}
        if not errors:
            echoing.result()
        with contextlib.suppress(CallFailed):  # how a server leaves its clients is looked at elsewhere
            router.close()  # which ends the echo of what never came
            echoing.result()
        if result["ns"] <= 0:
            raise ContractBreach(f"{self._clients.implementation}: callers: ns is {result['ns']}")
        return Step(
            clients,
            result["ns"] / 1e9,
            int(result["answered"]),
            errors,
            str(result["hdr"]),
            server_gauge.seconds,
            client_gauge.seconds,
            server_gauge.grown,
            client_gauge.grown,
        )

    def _router(self) -> RemoteSocket:
        """Bind the server, on a context of its own that is tuned first."""
        if not self._tuned.context:
            return self._link.bind(self._server, "ROUTER", self._tuned.options)
        self._turn += 1
        context = f"load {self._turn}"
        self._server.client.call("tune", {"context": context, "options": dict(self._tuned.context)})
        self._server.need("transports", self._link.transport.capability)
        return self._server.socket(
            "ROUTER", bind=self._link.transport.wildcard, context=context, options=self._tuned.options
        )


class Gauge:
    """What a process uses: seconds of processor time, and bytes of memory above what it had at first."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._first: int | None = None
        self.seconds = 0.0
        self.grown: int | None = None

    @contextlib.contextmanager
    def running(self, *, look: bool) -> Iterator[None]:
        """Measure what happens meanwhile; memory only with `look`."""
        self.grown = None
        before = self._processor()
        done = threading.Event()
        watching = threading.Thread(target=self._watch, args=(done,), daemon=True)
        if look:
            self._first = self._first or self._memory()
            watching.start()
        try:
            yield
        finally:
            done.set()
            if look:
                watching.join()
        self.seconds = self._processor() - before

    def _watch(self, done: threading.Event) -> None:
        assert self._first is not None
        last = False
        with contextlib.suppress(psutil.NoSuchProcess):
            while not last:
                last = done.wait(_LOOK)
                self.grown = max(self.grown or 0, self._memory() - self._first)

    def _memory(self) -> int:
        return int(self._process.memory_full_info().uss)

    def _processor(self) -> float:
        with contextlib.suppress(psutil.NoSuchProcess, OSError):  # a process's end is told elsewhere
            if sys.platform == "linux":
                # What clock_getcpuclockid(3) makes of a process id: to the ns, where /proc counts in ticks of 10 ms.
                return time.clock_gettime(~self._process.pid << 3 | 2)
            times = self._process.cpu_times()
            return float(times.user + times.system)
        return 0.0


def count_for(seconds: float, rate: float, clients: int) -> int:
    """Return how often each client asks so that a step takes about so many seconds; at least twice."""
    return max(2, round(seconds * rate / clients))


def rounds(
    bench: Bench, clients: Sequence[int], seconds: float, times: int, *, look: bool = False
) -> Iterator[tuple[int, Step]]:
    """Yield (round, step), every number of clients in every round, up and down in turn; each takes about `seconds`.

    The first step, which is not told, warms up and says how fast the server is.
    """
    warming = bench.step(min(clients), 20)
    rates = dict.fromkeys(clients, warming.rate)
    order = sorted(clients)
    for number in range(times):
        for index, many in enumerate(order):
            step = bench.step(many, count_for(seconds, rates[many], many), seconds=seconds, look=look)
            rates[many] = step.rate or rates[many]
            if number == 0 and index + 1 < len(order):
                rates[order[index + 1]] = rates[many]
            yield number, step
        order.reverse()


def costs(bench: Bench, clients: Sequence[int], times: int) -> Iterator[tuple[int, Step]]:
    """Yield (round, step) like `rounds`, each client asking equally often, for the growth of the cost."""
    asks = ASKS if max(clients) <= CROWD else 3
    bench.step(min(clients), asks)
    order = sorted(clients)
    for number in range(times):
        for many in order:
            yield number, bench.step(many, asks, seconds=many / 500)
        order.reverse()
