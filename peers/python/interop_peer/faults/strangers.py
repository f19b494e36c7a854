"""A REQ that hears everybody, and a ROUTER whom nobody hears."""

from __future__ import annotations

from ..calls import Call
from ..drivers import pyzmq
from ..endpoints import Endpoints
from ..frames import Message
from ..jobs import RecvJob, SendJob
from ..libzmq import Contexts
from .altering import AlteringLink
from .registry import register


class _OpenEaredLink(pyzmq.ZmqLink):
    def __init__(self, contexts: Contexts[pyzmq.Context], endpoints: Endpoints, kind: str, context: str | None) -> None:
        self._asks = kind == "REQ"
        super().__init__(contexts, endpoints, "DEALER" if self._asks else kind, context)

    def begin(self, call: Call) -> SendJob | RecvJob:
        job = super().begin(call)
        if self._asks and isinstance(job, SendJob):
            job.messages = [[b"", *message] for message in job.messages]
        return job

    def recv(self, job: RecvJob, flags: int = 0) -> None:
        super().recv(job, flags)
        if self._asks:
            job.messages[-1] = job.messages[-1][1:]


register("open-ears", "lets REQ take a reply from whomever it is connected to", link=_OpenEaredLink)


class _OneWayLink(AlteringLink):
    def altered(self, messages: list[Message]) -> list[Message]:
        return [] if self.kind == "ROUTER" else messages


register("one-way", "lets ROUTER throw away what it sends", link=_OneWayLink)
