"""One thread that owns one socket, for libraries whose sockets block and are not thread-safe.

The thread sleeps on its inbox. While calls with a ``timeout`` wait for the socket it sleeps on the socket
*and* on a wake-up, so that a waiting ``recv`` holds up nothing. A call without ``timeout`` is the library's own
blocking call; only ``close`` gets past it, by interrupting the library.

What the library is, and how it waits, stays behind ``Link``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from math import ceil, inf
from queue import SimpleQueue
from time import monotonic
from typing import Any, Protocol, TypeVar

from .calls import Call
from .driver import Registry
from .errors import closed, timed_out
from .events import Recorder
from .jobs import Job, RecvJob, SendJob
from .params import ALONE

_LONGEST_WAIT = 3_600_000  # ms in one go; a wait is renewed as long as the deadline says
_STALL = 1  # ms to leave a socket alone that said it was ready and was not (a ROUTER with one full peer)

Result = TypeVar("Result")


class Link(Protocol):
    """One socket of a blocking library. Used by its owner's thread only, but for ``interrupt``."""

    paths: tuple[str, ...]
    """Ways to send a message, first the default."""
    interruptible: bool
    """Whether ``interrupt`` can end a blocking call without harm to other sockets."""
    recorder: Recorder | None
    """What records the socket's events, once that was asked for."""

    def begin(self, call: Call) -> SendJob | RecvJob:
        """Read a ``send`` or ``recv``."""

    def try_send(self, job: SendJob) -> bool:
        """Send the job's next message, or say False when that would block."""

    def send(self, job: SendJob) -> None:
        """Send the job's next message as the library's own blocking call."""

    def try_recv(self, job: RecvJob) -> bool:
        """Receive one message into the job, or say False when that would block."""

    def recv(self, job: RecvJob) -> None:
        """Receive one message into the job as the library's own blocking call."""

    def patience(self, job: Job) -> float:
        """Give the socket's own timeout for one message in seconds, ``inf`` for ever."""

    def wait(self, readable: bool, writable: bool, wake: socket.socket, milliseconds: int) -> bool:
        """Wait for the socket, the wake-up, or the time; True when the socket says it is ready."""

    def operate(self, call: Call) -> dict[str, Any]:
        """Do what never waits: ``bind``, ``connect``, ``unbind``, ``disconnect``, ``set``, ``get``, ``monitor``."""

    def work(self, owner: Owner, call: Call) -> dict[str, Any]:
        """Run a workload to its end."""

    def explain(self, error: Exception, method: str) -> Exception:
        """Put the library's exception into the contract's words."""

    def interrupt(self) -> None:
        """End the library's blocking call, from another thread."""

    def close(self) -> None:
        """Close the socket, and its context with the last one."""

    def forget(self) -> None:
        """Let the socket go without closing it."""


Make = Callable[[dict[str, Any]], tuple[Link, list[str]]]
"""Makes a link as ``open``'s parameters ask, and gives the actual endpoints."""


class Loan:
    """A socket that its owner lends to another owner's thread, for ``proxy``."""

    def __init__(self, owner: Owner) -> None:
        """Ask ``owner`` for its socket."""
        self.owner = owner
        self.refused = False
        self.given = threading.Event()
        self.over = threading.Event()
        owner.post(self)


class Owner:
    """The thread, its inbox and the calls that wait."""

    def __init__(self, registry: Registry) -> None:
        """Start without a thread; ``open`` begins it."""
        self.closing = False
        self._registry = registry
        self._handle = 0
        self.link: Link
        self._inbox: SimpleQueue[Call | Loan | None] = SimpleQueue()
        self._sends: deque[SendJob] = deque()
        self._receives: deque[RecvJob] = deque()
        self._works: deque[Call | Loan] = deque()
        self._ended = False
        self._moved = False
        self._stalled = False
        self._asleep = False
        self._blocked = False
        self._close_call: Call | None = None
        self._abandoned = False
        self._wakers: tuple[socket.socket, socket.socket] | None = None

    # From any thread

    def open(self, call: Call, make: Make) -> None:
        """Begin the thread, which makes the socket and answers ``call``."""
        threading.Thread(target=self._run, args=(call, make), name=f"open {call.identity}", daemon=True).start()

    def submit(self, call: Call) -> None:
        """Take a call on this socket."""
        if call.method == "events" and (recorder := self.link.recorder):
            recorder.take(call)  # whatever the thread is busy with
        else:
            self.post(call)

    def close(self, call: Call | None, abandon: bool = False) -> None:
        """End the socket and the calls that wait on it."""
        self._close_call = call
        self._abandoned = abandon
        self.closing = True
        self.post(None)
        if self._blocked and self.link.interruptible:
            self.link.interrupt()

    def post(self, item: Call | Loan | None) -> None:
        """Put something into the inbox, and wake the thread if it sleeps on the socket."""
        self._inbox.put(item)
        if self._asleep and self._wakers:
            with contextlib.suppress(OSError):  # full: it will wake; closed: the thread has seen the close
                self._wakers[1].send(b"\0")

    # The thread

    def _run(self, call: Call, make: Make) -> None:
        try:
            self.link, endpoints = make(call.params)
        except Exception as error:
            self._registry.note(threading.current_thread())
            call.fail(error)
            return
        self._handle = self._registry.add(self)
        threading.current_thread().name = f"socket {self._handle}"
        call.answer({"socket": self._handle, "endpoints": endpoints})
        while not self._ended:
            if self._sends or self._receives:
                ready = self._sleep_or_fail()
                while not self._inbox.empty():
                    self._begin(self._inbox.get())
                self._moved = False
                self._advance(self._receives)
                self._advance(self._sends)
                self._stalled = ready and not self._moved
            elif self._works:
                self._work(self._works.popleft())
            else:
                self._begin(self._inbox.get())
        self._finish()

    def _begin(self, item: Call | Loan | None) -> None:
        if item is None:
            self._ended = True
        elif isinstance(item, Loan) or item.method in ALONE:
            self._works.append(item)  # it has the socket to itself, so it waits until no call does
        else:
            try:
                if item.method in ("send", "recv"):
                    self._enqueue(self.link.begin(item))
                elif item.method == "events" and self.link.recorder:
                    self.link.recorder.take(item)
                else:
                    item.answer(self.link.operate(item))
            except Exception as error:
                item.fail(self.link.explain(error, item.method))

    def _enqueue(self, job: SendJob | RecvJob) -> None:
        queue: deque[Any] = self._sends if isinstance(job, SendJob) else self._receives
        queue.append(job)
        if len(queue) == 1:  # calls begin in order of arrival, also between send and recv
            self._advance(queue)

    def _advance(self, queue: deque[Any]) -> None:
        """Bring the calls of one direction as far as they get; answer those whose time is up."""
        while queue:
            job = queue[0]
            try:
                done = self._step(job)
            except Exception as error:
                job.fail(self.link.explain(error, job.call.method))
            else:
                if not done:
                    break
                job.succeed()
            queue.popleft()
        now = monotonic()
        for job in [job for job in queue if job.deadline <= now]:
            queue.remove(job)
            job.fail(timed_out())

    def _step(self, job: SendJob | RecvJob) -> bool:
        """Bring the first call of a direction as far as it gets; True when it is done."""
        link = self.link
        while not job.done:
            job.ask()
            if not job.timed and link.interruptible:
                self.block(partial(link.send, job) if isinstance(job, SendJob) else partial(link.recv, job))
                job.moved()
            elif link.try_send(job) if isinstance(job, SendJob) else link.try_recv(job):
                self._moved = True
                job.moved()
                if not job.timed:
                    job.deadline = inf
                if self.closing and not job.done:
                    raise closed()
            else:
                if not job.timed and job.deadline == inf:
                    # close could not interrupt the library here, so its own rule is kept by waiting outside
                    job.deadline = monotonic() + link.patience(job)
                return False
        return True

    def block(self, operation: Callable[[], Result]) -> Result:
        """Run something that blocks inside the library, so that ``close`` knows to interrupt it."""
        self._blocked = True
        try:
            if self.closing:
                raise closed()
            return operation()
        finally:
            self._blocked = False

    def waker(self) -> socket.socket:
        """Give the socket that becomes readable when something was posted while ``_asleep``."""
        if self._wakers is None:
            self._wakers = socket.socketpair()
            for end in self._wakers:
                end.setblocking(False)
        return self._wakers[0]

    def _sleep_or_fail(self) -> bool:
        try:
            return self._sleep()
        except Exception as error:  # such as the end of the context
            for job in (*self._sends, *self._receives):
                job.fail(self.link.explain(error, job.call.method))
            self._sends.clear()
            self._receives.clear()
            return False

    def _sleep(self) -> bool:
        """Wait until a waiting call may get on, its time is up, or something was posted."""
        deadline = min(job.deadline for queue in (self._sends, self._receives) for job in queue)
        wait = _LONGEST_WAIT if deadline == inf else ceil((deadline - monotonic()) * 1000)
        wake = self.waker()
        wait = max(0, min(wait, _LONGEST_WAIT))
        with self.watched():
            if not self._inbox.empty():
                return False
            if self._stalled:
                self.link.wait(False, False, wake, min(wait, _STALL))
                return False
            return self.link.wait(bool(self._receives), bool(self._sends), wake, wait)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """While in here, whatever is posted makes the wake-up readable."""
        self.waker()
        self._asleep = True
        try:
            yield
        finally:
            self._asleep = False
            self.drain_waker()

    def drain_waker(self) -> None:
        """Take the wake-up back; whatever was posted is in the inbox, and a close in ``closing``."""
        if self._wakers:
            with contextlib.suppress(BlockingIOError):
                self._wakers[0].recv(4096)

    def _work(self, work: Call | Loan) -> None:
        if isinstance(work, Loan):
            with self.watched():  # by the borrower
                work.given.set()
                work.over.wait()
            return
        try:
            result = self.link.work(self, work)
        except Exception as error:
            work.fail(self.link.explain(error, work.method))
        else:
            work.answer(result)

    def _finish(self) -> None:
        for job in (*self._sends, *self._receives):
            job.fail(closed())
        left: list[Call | Loan | None] = list(self._works)
        while not self._inbox.empty():
            left.append(self._inbox.get())
        for item in left:
            if isinstance(item, Loan):
                item.refused = True
                item.given.set()
            elif item is not None:
                item.fail(closed())
        try:
            if self._abandoned:
                self.link.forget()
            else:
                self.link.close()
            error: Exception | None = None
        except Exception as reason:
            error = self.link.explain(reason, "close")
        if self._wakers:
            for end in self._wakers:
                end.close()
        del self.link
        self._registry.note(threading.current_thread())
        self._registry.remove(self._handle)
        if self._close_call:
            if error is None:
                self._close_call.answer({})
            else:
                self._close_call.fail(error)
