"""The wall on Windows: blocks by the Windows Filtering Platform, permissions by rules of the Windows firewall.

Peers run on this machine itself. Rules of the firewall outlive the process that made them, so each is journalled;
filters of the platform do not. Neither is possible without an elevated process, and none is asked for: no prompt ever.
"""

from __future__ import annotations

import ctypes
import socket
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Final

from harness.errors import Unsupported
from harness.host import journal
from harness.host.rules import LAG, Rule
from harness.host.wfp import Session
from harness.places.face import Family
from harness.places.local import LocalPlace

KIND: Final = "firewall rule"

_PROFILES: Final = {"any": 0x7FFFFFFF, "domain": 1, "private": 2, "public": 4}  # NET_FW_PROFILE_TYPE2
_DIRECTIONS: Final = {"in": 1, "out": 2}  # NET_FW_RULE_DIRECTION
_ALLOW: Final = 1  # NET_FW_ACTION
_TCP: Final = 6


def settings(rule: Rule, direction: str) -> dict[str, Any]:
    """Return what a rule of the firewall is set to, in the order that COM needs: ports come after the protocol."""
    found: dict[str, Any] = {
        "Description": "made by zmq-interop for one test",
        "Protocol": _TCP,
        "Direction": _DIRECTIONS[direction],
        "Action": _ALLOW,
        "Profiles": _PROFILES[rule.profile],
    }
    if rule.program is not None:
        found["ApplicationName"] = str(rule.program)
    if rule.ports:
        found["LocalPorts"] = ",".join(map(str, rule.ports))
    return {**found, "Enabled": True}


def elevated() -> bool:
    """Whether this process may change the firewall."""
    return sys.platform == "win32" and bool(ctypes.windll.shell32.IsUserAnAdmin())


class WindowsWall:
    """The Windows firewall and the platform below it."""

    def __init__(self) -> None:
        if not elevated():
            raise Unsupported("the firewall needs an elevated process: start the terminal as administrator")
        self.place = LocalPlace()
        self._session: Session | None = None
        self._permissions: dict[Rule, ExitStack] = {}

    def put(self, rules: Sequence[Rule]) -> None:
        """Let exactly these rules be in force."""
        blocks = [rule for rule in rules if rule.action == "block"]
        if blocks and self._session is None:
            self._session = Session()
        if self._session is not None:
            self._session.clear()
            for rule in blocks:
                self._session.block(rule)
        for gone in [rule for rule in self._permissions if rule not in rules]:
            self._permissions.pop(gone).close()
        for rule in rules:
            if rule.action == "allow" and rule not in self._permissions:
                self._permissions[rule] = _permitted(rule)

    def socket(self, family: Family) -> socket.socket:
        """Return a TCP socket."""
        return socket.socket(socket.AF_INET if family == "tcp4" else socket.AF_INET6, socket.SOCK_STREAM)

    def close(self) -> None:
        """Take every rule back."""
        for stack in self._permissions.values():
            stack.close()
        self._permissions.clear()
        if self._session is not None:
            self._session.close()


def _permitted(rule: Rule) -> ExitStack:
    """Add a rule for each direction; closing what is returned removes them."""
    with ExitStack() as stack:
        for direction in _DIRECTIONS:
            if rule.direction in (direction, "both"):
                name = f"zmq-interop {uuid.uuid4()}"
                stack.enter_context(journal.ours().change(KIND, {"name": name}, remove))
                _add(name, settings(rule, direction))
        return stack.pop_all()


def _policy() -> Any:
    """Return the firewall's rules; Unsupported where COM has none."""
    try:
        import pythoncom
        import win32com.client

        pythoncom.CoInitialize()
        return win32com.client.Dispatch("HNetCfg.FwPolicy2").Rules
    except ImportError:
        raise Unsupported("firewall rules need pywin32: pip install pywin32") from None
    except Exception as error:  # COM's own errors share no class with anything
        raise Unsupported(f"this Windows has no HNetCfg.FwPolicy2: {error}") from None


def _add(name: str, wanted: Mapping[str, Any]) -> None:
    rules = _policy()
    import win32com.client

    try:
        rule = win32com.client.Dispatch("HNetCfg.FWRule")
        rule.Name = name
        for key, value in wanted.items():
            setattr(rule, key, value)
        rules.Add(rule)
    except Exception as error:  # as above
        raise Unsupported(f"the Windows firewall refuses a rule: {error}") from None
    end = time.perf_counter() + LAG
    while not _is_there(rules, name):
        if time.perf_counter() > end:
            raise Unsupported(f"the Windows firewall took the rule {name!r} and does not have it")


def _is_there(rules: Any, name: str) -> bool:
    with suppress(Exception):  # what is not there is an error of COM's
        return bool(rules.Item(name).Enabled)
    return False


def remove(before: Mapping[str, Any]) -> None:
    """Remove a rule by its name; none is no error."""
    rules = _policy()
    if _is_there(rules, before["name"]):
        rules.Remove(before["name"])
