"""Firewall rules for a test, and the canary that proves each of them before a verdict may rest on it.

A rule names the ports of listeners, as seen from them: `in` is what goes to such a port, `out` what comes from it. A
block drops packets without a word to either side, of new connections and of standing ones. The canary is a listener of
the test's own whose port stands in the very same rule; a connection to it is made before the rule, and must fall
silent with it. If it does not, the rule proves nothing and the verdict is `unsupported`. What carries the rules out
is a *wall*; there is one for Linux and one for Windows.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from harness.errors import SetupFault, Unsupported
from harness.host.rules import LAG, Action, Direction, Profile, Rule
from harness.places.face import LOOPBACK, Family, Place
from harness.places.routes import split

SILENCE: Final = 0.25
"""Seconds that a canary hears nothing before it counts as silent; over loopback a byte takes microseconds."""

_PAUSE: Final = 0.02


class Wall(Protocol):
    """What carries rules out. `place` is where peers must run to stand behind it."""

    @property
    def place(self) -> Place: ...  # noqa: D102

    def put(self, rules: Sequence[Rule]) -> None:
        """Let exactly these rules be in force; Unsupported for a kind of rule that there is none of here."""

    def socket(self, family: Family) -> socket.socket:
        """Return a TCP socket behind the wall."""

    def close(self) -> None:
        """Take every rule back, and remove what was made for them."""


class Firewall:
    """The fixture `firewall`. Nothing is made before it is used; everything is gone at the test's end."""

    def __init__(self, build: Callable[[], Wall]) -> None:
        self._build = build
        self._made: Wall | None = None
        self._rules: list[Rule] = []

    @property
    def _wall(self) -> Wall:
        if self._made is None:
            self._made = self._build()
        return self._made

    @property
    def place(self) -> Place:
        """Where peers must be started: `peers.fresh(side, firewall.place)`. Unsupported where there is no firewall."""
        return self._wall.place

    @contextmanager
    def block(
        self,
        *endpoints: str | int,
        direction: Direction = "both",
        program: Path | None = None,
        profile: Profile = "any",
    ) -> Iterator[Rule]:
        """Block listeners, by endpoints or ports (none: every port), until the end of the block.

        Unsupported, with the reason, where a canary shows that such a rule does not act.
        """
        with self._rule("block", endpoints, direction, program, profile) as rule:
            yield rule

    @contextmanager
    def allow(
        self,
        *endpoints: str | int,
        direction: Direction = "both",
        program: Path | None = None,
        profile: Profile = "any",
    ) -> Iterator[Rule]:
        """Allow listeners, whatever else is blocked, until the end of the block."""
        with self._rule("allow", endpoints, direction, program, profile) as rule:
            yield rule

    @contextmanager
    def _rule(
        self,
        action: Action,
        endpoints: Sequence[str | int],
        direction: Direction,
        program: Path | None,
        profile: Profile,
    ) -> Iterator[Rule]:
        rule = Rule(action, direction, tuple(map(port_of, endpoints)), program, profile)
        family: Family = "tcp6" if any("[" in str(one) for one in endpoints) else "tcp4"
        with ExitStack() as stack:
            canary = stack.enter_context(Canary(self._wall, family, reachable=action == "block"))
            armed = canary.armed(rule)
            stack.callback(self._take, armed)
            self._rules += armed
            self._wall.put(self._rules)
            canary.prove(rule)
            yield rule

    def _take(self, rules: Sequence[Rule]) -> None:
        for rule in rules:
            self._rules.remove(rule)
        self._wall.put(self._rules)

    def close(self) -> None:
        """Take every rule back."""
        if self._made is not None:
            self._made.close()
            self._made = None


class Canary:
    """A listener behind a wall, with a connection that stands before the rule comes."""

    def __init__(self, wall: Wall, family: Family, *, reachable: bool) -> None:
        self._wall = wall
        self._family = family
        self._stack = ExitStack()
        self._listener = self._socket()
        try:
            self._listener.bind((LOOPBACK[family], 0))
            self._listener.listen()
            self.port: int = self._listener.getsockname()[1]
            self._standing: tuple[socket.socket, socket.socket] | None = None
            if reachable:
                self._standing = self._connected()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Canary:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def armed(self, rule: Rule) -> list[Rule]:
        """Return the rule with the canary in it; one that names a program gets a second one, for this program."""
        if rule.program is not None:
            return [rule, replace(rule, program=Path(sys.executable), ports=(self.port,))]
        return [replace(rule, ports=(*rule.ports, self.port))] if rule.ports else [rule]

    def prove(self, rule: Rule) -> None:
        """Return when the rule acts on the canary; Unsupported if it does not within `LAG`."""
        if rule.action == "block" and self._standing is None:
            raise Unsupported("no canary: it could not even be reached before the rule")
        end = time.perf_counter() + LAG
        while (said := self._complaint(rule)) and time.perf_counter() < end:
            time.sleep(_PAUSE)
        if said:
            raise Unsupported(f"this system's firewall does not act on loopback here: {said}")

    def _complaint(self, rule: Rule) -> str:
        """Return what the rule does not do; "" if it acts as it says."""
        new = self._connected()
        for one in new or ():
            one.close()
        if rule.action == "allow":
            return "" if new else "what the rule allows cannot be reached"
        if new:
            return "a new connection went through a block"
        assert self._standing is not None
        client, server = self._standing
        for sender, receiver, way in ((client, server, "in"), (server, client, "out")):
            blocked = rule.direction in (way, "both")
            if blocked and _passes(sender, receiver):
                return f"a standing connection went on through a block ({way})"
            if not blocked and rule.program is None and not _passes(sender, receiver, LAG):
                return f"the other direction ({way}) is blocked too"
        return ""

    def _connected(self) -> tuple[socket.socket, socket.socket] | None:
        """Return both ends of a new connection; None if none comes about."""
        client = self._socket()
        client.settimeout(SILENCE)
        try:
            client.connect(self._listener.getsockname())
        except OSError:
            client.close()
            return None
        return client, self._stack.enter_context(self._listener.accept()[0])

    def _socket(self) -> socket.socket:
        return self._stack.enter_context(self._wall.socket(self._family))


def _passes(sender: socket.socket, receiver: socket.socket, wait: float = SILENCE) -> bool:
    """Whether a byte comes from one to the other within some seconds."""
    receiver.settimeout(wait)
    with suppress(OSError):
        sender.send(b"?")
        return bool(receiver.recv(64))
    return False


def port_of(endpoint: str | int) -> int:
    """Return the port of an endpoint such as `tcp://127.0.0.1:5555`; SetupFault if it has none."""
    if isinstance(endpoint, int):
        return endpoint
    parts = split(endpoint)
    if parts is None or not parts[2].isdecimal():
        raise SetupFault(f"firewall: {endpoint}: has no TCP port to block or allow")
    return int(parts[2])


def wall() -> Wall:
    """Build this system's wall; Unsupported says what is missing."""
    if sys.platform == "linux":
        from harness.host.linux_firewall import NetnsWall

        return NetnsWall()
    if sys.platform == "win32":
        from harness.host.windows_firewall import WindowsWall

        return WindowsWall()
    raise Unsupported("there is no firewall for tests on this system: run this on Linux or Windows")
