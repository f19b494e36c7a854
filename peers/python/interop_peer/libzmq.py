"""What both pyzmq drivers share: capabilities, sockets and their contexts, errors in the contract's words."""

from __future__ import annotations

import contextlib
import os
import socket as tcp
import threading
import weakref
from collections.abc import Callable, Sequence
from errno import EAFNOSUPPORT, EINVAL
from typing import Any, Generic, TypeVar

import zmq

from . import machine, options
from .calls import Call
from .endpoints import Endpoints
from .errors import InvalidError, PeerError, unsupported
from .params import WORKLOADS
from .zap import Handler

SEND_PATHS = ("send_multipart", "send")

CONTEXT_OPTIONS = ("IO_THREADS", "MAX_SOCKETS")

SOCKET_TYPES = ["REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR", "STREAM"]
# Drafts whose messages are plain single frames; SERVER, PEER, RADIO and DISH would need more than frames
DRAFT_TYPES = ["CLIENT", "SCATTER", "GATHER", "CHANNEL"]

_NAMES = {
    zmq.EAGAIN: "timeout",
    zmq.EFSM: "state",
    zmq.EHOSTUNREACH: "unroutable",
    zmq.ENOTSUP: "unsupported",
    zmq.EPROTONOSUPPORT: "unsupported",
    zmq.ENOCOMPATPROTO: "unsupported",
    EAFNOSUPPORT: "unsupported",
    zmq.EAFNOSUPPORT: "unsupported",
    zmq.ETERM: "closed",
    zmq.ENOTSOCK: "closed",
}

# Methods for which libzmq's EINVAL means the caller's argument
_JUDGED = {"bind", "connect", "unbind", "disconnect", "set", "get", "tune", "callers"}


def socket_types() -> list[str]:
    """List the socket types that this libzmq can make."""
    return SOCKET_TYPES + (DRAFT_TYPES if zmq.has("draft") and zmq.DRAFT_API else [])


def _has_ipv6() -> bool:
    try:
        with tcp.socket(tcp.AF_INET6, tcp.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def transports() -> list[str]:
    """List the transports of this libzmq on this machine."""
    ipc = zmq.has("ipc")
    there = {
        "tcp": True,
        "tcp6": _has_ipv6(),
        "ipc": ipc,
        "ipc-abstract": ipc and machine.OS == "linux",
        "inproc": True,
        "ws": zmq.has("ws"),
    }
    return [name for name, has in there.items() if has]


def describe(implementation: str, features: Sequence[str]) -> dict[str, Any]:
    """Give a pyzmq driver's part of ``hello``; ``features`` are those of section 7."""
    return {
        "implementation": implementation,
        "version": zmq.pyzmq_version(),
        "library": f"libzmq {zmq.zmq_version()}",
        "capabilities": {
            "socket_types": [*socket_types(), "RAW"],
            "transports": transports(),
            "mechanisms": ["NULL", "PLAIN", *(["CURVE"] if zmq.has("curve") else [])],
            "options": sorted(options.TABLE),
            "send_paths": list(SEND_PATHS),
            "workloads": list(WORKLOADS),
            "features": ["unbind", "disconnect", "dump", *features],
        },
    }


def explain(error: Exception, method: str) -> Exception:
    """Put an exception of pyzmq into the contract's words; anything else is passed on."""
    if not isinstance(error, zmq.ZMQError) or error.errno is None:
        return error
    number, text = int(error.errno), str(error)
    if number == EINVAL and method in _JUDGED:
        return InvalidError(f"{method}: {text}", errno=number, text=text)
    return PeerError(_NAMES.get(number, "library"), f"{method}: {text}", errno=number, text=text)


AnyContext = TypeVar("AnyContext", bound="zmq.Context[Any]")
AnySocket = TypeVar("AnySocket", bound="zmq.Socket[Any]")


class Held(Generic[AnyContext]):
    """One library context, and how many sockets hold it."""

    def __init__(self, context: AnyContext, name: str | None) -> None:
        """Start without a holder."""
        self.context = context
        self.name = name
        self.holders = 0
        self.ended = False
        """Whether the contract's ``term`` has ended it under its sockets."""
        self.handler: Handler | None = None
        self._lock = threading.Lock()
        self._ending: threading.Thread | None = None
        self._terminated = False

    def check(self) -> None:
        """Refuse whatever comes after ``term``: libzmq itself lets an idle socket's options pass."""
        if self.ended:
            raise PeerError("closed", "the context has ended")

    def interrupt(self) -> None:
        """End every blocking call in the context (libzmq's ``ETERM``) without waiting; any thread may ask."""
        with self._lock:
            if self._terminated or self._ending:
                return
            # pyzmq lacks zmq_ctx_shutdown; terminating does the same, and then waits for the sockets
            self._ending = threading.Thread(target=self.context.term, name="terminator", daemon=True)
            self._ending.start()

    def terminate(self) -> None:
        """End the context and wait until it has ended; its sockets are closed."""
        with self._lock:
            self._terminated = True
        if self._ending:
            self._ending.join()
            machine.join(self._ending)
        else:
            self.context.term()
        if self.handler:
            machine.join(self.handler.thread)


class Contexts(Generic[AnyContext]):
    """The library contexts: one for each socket, or for all sockets with the same name."""

    def __init__(self, make: Callable[[], AnyContext]) -> None:
        """``make`` makes a library context."""
        self._make = make
        self._lock = threading.RLock()  # a collection may call ``gone`` anywhere
        self._named: dict[str, Held[AnyContext]] = {}
        self.count = 0
        """How many are open; one that is ending still counts."""

    def take(self, name: str | None) -> Held[AnyContext]:
        """Hold a context of one's own, or the one of this name."""
        with self._lock:
            held = self._find_or_make(name)
            held.check()
            held.holders += 1
            return held

    def _find_or_make(self, name: str | None) -> Held[AnyContext]:
        held = self._named.get(name) if name is not None else None
        if held is None:
            held = Held(self._make(), name)
            self.count += 1
            if name is not None:
                self._named[name] = held
        return held

    def authenticate(self, make: type[Handler], params: dict[str, Any]) -> None:
        """Start a ZAP handler in a named context, which ends with the last socket that is opened in it.

        :raises PeerError: ``state`` if it has one.
        """
        with self._lock:
            held = self._find_or_make(params["context"])
            held.check()
            if held.handler:
                raise PeerError("state", "this context has a ZAP handler")
            held.handler = make(held.context, params)

    def tune(self, name: str, settings: dict[str, Any]) -> None:
        """Set options of a named context, which ends with the last socket that is opened in it.

        :raises PeerError: ``state`` if it has a socket, ``unsupported`` if it has no such option.
        """
        for option, value in settings.items():
            if option not in CONTEXT_OPTIONS:
                raise unsupported(f"context option {option}")
            if type(value) is not int or not 0 < value < 2**31:
                raise InvalidError(f"the value of {option} is an integer of 1 or more")
        with self._lock:
            held = self._find_or_make(name)
            held.check()
            if held.holders:
                raise PeerError("state", "this context has sockets")
            for option, value in settings.items():
                held.context.set(zmq.ContextOption[option], value)

    def shut_down(self, name: str) -> Held[AnyContext]:
        """Refuse all that comes after, for a named context; whoever asks then ends what waits, with ``interrupt``.

        :raises InvalidError: if there is none of this name.
        """
        with self._lock:
            held = self._named.get(name)
            if held is None:
                raise InvalidError(f"no context '{name}' is open")
            held.ended = True
        return held

    def release(self, held: Held[AnyContext]) -> None:
        """Let a context go; the last one to do so ends it, and waits as long as ``LINGER`` says."""
        if self.leave(held):
            held.terminate()
            self.gone()

    def forget(self, held: Held[AnyContext]) -> None:
        """Let a context go as ``release`` does, but leave its end to the library: it counts until it is gone."""
        if self.leave(held):
            weakref.finalize(held.context, self.gone)

    def gone(self) -> None:
        """Count one context less."""
        with self._lock:
            self.count -= 1

    def leave(self, held: Held[AnyContext]) -> bool:
        """Take one holder away; say whether that was the last."""
        with self._lock:
            held.holders -= 1
            if held.holders:
                return False
            if held.name is not None:
                del self._named[held.name]
        return True


def make_socket(held: Held[Any], kind: str) -> Any:
    """Make a socket in a context.

    :raises PeerError: ``unsupported`` if there is no such type.
    """
    if kind not in socket_types():
        raise unsupported(f"socket type {kind}")
    return held.context.socket(zmq.SocketType[kind])


class ZmqSocket(Generic[AnyContext, AnySocket]):
    """A libzmq socket with its context: everything that never waits, alike for blocking and asyncio."""

    def __init__(self, contexts: Contexts[AnyContext], endpoints: Endpoints, kind: str, context: str | None) -> None:
        """Make the socket; ``context`` is the shared context's name.

        :raises PeerError: ``unsupported`` if there is no such type.
        """
        self.kind = kind
        self.contexts = contexts
        self._endpoints = endpoints
        self.held = contexts.take(context)
        self._paths: set[str] = set()
        self.recorder: Any = None
        self.method = "open"
        """What is being done, for the words of an error."""
        try:
            self.socket: AnySocket = make_socket(self.held, kind)
            self.set("LINGER", 0)
        except BaseException:
            contexts.release(self.held)
            raise

    def furnish(self, params: dict[str, Any]) -> list[str]:
        """Set options, bind and connect as ``open`` asks; give the actual endpoints."""
        for name, value in params.get("options", {}).items():
            self.method = "set"
            self.set(name, value)
        self.method = "bind"
        endpoints = [self.bind(endpoint) for endpoint in params.get("bind", ())]
        self.method = "connect"
        return endpoints + [self.connect(endpoint) for endpoint in params.get("connect", ())]

    def set(self, name: str, value: Any) -> None:
        """Set an option by libzmq's name."""
        option = options.writable(name)
        self.socket.set(option.number, option.to_library(value))

    def get(self, name: str) -> Any:
        """Read an option by libzmq's name."""
        option = options.readable(name)
        return option.from_library(self.socket.get(option.number))

    def bind(self, endpoint: str) -> str:
        """Bind, and give the actual endpoint."""
        endpoint = self._prepare(self._endpoints.concrete(endpoint))
        self.socket.bind(endpoint)
        if path := self._endpoints.own_path(endpoint):
            self._paths.add(path)
        return self._last_endpoint(endpoint)

    def connect(self, endpoint: str) -> str:
        """Connect, and give the actual endpoint."""
        self.socket.connect(self._prepare(endpoint))
        return self._last_endpoint(endpoint)

    def _prepare(self, endpoint: str) -> str:
        if "[" in endpoint:
            self.set("IPV6", 1)  # libzmq reads no IPv6 address without it
        return endpoint

    def _last_endpoint(self, otherwise: str) -> str:
        last = self.socket.get(zmq.LAST_ENDPOINT)
        return last.rstrip(b"\0").decode(errors="replace") if isinstance(last, bytes) and last else otherwise

    def operate(self, call: Call) -> dict[str, Any]:
        """Do what never waits."""
        self.held.check()
        params = call.params
        match call.method:
            case "set":
                self.set(params["option"], params["value"])
            case "get":
                return {"value": self.get(params["option"])}
            case "bind":
                return {"endpoint": self.bind(params["endpoint"])}
            case "connect":
                return {"endpoint": self.connect(params["endpoint"])}
            case "unbind":
                self.socket.unbind(params["endpoint"])
            case "disconnect":
                self.socket.disconnect(params["endpoint"])
            case "monitor":
                if self.recorder is None:
                    self.recorder = self.record()
            case "events":
                raise PeerError("state", "nobody asked to record this socket's events")
            case "share":
                raise unsupported("sense in sharing its sockets")
        return {}

    def record(self) -> Any:
        """Start to record the socket's events, and give what does."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let the socket go without closing it, and its context with the last one."""
        self.contexts.forget(self.held)
        del self.socket, self.held

    def release(self) -> None:
        """Let the context go, after the socket was closed."""
        self.contexts.release(self.held)
        for path in self._paths:  # libzmq removes only those that it chose itself
            with contextlib.suppress(OSError):
                os.unlink(path)
