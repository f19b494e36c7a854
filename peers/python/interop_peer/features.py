"""The methods of section 7 that are about no socket, for any driver of libzmq."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import zmq

from .beside import beside
from .calls import Call
from .driver import Registry
from .errors import unsupported
from .libzmq import Contexts, explain
from .zap import Handler

# What both drivers have. `steer` is not among them: libzmq 4.3.5, which pyzmq comes with, takes PAUSE for RESUME and
# RESUME for PAUSE, and its proxy counts frames instead of messages, so `proxy` is ours
FEATURES = (
    *("timer", "term", "monitor", "zap", "reconnect", "swarm"),
    *("callers", "abandon", "tune", "beside"),
)


class ContextMethods:
    """What is done to contexts as a whole, keys, and what libzmq lacks."""

    handler: type[Handler] = Handler

    def __init__(self, contexts: Contexts[Any], registry: Registry) -> None:
        """Work on these contexts."""
        self.contexts = contexts
        self._registry = registry
        self.own: dict[str, Callable[[Call], None]] = {
            "term": self._term,
            "zap": self._zap,
            "keypair": self._keypair,
            "steer": self._steer,
            "tune": self._tune,
            "beside": self._beside,
            "runtime": self._runtime,
        }

    def _term(self, call: Call) -> None:
        self.contexts.shut_down(call.params["context"]).interrupt()
        call.answer({})

    def _zap(self, call: Call) -> None:
        try:
            self.contexts.authenticate(self.handler, call.params)
        except zmq.ZMQError as error:
            raise explain(error, call.method) from None
        call.answer({})

    def _keypair(self, call: Call) -> None:
        if not zmq.has("curve"):
            raise unsupported("CURVE")
        public, secret = zmq.curve_keypair()
        call.answer({"public": public.decode(), "secret": secret.decode()})

    def _tune(self, call: Call) -> None:
        try:
            self.contexts.tune(call.params["context"], call.params["options"])
        except zmq.ZMQError as error:
            raise explain(error, call.method) from None
        call.answer({})

    def _beside(self, call: Call) -> None:
        in_thread(self._registry, call, lambda: beside(call.params))

    def _runtime(self, call: Call) -> None:
        raise unsupported("runtime that tells of itself")

    def _steer(self, call: Call) -> None:
        self._registry.find(call.params["socket"])
        raise unsupported("proxy that can be steered")


def in_thread(registry: Registry, call: Call, work: Callable[[], dict[str, Any]]) -> None:
    """Answer a call with what ``work`` gives, in a thread of its own."""

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            registry.note(threading.current_thread())
            call.fail(explain(error, call.method))
        else:
            registry.note(threading.current_thread())
            call.answer(result)

    threading.Thread(target=run, name=f"{call.method} {call.identity}", daemon=True).start()
