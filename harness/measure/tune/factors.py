"""What the tuning study changes, one factor at a time and together: a table. Pure.

A factor has two sides. Both are measured in the same minutes; whatever the `changed` side does not name is as on the
`default` side. A side is a `Setting`: data that `rig.py` carries out. Only what is asked for by name (`ON_REQUEST`)
changes more than the processes that the study itself starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SAME: Final = "same core"
NEIGHBOURS: Final = "neighbours"
APART: Final = "apart"
ANYWHERE: Final = "unpinned"
"""Where the two processes run: both on the last core, on the last two, on the first and the last, or anywhere. One
core is the only stable place on a small machine; whatever makes use of several cores is measured unpinned."""

CORES_NEEDED: Final = {ANYWHERE: 1, SAME: 1, NEIGHBOURS: 2, APART: 3}
"""Cores below which a place is the same as another one."""

HIGH: Final = "high"

SOCKETS: Final = 1
RUNTIME: Final = 2
HOST: Final = 3
STEPS: Final = {SOCKETS: "sockets", RUNTIME: "Go runtime", HOST: "host"}

LOCK_STEP: Final = "lock-step"
OPEN_LOOP: Final = "open loop"
FLOOD: Final = "flood"
SENDS: Final = "sends"
"""Probes. `SENDS` is the only one that names the library's path for a send: throughput by many calls of it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Work of the process that answers or receives, beside its sockets (feature `beside` of the contract)."""

    how: str
    threads: int = 1
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """One side of a factor. `path` counts the library's `send_paths`; `pairs` of sockets work at the same time."""

    options: Mapping[str, int] = field(default_factory=dict)
    context: Mapping[str, int] = field(default_factory=dict)
    shared: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    beside: Beside | None = None
    path: int = 0
    pairs: int = 1
    cores: str = SAME
    priority: str = ""
    sharp: bool = False  # timers that come in time
    machine: str = ""  # a setting of the whole machine, while this side is measured


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that is changed. `language` limits it to peers of one; `partial`: options that a library lacks are
    left out instead of ruling it out; `needs` are features of the peer beyond those that the settings show."""

    name: str
    step: int
    what: str
    default: Setting
    changed: Setting
    language: str = ""
    partial: bool = False
    needs: tuple[str, ...] = ()
    probes: tuple[str, ...] = (LOCK_STEP, OPEN_LOOP, FLOOD)


def _marks(count: int) -> dict[str, int]:
    return {"SNDHWM": count, "RCVHWM": count}


_ALIVE: Final = {"TCP_KEEPALIVE": 1, "TCP_KEEPALIVE_IDLE": 60}
_ADVISED: Final = {**_marks(1000), "LINGER": 0, **_ALIVE, "IPV6": 0, "IMMEDIATE": 1}
_LEISURELY: Final = {"GOGC": "400", "GOMEMLIMIT": "256MiB"}
_ALLOCATE: Final = Beside("allocate", bytes=65536)
_REUSE: Final = Beside("reuse", bytes=65536)
_FREE: Final = Setting(cores=ANYWHERE)

PLACEBO: Final = "nothing"

PLACEBOS: Final = {
    place: Factor(f"{PLACEBO}, {place}", 0, f"nothing at all, {place}: what this machine can tell", setting, setting)
    for place, setting in ((SAME, Setting()), (ANYWHERE, _FREE))
}
"""Default against default: an effect counts only if it is larger than what these show."""

HWM: Final = "HWM 10,000"
ADVISED_QUEUES: Final = "HWM 1,000, linger 0"
CONTEXT: Final = "one context"
IPV6: Final = "IPv6 off"
REUSE: Final = "reuse"
SPIN: Final = "busy loop"
NO_COLLECTOR: Final = "GC off"
ONE_CORE: Final = "same core"
ALL_SOCKETS: Final = "all of step 1"
ALL_RUNTIME: Final = "all of step 2"
ALL_HOST: Final = "all of step 3"
EVERYTHING: Final = "all steps"

FACTORS: Final = (
    Factor(HWM, SOCKETS, "high-water marks 10,000 instead of 1,000", Setting(_marks(1000)), Setting(_marks(10_000))),
    Factor(
        ADVISED_QUEUES,
        SOCKETS,
        "marks 1,000 and linger 0 instead of marks 10,000 and linger without end",
        Setting({**_marks(10_000), "LINGER": -1}),
        Setting({**_marks(1000), "LINGER": 0}),
    ),
    Factor("linger 0", SOCKETS, "linger 0 instead of without end", Setting({"LINGER": -1}), Setting({"LINGER": 0})),
    Factor("keep-alive", SOCKETS, "TCP keep-alive after 60 s instead of none", Setting(), Setting(_ALIVE)),
    Factor(IPV6, SOCKETS, "IPv6 off instead of on, over 127.0.0.1", Setting({"IPV6": 1}), Setting({"IPV6": 0})),
    Factor(
        "immediate",
        SOCKETS,
        "only completed connections take messages",
        Setting({"IMMEDIATE": 0}),
        Setting({"IMMEDIATE": 1}),
    ),
    Factor(
        "2 I/O threads",
        SOCKETS,
        "two I/O threads instead of one, with four pairs of sockets, unpinned",
        Setting(context={"IO_THREADS": 1}, shared=True, pairs=4, cores=ANYWHERE),
        Setting(context={"IO_THREADS": 2}, shared=True, pairs=4, cores=ANYWHERE),
    ),
    Factor(
        CONTEXT,
        SOCKETS,
        "one context for four sockets instead of one for each, unpinned",
        Setting(pairs=4, cores=ANYWHERE),
        Setting(shared=True, pairs=4, cores=ANYWHERE),
        needs=("tune",),  # a library without contexts has nothing to share
    ),
    Factor(
        "send path",
        SOCKETS,
        "the library's other way to send a message, with two frames",
        Setting(),
        Setting(path=1),
        probes=(SENDS,),
    ),
    Factor(ALL_SOCKETS, SOCKETS, "what step 1 advises, together", Setting({"LINGER": -1}), Setting(_ADVISED)),
    Factor(
        "GOMAXPROCS=1",
        RUNTIME,
        "one processor for goroutines instead of all",
        _FREE,
        Setting(env={"GOMAXPROCS": "1"}, cores=ANYWHERE),
        "go",
    ),
    Factor(
        "GOGC=400",
        RUNTIME,
        "a heap five times what lives, not twice",
        _FREE,
        Setting(env={"GOGC": "400"}, cores=ANYWHERE),
        "go",
    ),
    Factor(
        NO_COLLECTOR,
        RUNTIME,
        "no collection below GOMEMLIMIT=256MiB (GOGC=off)",
        _FREE,
        Setting(env={"GOGC": "off", "GOMEMLIMIT": "256MiB"}, cores=ANYWHERE),
        "go",
    ),
    Factor(
        REUSE,
        RUNTIME,
        "beside the socket 64 KiB buffers from a sync.Pool instead of new ones",
        Setting(beside=_ALLOCATE, cores=ANYWHERE),
        Setting(beside=_REUSE, cores=ANYWHERE),
        "go",
    ),
    Factor(
        SPIN,
        RUNTIME,
        "a busy loop without calls beside the socket",
        _FREE,
        Setting(beside=Beside("spin"), cores=ANYWHERE),
        "go",
    ),
    Factor(
        ALL_RUNTIME,
        RUNTIME,
        "beside the socket a pool instead of allocation, GOGC=400, GOMEMLIMIT=256MiB",
        Setting(beside=_ALLOCATE, cores=ANYWHERE),
        Setting(env=_LEISURELY, beside=_REUSE, cores=ANYWHERE),
        "go",
    ),
    Factor(ONE_CORE, HOST, "both processes on one core", _FREE, Setting()),
    Factor(NEIGHBOURS, HOST, "the processes on two neighbouring cores", _FREE, Setting(cores=NEIGHBOURS)),
    Factor(APART, HOST, "the processes on the first and the last core", _FREE, Setting(cores=APART)),
    Factor("high priority", HOST, "a high priority class", _FREE, Setting(cores=ANYWHERE, priority=HIGH)),
    Factor(
        "timer slack 1 ns",
        HOST,
        "timers that come at most 1 ns late instead of 50 µs",
        _FREE,
        Setting(cores=ANYWHERE, sharp=True),
    ),
    Factor(ALL_HOST, HOST, "one core and a high priority class", _FREE, Setting(priority=HIGH)),
    Factor(
        EVERYTHING,
        0,
        "what all three steps advise, together, as far as the library has it",
        Setting({"LINGER": -1}, beside=_ALLOCATE, cores=ANYWHERE),
        Setting(_ADVISED, env=_LEISURELY, beside=_REUSE, priority=HIGH),
        "go",
        partial=True,
    ),
)


ON_REQUEST: Final = {
    "power-plan": Factor(
        "power plan",
        HOST,
        "the machine's plan for performance instead of its own",
        _FREE,
        Setting(cores=ANYWHERE, machine="power-plan"),
    ),
    "priority-separation": Factor(
        "priority separation",
        HOST,
        "Win32PrioritySeparation 26 instead of the machine's own",
        _FREE,
        Setting(cores=ANYWHERE, machine="priority-separation"),
    ),
}
"""Factors that change a setting of the whole machine, by the names of `harness.host.settings`."""


def select(step: str, changes: Sequence[str] = ()) -> list[Factor]:
    """Return the factors of a step ("1", "2", "3") or of "all", and those that change the machine, which are asked for.

    ValueError for anything else.
    """
    for name in changes:
        if name not in ON_REQUEST:
            raise ValueError(f"--change {name}: must be {' or '.join(ON_REQUEST)}")
    if step != "all" and step not in map(str, STEPS):
        raise ValueError(f"--step {step}: must be 1, 2, 3 or all")
    asked = [ON_REQUEST[name] for name in dict.fromkeys(changes)]
    return [*(factor for factor in FACTORS if step == "all" or factor.step == int(step)), *asked]


def placebo(factor: Factor) -> str:
    """Return the place whose placebo an effect of this factor must outdo: the more restless of its two sides'."""
    return SAME if factor.default.cores == factor.changed.cores == SAME else ANYWHERE


def with_placebos(factors: Sequence[Factor]) -> list[Factor]:
    """Put the placebos that these factors need in front of them."""
    places = {placebo(factor) for factor in factors}
    return [*(row for place, row in PLACEBOS.items() if place in places), *factors]


def lacks(factor: Factor, capabilities: Mapping[str, Sequence[str]], language: str, cores: int) -> str:
    """Say what a peer or this machine lacks for a factor; "" if nothing."""
    if factor.language and factor.language != language:
        return f"for peers in {factor.language} only"
    both = (factor.default, factor.changed)
    wanted = [("features", name) for name in factor.needs]
    for setting in both:
        wanted += [("options", name) for name in setting.options if not factor.partial]
        wanted += [("features", "tune")] * bool(setting.context) + [("features", "beside")] * bool(setting.beside)
    for kind, name in wanted:
        if name not in capabilities.get(kind, ()):
            return f"the library has no {kind.removesuffix('s')} {name}"
    if len(capabilities.get("send_paths", ())) <= max(setting.path for setting in both):
        return "the library has one way to send"
    if (fewest := max(CORES_NEEDED[setting.cores] for setting in both)) > cores:
        return f"needs {fewest} cores, there are {cores}"
    return ""
