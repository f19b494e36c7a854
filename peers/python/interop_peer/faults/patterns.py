"""Rules of single patterns that are not kept: who may join, who is heard, what counts, what a broker passes on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import zmq

from ..blocking_port import proxy
from ..calls import Call
from ..drivers import pyzmq
from ..frames import Message
from ..jobs import RecvJob, SendJob
from ..owner import Owner
from ..server import Server
from ..workloads import seconds
from .altering import AlteringLink
from .registry import register


class _SetLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        self._topics: Counter[str] = Counter()
        super().__init__(*arguments)

    def set(self, name: str, value: Any) -> None:
        times = 1
        if name == "SUBSCRIBE":
            self._topics[str(value)] += 1
        elif name == "UNSUBSCRIBE":
            times = self._topics.pop(str(value), 1)
        for _ in range(times):
            super().set(name, value)


register("uncounted", "lets one cancellation end all equal subscriptions of a SUB", link=_SetLink)


class _VerboseLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.kind == "XPUB":
            self.set("XPUB_VERBOSER", 1)


register("always-verbose", "lets XPUB show each subscription and cancellation", link=_VerboseLink)


class _StarvingLink(pyzmq.ZmqLink):
    _usual = -1

    def recv(self, job: RecvJob, flags: int = 0) -> None:
        while True:
            super().recv(job, flags)
            size = sum(map(len, job.messages[-1]))
            if self._usual < 0:
                self._usual = size
            if self.kind != "PULL" or size == self._usual:
                return
            job.messages.pop()


register("starve", "lets PULL hand out only messages that are as long as its first one", link=_StarvingLink)


class _ListeningSenderLink(pyzmq.ZmqLink):
    def try_recv(self, job: RecvJob) -> bool:
        return self.kind not in ("PUSH", "PUB") and super().try_recv(job)


register("listening-sender", "lets PUSH and PUB wait for messages instead of refusing", link=_ListeningSenderLink)

_CROSSED: list[Message] = []


class _CrossedPairLink(AlteringLink):
    first: _CrossedPairLink | None = None

    def altered(self, messages: list[Message]) -> list[Message]:
        if self.kind != "PAIR":
            return messages
        if self.first is None:
            type(self).first = self
        if self.first is not self:
            _CROSSED.extend(messages)
            return []
        crossed = _CROSSED[:]
        _CROSSED.clear()
        return crossed + messages


register(
    "cross-pairs", "lets the first PAIR that sends also send what all others of the process do", link=_CrossedPairLink
)


class _HeirLink(pyzmq.ZmqLink):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.kind == "ROUTER":
            self.set("ROUTER_HANDOVER", 1)


register("always-handover", "lets a second peer of an identity take a ROUTER's first one's place", link=_HeirLink)


class _PatientRouterLink(AlteringLink):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.interruptible = False

    def try_send(self, job: SendJob) -> bool:
        return (self.kind != "ROUTER" or bool(self.heard)) and super().try_send(job)


register("waiting-router", "lets a ROUTER that never heard of a peer wait with sending", link=_PatientRouterLink)


class _LossySocket(zmq.Socket[bytes]):
    _received: int

    def recv_multipart(self, *arguments: Any, **options: Any) -> Any:
        self._received += 1
        message = super().recv_multipart(*arguments, **options)
        return super().recv_multipart(*arguments, **options) if self._received % 5 == 0 else message


class _LossyProxyLink(pyzmq.ZmqLink):
    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        if call.method != "proxy":
            return super().work(owner, call)
        front = _LossySocket.shadow(self.socket.underlying)
        object.__setattr__(front, "_received", 0)
        return proxy(owner, front, call.backend, seconds(call.params))


register("lossy-proxy", "lets a proxy lose every fifth message from its frontend", link=_LossyProxyLink)


class _StubbornServer(Server):
    def greeting(self) -> dict[str, Any]:
        about = super().greeting()
        about["capabilities"]["features"].append("steer")
        return about

    def dispatch(self, call: Call) -> None:
        if call.method == "steer":
            call.answer({})
        else:
            super().dispatch(call)


register("deaf-steer", "takes commands for a proxy and does not obey them", server=_StubbornServer)
