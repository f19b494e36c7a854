"""Remote sockets: sockets that live in a peer and feel like pyzmq's.

Every call has a deadline. A wait that ends without a message raises `CallFailed` with the name ``timeout``, which
is the peer's honest answer; a peer that says nothing at all is a `PeerHang`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from harness.errors import ContractBreach, Unsupported
from harness.model.frames import Content, Frame, Message, frame, message_from_wire, message_to_wire
from harness.model.patterns import TRANSPORTS
from harness.peers.client import PeerClient, PendingCall
from harness.peers.receiving import Receiving as Receiving
from harness.places.face import Place
from harness.places.local import LocalPlace
from harness.places.routes import Route
from harness.wire.straight import Straight

OptionValue = int | str | bytes | Frame


class Peer:
    """A running peer, as tests use it: it opens sockets and knows its capabilities."""

    def __init__(self, client: PeerClient) -> None:
        self._client = client
        self._sockets: list[RemoteSocket] = []
        self.counted: Mapping[str, Any] = {}
        """What it counted when it was asked last whether anything is open."""
        hello = client.hello
        self.implementation: str = client.name
        self.version: str = hello["version"]
        self.library: str = hello["library"]
        self.capabilities: dict[str, list[str]] = hello["capabilities"]
        self.tap = Straight()  # whoever records a cell puts its own tap here
        self.place: Place = LocalPlace()
        self.route = Route()

    @property
    def client(self) -> PeerClient:
        """The control channel."""
        return self._client

    @property
    def wait_ms(self) -> float:
        """Milliseconds that a send or receive waits where the test does not say."""
        return self._client.patience * 1000

    @property
    def description(self) -> str:
        """Versions in one line."""
        hello = self._client.hello
        return (
            f"{self.implementation} {self.version} ({self.library}, {hello['runtime']}, {hello['os']}/{hello['arch']})"
        )

    def listens(self, endpoint: str) -> str:
        """Note that the peer listens on an endpoint, by its own words; returns what the check is told."""
        shown = self.route.outside(endpoint)
        self.tap.bound(self.route.resolve(shown), self.implementation)
        return shown

    def towards(self, endpoint: str) -> str:
        """Return what the peer connects to for an endpoint that a check names."""
        return self.route.reach(self.tap.towards(self.route.resolve(endpoint), self.implementation))

    def instead(self, endpoint: str) -> str:
        """Return what the peer connected to for an endpoint that a check names."""
        return self.route.reach(self.tap.instead(self.route.resolve(endpoint)))

    def real(self, endpoint: str) -> str:
        """Return the check's name for an endpoint that the peer tells of."""
        return self.route.back(self.tap.real(self.route.unreach(endpoint)))

    def can(self, kind: str, name: str) -> bool:
        """Whether the peer lists `name` among its capabilities of this kind (`socket_types`, `options`, …)."""
        return name in self.capabilities.get(kind, ())

    def need(self, kind: str, *names: str) -> None:
        """Raise `Unsupported` unless the peer lists all these names."""
        for name in names:
            if not self.can(kind, name):
                raise Unsupported(f"{self.implementation} {self.version} has no {_KINDS.get(kind, kind)} {name}")

    def socket(
        self,
        socket_type: str,
        *,
        bind: str | None = None,
        connect: str | None = None,
        context: str | None = None,
        options: Mapping[str, OptionValue] | None = None,
    ) -> RemoteSocket:
        """Open a socket; `bind` and `connect` are endpoints (`bind` usually a wildcard)."""
        params: dict[str, Any] = {"type": socket_type}
        if context is not None:
            params["context"] = context
        if options:
            params["options"] = {name: _value_to_wire(value) for name, value in options.items()}
        if bind is not None:
            params["bind"] = [self.route.inside(bind)]
        if connect is not None:
            params["connect"] = [self.towards(connect)]
        result = self._client.call("open", params)
        if bind is not None:
            result["endpoints"][0] = self.listens(result["endpoints"][0])
        opened = RemoteSocket(self, socket_type, result)
        self._sockets.append(opened)
        return opened

    def timer(self, ms: float) -> float:
        """Wait `ms` on the plain timer of the peer's language; returns how many ms that took."""
        self.need("features", "timer")
        return float(self._client.call("timer", {"ms": ms}, wait=ms / 1000)["ns"]) / 1e6

    def end_context(self, context: str) -> None:
        """End a named library context under its sockets; they must still be closed."""
        self.need("features", "term")
        self._client.call("term", {"context": context})

    def start_zap(self, context: str, **policy: Any) -> None:
        """Start a ZAP handler in a named library context, before its sockets are opened (27/ZAP).

        It ends with the context, so at least one socket must be opened in it.
        """
        self.need("features", "zap")
        self._client.call("zap", {"context": context, **policy})

    def keypair(self) -> tuple[str, str]:
        """Make a CURVE pair: public and secret key, as Z85 text."""
        self.need("mechanisms", "CURVE")
        made = self._client.call("keypair")
        return str(made["public"]), str(made["secret"])

    def swarm(self, socket_type: str, endpoint: str, *, context: str, workers: int, count: int) -> PendingCall:
        """Start that many threads or goroutines, each with a socket of its own on one context, that send."""
        self.need("features", "swarm")
        self.need("socket_types", socket_type)
        endpoint = self.towards(endpoint)
        params = {"context": context, "type": socket_type, "endpoint": endpoint, "workers": workers, "count": count}
        wait = self.wait_ms
        return self._client.start("swarm", {**params, "size": 64, "timeout": wait}, wait=wait / 1000)

    def start_closing(self) -> list[PendingCall]:
        """Start closing every socket that is still open."""
        sockets, self._sockets = self._sockets, []
        return [self._client.start("close", {"socket": item.handle}) for item in sockets if not item.closed]

    def count_open(self) -> PendingCall:
        """Ask what is open; `refuse_leftovers` takes the answer."""
        return self._client.start("stats")

    def refuse_leftovers(self, stats: Mapping[str, Any]) -> None:
        """Raise `ContractBreach` if the peer still has a socket or context open."""
        self.counted = stats
        told = ", ".join(f"{stats[key]} {key}" for key in ("sockets", "contexts") if stats.get(key))
        if told:
            raise ContractBreach(f"{self.implementation}: after closing everything the peer still has {told} open")


_KINDS: Final = {
    "socket_types": "socket type",
    "transports": "transport",
    "options": "option",
    "workloads": "workload",
    "features": "feature",
    "mechanisms": "mechanism",
}


class RemoteSocket:
    """A socket in a peer."""

    def __init__(self, peer: Peer, socket_type: str, opened: Mapping[str, Any]) -> None:
        self.peer = peer
        self.type = socket_type
        self.handle: int = opened["socket"]
        self.endpoints: list[str] = [peer.real(endpoint) for endpoint in opened["endpoints"]]
        self.closed = False

    def __enter__(self) -> RemoteSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self.type} of {self.peer.implementation}, {', '.join(self.endpoints) or 'no endpoint'}>"

    @property
    def endpoint(self) -> str:
        """The endpoint that it was bound or connected to first."""
        return self.endpoints[0]

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._start(method, 0, **params).result()

    def _start(self, method: str, wait_ms: float, **params: Any) -> PendingCall:
        return self.peer.client.start(method, {"socket": self.handle, **params}, wait=wait_ms / 1000)

    def bind(self, endpoint: str) -> str:
        """Bind; returns the actual endpoint."""
        told = self._call("bind", endpoint=self.peer.route.inside(endpoint))["endpoint"]
        self.endpoints.append(self.peer.listens(str(told)))
        return self.endpoints[-1]

    def connect(self, endpoint: str) -> None:
        """Connect; as synchronous as the library's."""
        told = self._call("connect", endpoint=self.peer.towards(endpoint))["endpoint"]
        self.endpoints.append(self.peer.real(str(told)))

    def unbind(self, endpoint: str) -> None:
        """Stop listening on an endpoint."""
        self._call("unbind", endpoint=self.peer.route.inside(endpoint))

    def disconnect(self, endpoint: str) -> None:
        """Give up a connection."""
        self._call("disconnect", endpoint=self.peer.instead(endpoint))

    def set(self, option: str, value: OptionValue) -> None:
        """Set an option, by libzmq's name without ``ZMQ_``."""
        self._call("set", option=option, value=_value_to_wire(value))

    def get(self, option: str) -> Any:
        """Read an option: an integer, or a Frame."""
        value = self._call("get", option=option)["value"]
        return value if isinstance(value, int) else message_from_wire([value])[0]

    def subscribe(self, prefix: str | bytes | Frame) -> None:
        """Subscribe to a prefix: an option of SUB, a message of XSUB (29/PUBSUB)."""
        if self.type == "SUB":
            self.set("SUBSCRIBE", prefix)
        else:
            topic = frame(prefix)
            self.send(b"\x01" + topic.head(topic.size))

    def unsubscribe(self, prefix: str | bytes | Frame) -> None:
        """Take one subscription to a prefix back (29/PUBSUB)."""
        if self.type == "SUB":
            self.set("UNSUBSCRIBE", prefix)
        else:
            topic = frame(prefix)
            self.send(b"\x00" + topic.head(topic.size))

    def send(self, *frames: Content, via: str | None = None, timeout: float | None = None) -> None:
        """Send one message of these frames, by the library's path `via`. `timeout` in ms (default: `wait_ms`)."""
        self.send_all([frames], via=via, timeout=timeout)

    def send_all(
        self, messages: Iterable[Sequence[Content]], *, via: str | None = None, timeout: float | None = None
    ) -> None:
        """Send several messages in one call, by the library's path `via`. `timeout` in ms."""
        self.send_later(messages, via=via, timeout=timeout).result()

    def send_later(
        self, messages: Iterable[Sequence[Content]], *, via: str | None = None, timeout: float | None = None
    ) -> PendingCall:
        """Start sending; `result()` of what is returned waits until all are handed to the library."""
        wire = [message_to_wire(message) for message in messages]
        extra = {} if via is None else {"via": via}
        wait = self.peer.wait_ms if timeout is None else timeout
        return self._start("send", wait, messages=wire, timeout=wait, **extra)

    def recv(self, *, timeout: float | None = None, inline: int | None = None) -> Message:
        """Receive one message. `timeout` in ms; frames beyond `inline` bytes come as size and digest."""
        return self.recv_all(1, timeout=timeout, inline=inline)[0]

    def recv_all(self, count: int, *, timeout: float | None = None, inline: int | None = None) -> list[Message]:
        """Receive exactly `count` messages."""
        return self.recv_later(count, timeout=timeout, inline=inline).messages()

    def recv_bytes(self, size: int, *, timeout: float | None = None) -> Frame:
        """Receive exactly `size` bytes from a RAW socket."""
        wait = self.peer.wait_ms if timeout is None else timeout
        call = self._start("recv", wait, size=size, timeout=wait, inline=size)
        return Receiving(call, 1).messages()[0][0]

    def recv_later(self, count: int = 1, *, timeout: float | None = None, inline: int | None = None) -> Receiving:
        """Start receiving; `messages()` of what is returned waits for them."""
        extra = {} if inline is None else {"inline": inline}
        wait = self.peer.wait_ms if timeout is None else timeout
        return Receiving(self._start("recv", wait, count=count, timeout=wait, **extra), count)

    def send_blocking(self, *frames: Content, via: str | None = None) -> PendingCall:
        """Start a send without `timeout`: the library's own blocking call, which ends by `SNDTIMEO` or never."""
        extra = {} if via is None else {"via": via}
        return self._start("send", self.peer.wait_ms, messages=[message_to_wire(frames)], **extra)

    def recv_blocking(self) -> Receiving:
        """Start a receive without `timeout`: the library's own blocking call, which ends by `RCVTIMEO` or never."""
        return Receiving(self._start("recv", self.peer.wait_ms), 1)

    def connect_later(self, endpoint: str) -> PendingCall:
        """Start connecting; some libraries' connect waits for the whole handshake."""
        return self._start("connect", self.peer.wait_ms, endpoint=self.peer.towards(endpoint))

    def work(self, method: str, *, timeout: float | None = None, **params: Any) -> PendingCall:
        """Start a workload (section 5 of the contract). `timeout` in ms (default: `wait_ms`)."""
        self.peer.need("workloads", method)
        wait = self.peer.wait_ms if timeout is None else timeout
        return self._start(method, wait, timeout=wait, **params)

    def share(self, how: str, *, workers: int, count: int) -> PendingCall:
        """Start that many threads or goroutines that all send on this socket; `how` they share it."""
        self.peer.need("features", "share")
        wait = self.peer.wait_ms
        return self._start("share", wait, workers=workers, count=count, size=64, how=how, timeout=wait)

    def monitor(self) -> None:
        """Start to record the socket's events."""
        self.peer.need("features", "monitor")
        self._call("monitor")

    def next_event(self, *, timeout: float | None = None) -> tuple[str, str, int]:
        """Wait for the next recorded event; returns its name, its endpoint and its value. `timeout` in ms."""
        wait = self.peer.wait_ms if timeout is None else timeout
        event = self._start("events", wait, timeout=wait).result()["events"][0]
        return str(event["event"]), self.peer.real(str(event["endpoint"])), int(event["value"])

    def steer(self, command: str) -> None:
        """Command the `proxy` that runs with this frontend: PAUSE, RESUME or TERMINATE."""
        self.peer.need("features", "steer")
        self._call("steer", command=command)

    def abandon(self) -> None:
        """Forget the socket without closing it, as a program does that loses its variable."""
        self.peer.need("features", "abandon")
        self._call("abandon")
        self.closed = True

    def close_later(self) -> PendingCall:
        """Start closing; the answer may take as long as `LINGER` says."""
        self.closed = True
        return self._start("close", self.peer.wait_ms)

    def close(self) -> None:
        """Close the socket. Closing twice is no error."""
        if not self.closed:
            self.closed = True
            self._call("close")


def _value_to_wire(value: OptionValue) -> Any:
    return int(value) if isinstance(value, int) else frame(value).to_wire()


class Link:
    """Who binds, who connects, over which transport: opens the two ends of a cell in the right order."""

    def __init__(self, transport: str, binds: str, context: str | None = None) -> None:
        self.transport = TRANSPORTS[transport]
        self.left_binds = binds == "left-binds"
        # inproc only reaches sockets of the same library context.
        self.context = context if self.transport.one_peer else None

    def bind(self, peer: Peer, socket_type: str, options: Mapping[str, OptionValue] | None = None) -> RemoteSocket:
        """Open a socket that listens on a wildcard of the transport."""
        peer.need("socket_types", socket_type)
        peer.need("transports", self.transport.capability)
        return peer.socket(socket_type, bind=self.transport.wildcard, context=self.context, options=options)

    def connect(
        self, peer: Peer, socket_type: str, to: RemoteSocket, options: Mapping[str, OptionValue] | None = None
    ) -> RemoteSocket:
        """Open a socket that is connected to a bound one."""
        peer.need("socket_types", socket_type)
        peer.need("transports", self.transport.capability)
        return peer.socket(socket_type, connect=to.endpoint, context=self.context, options=options)

    def open(
        self,
        left: tuple[Peer, str, Mapping[str, OptionValue]] | tuple[Peer, str],
        right: tuple[Peer, str, Mapping[str, OptionValue]] | tuple[Peer, str],
    ) -> tuple[RemoteSocket, RemoteSocket]:
        """Open both ends, the binding one first; returns (left, right)."""
        for peer, socket_type, *_ in (left, right):
            peer.need("socket_types", socket_type)
            peer.need("transports", self.transport.capability)
        if self.left_binds:
            bound = self.bind(*left)
            return bound, self.connect(right[0], right[1], bound, *right[2:])
        bound = self.bind(*right)
        return self.connect(left[0], left[1], bound, *left[2:]), bound


def until(deadline_ms: float) -> Iterable[float]:
    """Yield growing pauses in seconds (0.5 ms to 20 ms) until the deadline: for events that can only be polled."""
    end = time.perf_counter() + deadline_ms / 1000
    pause = 0.0005
    while time.perf_counter() < end:
        yield pause
        pause = min(pause * 1.5, 0.02)
