"""A peer at the end of three pipes, with nothing of the harness in between: raw lines in, raw lines out.

Whatever a peer writes is kept and held to section 1 of CONTRACT.md; every wait has a deadline.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import psutil

from harness.peers import build
from harness.peers.manifest import Manifest
from tests.contract import schema
from tests.waiting import gone

ROOT: Final = Path(__file__).resolve().parents[2]
DEADLINE: Final = 15.0
"""Seconds that anything may take that a healthy peer does in milliseconds."""

END_DEADLINE: Final = 8.0
"""Seconds to a peer's end; the contract gives it 5, and a busy machine some more."""

MARK: Final = "ZMQ_CONTRACT_PEER"
"""A variable in a peer's environment, by which whatever it starts is found again."""

Json = dict[str, Any]


def command(manifest: Manifest) -> list[str]:
    """Return the command that runs a peer, built first if need be."""
    return build.command(manifest, ROOT / ".build" / "peers")


class RawPeer:
    """A running peer and everything that it wrote."""

    def __init__(self, manifest: Manifest, stderr: IO[bytes] | int = subprocess.PIPE) -> None:
        self.name = manifest.name
        self._mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            command(manifest),
            cwd=manifest.here,
            env={**build.environment(manifest), MARK: self._mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=sys.platform != "win32",
        )
        self.stray: list[str] = []
        self._answers: list[Json] = []
        self._news = threading.Condition()
        self._ended = False
        self._numbers = 0
        self._methods: dict[Any, str] = {}
        self._open: set[int] = set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        # Its log goes down a pipe: with less, the Windows Python does not start under Wine.
        self._log = threading.Thread(target=self.process.stderr.read if self.process.stderr else bool, daemon=True)
        self._log.start()
        self.hello = self.call("hello")
        self.capabilities: dict[str, list[str]] = self.hello["capabilities"]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            answer: Any = None
            with contextlib.suppress(ValueError):
                answer = json.loads(line)
            with self._news:
                if isinstance(answer, dict) and answer.get("jsonrpc") == "2.0" and line.endswith(b"\n"):
                    self._answers.append(answer)
                else:
                    self.stray.append(repr(line))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    # Raw.

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def answer(self, number: Any, seconds: float = DEADLINE) -> Json:
        """Wait for the answer with this id, and take it out of what was read."""
        found: Json | None = None

        def come() -> bool:
            nonlocal found
            for index, answer in enumerate(self._answers):
                # JSON's true is no number, whatever Python thinks.
                if "id" in answer and answer["id"] == number and type(answer["id"]) is type(number):
                    found = self._answers.pop(index)
                    return True
            return self._ended

        with self._news:
            self._news.wait_for(come, seconds)
        assert found is not None, f"{self.name}: no answer to {number!r} ({self._methods.get(number)})"
        method = self._methods.pop(number, None)
        schema.check(method, found)
        self._note(method, found)
        return found

    def _note(self, method: str | None, answer: Json) -> None:
        if method == "open" and "result" in answer:
            self._open.add(answer["result"]["socket"])

    def unanswered(self) -> list[Json]:
        """Return what was read and nobody waited for."""
        with self._news:
            return list(self._answers)

    # Requests.

    def line(self, method: str, **params: Any) -> tuple[int, bytes]:
        """Make a request with a new id."""
        self._numbers += 1
        self._methods[self._numbers] = method
        request = {"jsonrpc": "2.0", "id": self._numbers, "method": method, "params": params}
        return self._numbers, json.dumps(request).encode() + b"\n"

    def start(self, method: str, **params: Any) -> int:
        """Send a request and return its id."""
        number, line = self.line(method, **params)
        self.write(line)
        return number

    def result(self, number: int, seconds: float = DEADLINE) -> Json:
        """Wait for a result."""
        answer = self.answer(number, seconds)
        assert "error" not in answer, f"{self.name}: {answer['error']}"
        found: Json = answer["result"]
        return found

    def error(self, number: int, seconds: float = DEADLINE) -> Json:
        """Wait for an error."""
        answer = self.answer(number, seconds)
        assert "result" not in answer, f"{self.name}: an error was due, it answered {answer['result']}"
        found: Json = answer["error"]
        return found

    def call(self, method: str, **params: Any) -> Json:
        """Send a request and return its result."""
        return self.result(self.start(method, **params))

    def refused(self, method: str, **params: Any) -> Json:
        """Send a request and return its error."""
        return self.error(self.start(method, **params))

    # Sockets.

    def open(self, socket_type: str, **params: Any) -> int:
        """Open a socket and return its handle."""
        handle: int = self.call("open", type=socket_type, **params)["socket"]
        return handle

    def bound(self, socket_type: str, endpoint: str = "tcp://127.0.0.1:*", **params: Any) -> tuple[int, str]:
        """Open a bound socket; return its handle and endpoint."""
        result = self.call("open", type=socket_type, bind=[endpoint], **params)
        return result["socket"], result["endpoints"][0]

    def joined(self, one: str, other: str, **params: Any) -> tuple[int, int]:
        """Open two sockets, the first one bound and the second one connected to it, over tcp."""
        bound, endpoint = self.bound(one, **params)
        return bound, self.open(other, connect=[endpoint], **params)

    def send(self, socket: int, *messages: list[Any], **params: Any) -> Json:
        """Send messages."""
        return self.call("send", socket=socket, messages=list(messages), timeout=10_000, **params)

    def recv(self, socket: int, count: int = 1, **params: Any) -> list[Any]:
        """Receive messages."""
        found: list[Any] = self.call("recv", **{"socket": socket, "count": count, "timeout": 10_000, **params})[
            "messages"
        ]
        return found

    def close(self, *sockets: int, again: bool = False) -> None:
        """Close sockets; `again` if some of them may be closed already."""
        # A library may complain about a connection that the other end was quicker to end: then the peer says so.
        # What counts is that nothing stays open, and that is asked after each test.
        accepted = ("library", "closed") if again else ("library",)
        closing = [(socket, self.start("close", socket=socket)) for socket in sockets]
        for socket, number in closing:
            answer = self.answer(number)
            good = answer.get("result") == {} or answer["error"]["data"]["name"] in accepted
            assert good, f"{self.name}: closing {socket} was answered with {answer}"
        self._open -= set(sockets)

    def open_now(self) -> tuple[int, int]:
        """Return how many sockets and contexts the peer says are open."""
        stats = self.call("stats")
        return stats["sockets"], stats["contexts"]

    def tidy(self) -> None:
        """Close what a test left open, and see that nothing stays."""
        self.close(*self._open, again=True)
        with self._news:
            self._answers.clear()
        assert self.stray == [], f"{self.name}: wrote what is no response on stdout"
        assert self.open_now() == (0, 0), f"{self.name}: sockets and contexts that stay open"

    # Its end.

    def hang_up(self) -> None:
        """Close the peer's stdin."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def ended(self, seconds: float = END_DEADLINE) -> int | None:
        """Wait for the end and return the exit code; None if it does not come."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def descendants(self) -> list[psutil.Process]:
        """Return the processes that the peer started and that still run, whatever session they moved to."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if (
                    process.environ().get(MARK) == self._mark
                    and process.pid != self.process.pid
                    and not gone(process.pid)
                ):
                    found.append(process)
        return found

    def kill(self) -> None:
        """End the peer."""
        self.process.kill()
        self.process.wait()
        self._reader.join(DEADLINE)
        self._log.join(DEADLINE)
        for pipe in filter(None, (self.process.stdin, self.process.stdout, self.process.stderr)):
            with contextlib.suppress(OSError):
                pipe.close()


@contextlib.contextmanager
def running(manifest: Manifest) -> Iterator[RawPeer]:
    """Start a peer that is killed at the end if it still lives."""
    peer = RawPeer(manifest)
    try:
        yield peer
    finally:
        peer.kill()
