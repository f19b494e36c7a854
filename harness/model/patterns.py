"""Which socket types talk to which, over what: two tables.

A pattern has a left and a right role; in a cell's id `left>right` names who plays them, so `push-pull` with
`go-zeromq>pyzmq` is a go-zeromq PUSH and a pyzmq PULL. A new pattern is a row here and a test that asks for it.
This file knows names only; what must hold in a cell stands in `tests/interop/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pair of socket types that may talk to each other.

    `only` limits a pattern to some transports; `draft` marks libzmq's draft types, which meet each pair of peers
    on one transport until a peer announces them; `byte_stream` marks patterns without message borders.
    """

    name: str
    left: str
    right: str
    source: str
    draft: bool = False
    byte_stream: bool = False
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transport:
    """A way for bytes to travel: `capability` is its name in a peer's hello, `wildcard` the endpoint to bind."""

    name: str
    capability: str
    wildcard: str
    one_peer: bool = False
    optional: bool = False


_REQREP = "28/REQREP"
_PUBSUB = "29/PUBSUB"

PATTERNS: Final = {
    row.name: row
    for row in (
        Pattern("req-rep", "REQ", "REP", _REQREP),
        Pattern("req-router", "REQ", "ROUTER", _REQREP),
        Pattern("dealer-rep", "DEALER", "REP", _REQREP),
        Pattern("dealer-router", "DEALER", "ROUTER", _REQREP),
        Pattern("dealer-dealer", "DEALER", "DEALER", _REQREP),
        Pattern("router-router", "ROUTER", "ROUTER", _REQREP),
        Pattern("pub-sub", "PUB", "SUB", _PUBSUB),
        Pattern("pub-xsub", "PUB", "XSUB", _PUBSUB),
        Pattern("xpub-sub", "XPUB", "SUB", _PUBSUB),
        Pattern("xpub-xsub", "XPUB", "XSUB", _PUBSUB),
        Pattern("push-pull", "PUSH", "PULL", "30/PIPELINE"),
        Pattern("pair-pair", "PAIR", "PAIR", "31/EXPAIR"),
        Pattern("stream-raw", "STREAM", "RAW", "zmq_socket(3)", byte_stream=True, only=("tcp4", "tcp6")),
        Pattern("client-server", "CLIENT", "SERVER", "41/CLISRV", draft=True),
        Pattern("radio-dish", "RADIO", "DISH", "48/RADIO-DISH", draft=True),
        Pattern("scatter-gather", "SCATTER", "GATHER", "49/SCATTER-GATHER", draft=True),
        Pattern("peer-peer", "PEER", "PEER", "zmq_socket(3)", draft=True),
        Pattern("channel-channel", "CHANNEL", "CHANNEL", "52/CHANNEL", draft=True),
    )
}

RECEIVERS: Final = ("SUB", "XSUB", "PULL", "DISH", "GATHER")
"""Socket types on the right of a pattern that send no messages."""

TRANSPORTS: Final = {
    row.name: row
    for row in (
        Transport("tcp4", "tcp", "tcp://127.0.0.1:*"),
        Transport("tcp6", "tcp6", "tcp://[::1]:*"),
        Transport("ipc", "ipc", "ipc://*"),
        Transport("ipc-abstract", "ipc-abstract", "ipc://@*"),
        Transport("inproc", "inproc", "inproc://*", one_peer=True),
        Transport("ws", "ws", "ws://127.0.0.1:*", optional=True),
    )
}

HOME_TRANSPORT: Final = "tcp4"
"""Where draft patterns meet by default."""

HOME_PATTERN: Final = "req-rep"
"""The pattern that an optional transport carries by default."""

BINDS: Final = ("left-binds", "right-binds")

IMPLEMENTATIONS: Final = ("go-zeromq", "pebbe", "pyzmq", "pyzmq-asyncio")
"""The implementations that come with the harness. Their order is part of how payloads are spread over cells."""

MIXED: Final = "mixed"
"""In a topology's id: several implementations play this role at once."""
