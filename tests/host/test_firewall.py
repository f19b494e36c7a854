"""The firewall's rules, and the canary that proves each: what does not act is `unsupported`, never a verdict."""

from __future__ import annotations

import ctypes
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness import judge
from harness.errors import SetupFault, Unsupported
from harness.host import wfp, windows_firewall
from harness.host.firewall import Firewall, Wall, port_of
from harness.host.rules import Direction, Rule
from harness.judge import Crowd
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict
from harness.peers.pool import Pool
from harness.peers.sockets import Link
from harness.places.face import LOOPBACK, Family, Place
from harness.places.local import LocalPlace
from tests.interop import test_firewall as checks

SELF = Path(sys.executable)


@pytest.fixture
def wall() -> Iterator[Wall]:
    from harness.host import firewall

    try:
        made = firewall.wall()
        made.put([Rule("block", "in", (1,))])  # Wine has the calls and no service behind them
        made.put([])
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    yield made
    made.close()


class Toothless:
    """A wall whose rules are taken and do nothing, as those of the Windows firewall on loopback."""

    def __init__(self) -> None:
        self.place: Place = LocalPlace()
        self.rules: list[Rule] = []

    def put(self, rules: Sequence[Rule]) -> None:
        self.rules = [*rules]

    def socket(self, family: Family) -> socket.socket:
        return socket.socket(socket.AF_INET)

    def close(self) -> None:
        pass


class ForCanariesOnly:
    """A wall that blocks the canary and nobody else: the last port of each rule."""

    def __init__(self, real: Wall) -> None:
        self._real = real

    @property
    def place(self) -> Place:
        return self._real.place

    def put(self, rules: Sequence[Rule]) -> None:
        self._real.put([Rule(one.action, one.direction, one.ports[-1:]) for one in rules])

    def socket(self, family: Family) -> socket.socket:
        return self._real.socket(family)

    def close(self) -> None:
        pass


class Listener:
    """A listener behind a wall, and whether it can be reached."""

    def __init__(self, wall: Wall, family: Family = "tcp4") -> None:
        self._wall, self._family = wall, family
        self.socket = wall.socket(family)
        self.socket.bind((LOOPBACK[family], 0))
        self.socket.listen()
        self.port = int(self.socket.getsockname()[1])

    def reached(self) -> bool:
        with self._wall.socket(self._family) as client:
            client.settimeout(0.25)
            return client.connect_ex(self.socket.getsockname()) == 0


@pytest.fixture
def listeners(wall: Wall) -> Iterator[tuple[Listener, Listener]]:
    both = Listener(wall), Listener(wall)
    yield both
    for one in both:
        one.socket.close()


def test_a_block_by_endpoint_bites_over_ipv6_too(wall: Wall) -> None:
    listener = Listener(wall, "tcp6")
    with listener.socket:
        with Firewall(lambda: wall).block(f"tcp://[::1]:{listener.port}"):
            assert not listener.reached()
        assert listener.reached()


def test_a_block_bites_its_port_alone_and_ends(wall: Wall, listeners: tuple[Listener, Listener]) -> None:
    one, other = listeners
    with Firewall(lambda: wall).block(one.port):
        assert (one.reached(), other.reached()) == (False, True)
    assert one.reached()


def test_what_is_allowed_is_reached_while_everything_else_is_blocked(
    wall: Wall, listeners: tuple[Listener, Listener]
) -> None:
    one, other = listeners
    firewall = Firewall(lambda: wall)
    with firewall.block(), firewall.allow(one.port):
        assert (one.reached(), other.reached()) == (True, False)
    assert other.reached()


def test_a_block_of_one_direction_keeps_new_connections_out(wall: Wall, listeners: tuple[Listener, Listener]) -> None:
    direction: Direction
    for direction in ("in", "out"):
        with Firewall(lambda: wall).block(listeners[0].port, direction=direction):
            assert not listeners[0].reached()
        assert listeners[0].reached()


def test_a_rule_that_does_not_act_is_unsupported() -> None:
    wall = Toothless()
    with (
        pytest.raises(Unsupported, match="does not act on loopback here: a new connection went through"),
        Firewall(lambda: wall).block(5555),
    ):
        pytest.fail("a verdict rested on a rule that does nothing")
    assert wall.rules == [], "the rule is taken back"


def test_a_block_that_misses_the_peers_fails_the_check(wall: Wall, pool: Pool) -> None:
    """The planted fault of the firewall itself: the canary is silent, and the peers go on talking."""
    faulty = Firewall(lambda: ForCanariesOnly(wall))
    for check, name in (
        (checks.test_a_block_in_mid_stream_delays_and_loses_nothing, "blocked-mid-stream"),
        (checks.test_a_block_of_one_direction_loses_nothing_in_either, "blocked-one-way"),
    ):
        cell = Cell.parse(f"pair-pair/tcp4/pyzmq>pyzmq/right-binds/{name}")
        outcome = judge.attempt(cell, pool, check, {"firewall": faulty})
        assert (outcome.verdict, "came through the block" in outcome.reason) == (Verdict.FAIL, True), outcome


def test_a_cell_without_a_firewall_is_unsupported_with_the_reason(pool: Pool) -> None:
    def check(peers: Crowd, link: Link, firewall: Firewall) -> None:
        peers.fresh("left", firewall.place)

    def refuse() -> Wall:
        raise Unsupported("not elevated")

    cell = Cell.parse("pair-pair/tcp4/pyzmq>pyzmq/right-binds/blocked-mid-stream")
    outcome = judge.attempt(cell, pool, check, {"firewall": Firewall(refuse)})
    assert (outcome.verdict, outcome.reason) == (Verdict.UNSUPPORTED, "not elevated")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Rule("deny"), "action 'deny': there are allow, block"),  # type: ignore[arg-type]
        (lambda: Rule("block", "up", (1,)), "direction 'up': there are in, out, both"),  # type: ignore[arg-type]
        (lambda: Rule("block", profile="home"), "profile 'home': there are any, domain"),  # type: ignore[arg-type]
        (lambda: Rule("block", ports=(0,)), "no port 0: 1 to 65535"),
        (lambda: Rule("block", "in"), "one direction alone needs a port or a program"),
        (lambda: Rule("block", program=Path("/no/such")), "no program"),
        (lambda: port_of("ipc:///tmp/x"), "has no TCP port"),
        (lambda: port_of("tcp://127.0.0.1:*"), "has no TCP port"),
    ],
)
def test_what_no_firewall_understands_is_one_line(make: type, says: str) -> None:
    with pytest.raises(SetupFault, match=says):
        make()


@pytest.mark.skipif(sys.platform != "linux", reason="unsupported: nftables is Linux's")
def test_rules_of_nftables_are_put_as_a_whole_and_permissions_come_first() -> None:
    from harness.host.linux_firewall import ruleset

    told = ruleset([Rule("block"), Rule("block", "in", (7, 8)), Rule("allow", ports=(9,)), Rule("block", "out", (5,))])
    assert [line.partition("coming ")[2] for line in told.splitlines() if "rule" in line] == [
        "tcp dport { 9 } accept",
        "tcp sport { 9 } accept",
        "meta l4proto tcp drop",
        "tcp dport { 7, 8 } drop",
        "tcp sport { 5 } drop",
    ]
    assert told.splitlines()[1] == "delete table inet zi", "the rules before are gone"
    with pytest.raises(Unsupported, match="neither programs nor profiles"):
        ruleset([Rule("block", program=SELF)])


def test_a_rule_of_the_windows_firewall_says_what_is_meant() -> None:
    rule = Rule("allow", "in", (5555, 5556), SELF, "private")
    told = windows_firewall.settings(rule, "in")
    assert {name: told[name] for name in ("Protocol", "LocalPorts", "Direction", "Action", "Profiles")} == {
        "Protocol": 6,
        "LocalPorts": "5555,5556",
        "Direction": 1,
        "Action": 1,
        "Profiles": 2,
    }
    assert list(told).index("Protocol") < list(told).index("LocalPorts")
    assert told["ApplicationName"] == str(SELF)


def test_a_windows_block_of_a_port_drops_packets_and_of_a_program_connections() -> None:
    assert [*wfp.layers(Rule("block", "in", (1,)))] == [*wfp.LAYERS["inbound transport"]]
    assert len([*wfp.layers(Rule("block", ports=(1,)))]) == 4
    assert [*wfp.layers(Rule("block", "out", program=SELF))] == [*wfp.LAYERS["connect"]]


def test_the_conditions_of_a_windows_block_are_tcp_and_its_ports() -> None:
    found = wfp.conditions(Rule("block", ports=(5555, 5556)))
    assert [bytes(one.fieldKey.data) for one in found] == [
        bytes(wfp.Guid.of(key).data) for key in (wfp.PROTOCOL, wfp.LOCAL_PORT, wfp.LOCAL_PORT)
    ]
    assert [one.conditionValue.data.uint64 for one in found] == [6, 5555, 5556]


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="unsupported: sizes are those of 64 bits")
def test_structures_of_the_filtering_platform_have_the_sizes_of_its_headers() -> None:
    # Seen with x86_64-w64-mingw32-gcc and the headers that come with it.
    assert {kind.__name__: ctypes.sizeof(kind) for kind in SIZES} == {
        kind.__name__: size for kind, size in SIZES.items()
    }


SIZES: dict[type[ctypes.Structure], int] = {
    wfp.Session0: 72,
    wfp.SubLayer0: 72,
    wfp.Value0: 16,
    wfp.Condition0: 40,
    wfp.Action0: 20,
    wfp.Filter0: 200,
}
