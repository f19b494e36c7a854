"""Talking to one peer process: JSON-RPC over its pipes, with a deadline on every call.

A reader thread hands each response to the call that waits for it, so calls may overlap. What goes wrong is told
apart here: an error that the peer reports is `CallFailed`, a process that ended is `PeerCrash`, silence is
`PeerHang` (the peer is killed), and anything that the contract forbids is `ContractBreach`. After one of the last
three the peer is `broken` and must be thrown away.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import psutil

from harness.errors import CallFailed, ContractBreach, PeerCrash, PeerFault, PeerHang
from harness.host.exits import EXITS
from harness.places.face import Process
from harness.places.local import POLITE
from harness.places.sweep import PREFIX

CONTRACT_VERSION: Final = 1
PATIENCE: Final = 10.0
"""Seconds that a message may take to arrive before the peer reports a timeout; a healthy one takes milliseconds, and a
busy machine must not be mistaken for a lost message."""

STOP_DEADLINE: Final = 8.0
"""Seconds from end of stdin to the end of the process; the contract gives the peer 5."""

_ASKED: Final = 2.0  # seconds that a peer has to end after it was asked by a signal
_LAST_WORDS: Final = 0.5  # seconds; a crashed peer's stderr is evidence, unless a child of it holds the pipe open

_LOG_LINES: Final = 200
_STACKS: Final = 2.0  # seconds that a hung peer has to say where it hangs
_STACK_LINES: Final = 2_000
_PIPE_ROOM: Final = 4096
_LONGEST: Final = 1 << 26  # bytes of a response: 1,000 messages spelled out are some MiB; without an end it is a breach
_LONGEST_SAID: Final = 1 << 16  # bytes of stderr that are one line of the log
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class PendingCall:
    """A call that was sent and not yet answered."""

    __slots__ = ("_answer", "_client", "_deadline", "_ready", "method", "number", "patience")

    def __init__(self, client: PeerClient, method: str, number: int, patience: float) -> None:
        self._client = client
        self._deadline = time.perf_counter() + patience
        self.patience = patience
        self._ready = threading.Lock()
        self._ready.acquire()
        self._answer: dict[str, Any] | PeerFault | None = None
        self.method = method
        self.number = number

    def answer(self, answer: dict[str, Any] | PeerFault) -> None:
        """Hand in the answer; only the client calls this, once."""
        self._answer = answer
        self._ready.release()

    def done(self, wait: float = 0.0) -> bool:
        """Whether the answer is there, after at most `wait` seconds."""
        if self._ready.acquire(timeout=wait):
            self._ready.release()
            return True
        return False

    def result(self) -> dict[str, Any]:
        """Wait for the answer and return its result; raises a PeerFault."""
        if not self.done(max(0.0, self._deadline - time.perf_counter())):
            self._client.give_up(self)
        answer = self._answer
        if isinstance(answer, PeerFault):
            raise answer
        assert answer is not None
        if "error" in answer:
            error = answer["error"]
            raise CallFailed(
                self._client.name,
                self.method,
                error.get("code", 0),
                str(error.get("message", "")),
                error.get("data", {}),
            )
        result: dict[str, Any] = answer["result"]
        return result


class PeerClient:
    """One running peer."""

    def __init__(self, name: str, process: Process, patience: float = PATIENCE) -> None:
        self.name = name
        self.patience = patience
        self.grace = 2 * patience
        """Seconds that a call may take beyond its own waiting; a busy machine is no hang."""
        self.hello: dict[str, Any] = {}
        self.broken: PeerFault | None = None
        self._process = process
        self._numbers = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending: dict[int, PendingCall] = {}
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._stacks: list[str] | None = None
        self._given_up = False
        self._stopping = False
        self._ended = False
        self._threads = [
            threading.Thread(target=target, name=f"{name}-{what}", daemon=True)
            for what, target in (("reader", self._read), ("log", self._read_log))
        ]
        for thread in reversed(self._threads):  # the reader joins the other where the peer has ended already
            thread.start()

    @property
    def pid(self) -> int:
        """Process id on this machine."""
        return self._process.pid

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the peer's stderr."""
        return "\n".join(list(self._log)[-lines:])

    def call(self, method: str, params: dict[str, Any] | None = None, *, wait: float = 0.0) -> dict[str, Any]:
        """Send a request and wait for its result."""
        return self.start(method, params, wait=wait).result()

    def start(self, method: str, params: dict[str, Any] | None = None, *, wait: float = 0.0) -> PendingCall:
        """Send a request; `result()` of what is returned waits for the answer.

        `wait` is the time in seconds that the call itself may spend waiting, by its own parameters.
        """
        with self._lock:
            if self.broken is not None:
                raise self.broken
            self._numbers += 1
            number = self._numbers
            pending = self._pending[number] = PendingCall(self, method, number, wait + self.grace)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        self._write(_encode(request).encode() + b"\n", pending)
        return pending

    def _write(self, line: bytes, pending: PendingCall) -> None:
        """Write a request. A long one may fill the pipe of a peer that has stopped reading, so it is guarded."""
        guard = None
        if len(line) > _PIPE_ROOM:
            guard = threading.Timer(pending.patience, self.give_up, (pending,))
            guard.daemon = True
            guard.start()
        try:
            with self._writing:
                self._process.stdin.write(line)
                self._process.stdin.flush()
        except (OSError, ValueError):
            pass  # The reader sees the end of the process and answers every pending call.
        finally:
            if guard is not None:
                guard.cancel()

    def give_up(self, pending: PendingCall) -> None:
        """Kill a peer that did not answer in time, after asking it where it hangs."""
        fault = PeerHang(f"{self.name}: no answer to {pending.method} within the deadline; killed")
        fault.evidence = evidence = {}
        stacks = self._ask_by_call()
        with self._lock:
            self.broken = self.broken or fault  # it may end by being asked
        if stacks := stacks or self._ask_by_signal():
            evidence[f"stacks of {self.name}"] = stacks
        self._break(fault)
        self._process.kill()

    def _ask_by_call(self) -> str:
        """Return what a Windows program tells of its stacks, if it still answers another call; "" if not.

        Windows has no SIGQUIT, and Wine's would end a thread.
        """
        if self.hello.get("os") != "windows" or self._given_up:
            return ""
        self._given_up = True
        try:
            pending = self.start("dump")
            return str(pending.result()["text"]) if pending.done(_STACKS) else ""
        except PeerFault:
            return ""

    def _ask_by_signal(self) -> str:
        """Return what the process writes of itself when it gets SIGQUIT (section 1 of the contract); "" if nothing."""
        if self.hello.get("os") == "windows" or sys.platform == "win32" or self._stacks is not None:
            return ""
        lines: list[str] = []
        self._stacks = lines
        self._process.signal(signal.SIGQUIT)
        deadline = time.perf_counter() + _STACKS
        seen = -1
        while self._process.poll() is None and time.perf_counter() < deadline and not 0 < seen == len(lines):
            seen = len(lines)
            time.sleep(0.1)
        if self._process.poll() is not None:
            self._threads[1].join(_LAST_WORDS)
        return "\n".join(lines[:_STACK_LINES])

    def _break(self, fault: PeerFault) -> None:
        with self._lock:
            first = self.broken = self.broken or fault
            waiting, self._pending = list(self._pending.values()), {}
        for pending in waiting:
            pending.answer(first)

    def _read(self) -> None:
        try:
            for line in iter(lambda: self._process.stdout.readline(_LONGEST), b""):
                self._take(line)
        except ValueError as error:
            self._break(ContractBreach(f"{self.name}: {error}"))
            self._process.kill()
            return
        if not self._stopping:
            code = self._process.wait(STOP_DEADLINE)
            ending = "closed its stdout and went on" if code is None else f"ended with {describe_exit(code)}"
            if code is not None:
                self._threads[1].join(_LAST_WORDS)
            self._break(PeerCrash(f"{self.name}: the peer {ending}"))

    def _take(self, line: bytes) -> None:
        if len(line) == _LONGEST and not line.endswith(b"\n"):
            raise ValueError(f"wrote {len(line)} bytes on stdout without the end of a line")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise ValueError(f"wrote what is not JSON on stdout: {line[:80]!r}") from None
        if not _is_response(answer):
            raise ValueError(f"wrote what is no JSON-RPC response on stdout: {line[:80]!r}")
        with self._lock:
            pending = self._pending.pop(answer["id"], None)
        if pending is None:
            raise ValueError(f"answered a request that was not waiting: {line[:80]!r}")
        pending.answer(answer)

    def _read_log(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in iter(lambda: self._process.stderr.readline(_LONGEST_SAID), b""):
                text = line.decode("utf-8", "replace").rstrip()
                (self._log if self._stacks is None else self._stacks).append(text)

    @property
    def ended(self) -> bool:
        """Whether the process is gone and cleaned up."""
        return self._ended

    def pause(self) -> None:
        """Stop the process in its tracks, until `resume`; its library can do nothing meanwhile."""
        if sys.platform == "win32":
            psutil.Process(self.pid).suspend()
        else:
            self._process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        if sys.platform == "win32":
            psutil.Process(self.pid).resume()
        else:
            self._process.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the peer without ceremony, and remove what it could not."""
        self._stopping = True
        self._process.kill()
        self._clean()

    def hang_up(self) -> None:
        """Close the peer's stdin, which tells it to quit."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def stop(self) -> list[str]:
        """Hang up and wait for the end. Returns what the peer did wrong while it ended, one line each."""
        wrongs = []
        self.hang_up()
        code = self._process.wait(STOP_DEADLINE)
        if code is None:
            late = f"{self.name}: did not end within {STOP_DEADLINE:g} s of the end of its stdin"
            self._process.signal(POLITE)
            code = self._process.wait(_ASKED)
            wrongs.append(f"{late}; {'killed' if code is None else f'ended when asked by {POLITE.name}'}")
            self._process.kill()
        elif code != 0 and self.broken is None:
            wrongs.append(f"{self.name}: ended with {describe_exit(code)} instead of 0")
        wrongs += [f"{self.name}: left a child process behind: {child}" for child in self._process.survivors()]
        workdir = self.hello.get("workdir")
        if code == 0 and workdir and Path(workdir).exists():
            wrongs.append(f"{self.name}: left its working directory behind: {workdir}")
        self._clean()
        return wrongs

    def _clean(self) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join(STOP_DEADLINE)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        workdir = self.hello.get("workdir")
        if workdir and Path(workdir).name.startswith(PREFIX):
            shutil.rmtree(workdir, ignore_errors=True)


def _is_response(answer: Any) -> bool:
    if not isinstance(answer, dict) or answer.get("jsonrpc") != "2.0" or type(answer.get("id")) is not int:
        return False
    if ("error" in answer) == ("result" in answer):
        return False
    body = answer.get("error", answer.get("result"))
    return isinstance(body, dict) and ("error" not in answer or isinstance(body.get("data", {}), dict))


def describe_exit(code: int) -> str:
    """Say an exit code in words."""
    if code < 0:
        return f"signal {-code}"
    if why := EXITS.get(code):
        return f"exit code 0x{code:X} ({why})"
    return f"exit code {code:#x}" if code > 0xFFFF else f"exit code {code}"
