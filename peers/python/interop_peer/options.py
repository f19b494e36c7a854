"""libzmq's socket options by name, as a table: which there are, what they hold, what may be done with them.

Only what this libzmq has and means is listed. Left out are options of transports and mechanisms that it was
built without (PGM, NORM, VMCI, GSSAPI), drafts, old names, and those that hand out file descriptors.
"""

from __future__ import annotations

from typing import Any

import zmq

from . import machine
from .errors import InvalidError, unsupported
from .frames import decode, encode

READ, WRITE = 1, 2
BOTH = READ | WRITE

# access -> names of options that hold an integer
_INTEGERS = {
    BOTH: """
        AFFINITY BACKLOG CONFLATE CONNECT_TIMEOUT CURVE_SERVER HANDSHAKE_IVL HEARTBEAT_IVL HEARTBEAT_TIMEOUT
        HEARTBEAT_TTL IMMEDIATE INVERT_MATCHING IPV6 LINGER MAXMSGSIZE PLAIN_SERVER RCVBUF RCVHWM RCVTIMEO
        RECONNECT_IVL RECONNECT_IVL_MAX SNDBUF SNDHWM SNDTIMEO TCP_KEEPALIVE TCP_KEEPALIVE_CNT
        TCP_KEEPALIVE_IDLE TCP_KEEPALIVE_INTVL TCP_MAXRT TOS ZAP_ENFORCE_DOMAIN
    """,
    READ: "EVENTS MECHANISM RCVMORE THREAD_SAFE TYPE",
    WRITE: """
        PROBE_ROUTER REQ_CORRELATE REQ_RELAXED ROUTER_HANDOVER ROUTER_MANDATORY ROUTER_RAW STREAM_NOTIFY
        XPUB_MANUAL XPUB_NODROP XPUB_VERBOSE XPUB_VERBOSER
    """,
}

# access -> names of options that hold bytes. libzmq could tell the CURVE keys too, but not the way pyzmq asks
_BYTES = {
    BOTH: "BINDTODEVICE PLAIN_PASSWORD PLAIN_USERNAME ROUTING_ID SOCKS_PROXY ZAP_DOMAIN",
    READ: "LAST_ENDPOINT",
    WRITE: """
        CONNECT_ROUTING_ID CURVE_PUBLICKEY CURVE_SECRETKEY CURVE_SERVERKEY SUBSCRIBE UNSUBSCRIBE XPUB_WELCOME_MSG
    """,
}

# Options that hold 64 bits; libzmq takes a C int for all others
_WIDE = {"AFFINITY": (0, 2**64 - 1), "MAXMSGSIZE": (-(2**63), 2**63 - 1)}
_INT = (-(2**31), 2**31 - 1)


class Option:
    """One row: its number in libzmq, what it holds, and what may be done with it."""

    __slots__ = ("access", "integral", "name", "number")

    def __init__(self, name: str, integral: bool, access: int) -> None:
        """Look the number up."""
        self.name = name
        self.number = zmq.SocketOption[name]
        self.integral = integral
        self.access = access

    def to_library(self, value: Any) -> int | bytes:
        """Turn a contract value, an integer or a frame, into what the library takes."""
        if not self.integral:
            if type(value) is int or type(value) is bool:
                raise InvalidError(f"the value of {self.name} is a frame")
            return decode(value)
        low, high = _WIDE.get(self.name, _INT)
        if type(value) is not int or not low <= value <= high:
            raise InvalidError(f"the value of {self.name} is an integer from {low} to {high}")
        return value

    def from_library(self, value: Any) -> Any:
        """Turn what the library gave into a contract value."""
        if self.integral:
            return int(value)
        return encode(value.rstrip(b"\0") if self.name == "LAST_ENDPOINT" else value)


def _rows() -> dict[str, Option]:
    absent = set() if zmq.has("curve") else {"CURVE_SERVER", "CURVE_PUBLICKEY", "CURVE_SECRETKEY", "CURVE_SERVERKEY"}
    if machine.OS != "linux":
        absent.add("BINDTODEVICE")
    rows = {}
    for table, integral in ((_INTEGERS, True), (_BYTES, False)):
        for access, names in table.items():
            for name in names.split():
                if name not in absent:
                    rows[name] = Option(name, integral, access)
    return rows


TABLE = _rows()


def writable(name: str) -> Option:
    """Look up an option for ``set``; ``unsupported`` if there is none or it can only be read."""
    option = TABLE.get(name)
    if option is None or not option.access & WRITE:
        raise unsupported(f"option {name}" if option is None else f"way to set the option {name}")
    return option


def readable(name: str) -> Option:
    """Look up an option for ``get``; ``unsupported`` if there is none or it can only be set."""
    option = TABLE.get(name)
    if option is None or not option.access & READ:
        raise unsupported(f"option {name}" if option is None else f"way to get the option {name}")
    return option
