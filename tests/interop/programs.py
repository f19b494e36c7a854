"""Runs small programs that are no peers: their lines, their end, and nothing left behind."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Final

END_DEADLINE: Final = 30.0
"""Seconds that a program may take to end."""


class Program:
    """A running program."""

    def __init__(self, name: str, child: subprocess.Popen[str], patience: float) -> None:
        self.name = name
        self._child = child
        self._patience = patience
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors: list[str] = []
        self._said = threading.Event()
        assert child.stdout is not None
        assert child.stderr is not None
        self._threads = [
            threading.Thread(target=self._read, args=(child.stdout,), daemon=True),
            threading.Thread(target=self._errors.extend, args=(child.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._lines.put(line.rstrip("\r\n"))
            self._said.set()
        self._lines.put(None)
        self._said.set()

    def said(self, wait: float) -> bool:
        """Whether it has printed a line, or ended, after at most `wait` seconds."""
        return self._said.wait(wait)

    def line(self) -> str:
        """Return the next line that it prints."""
        try:
            line = self._lines.get(timeout=self._patience)
        except queue.Empty:
            raise AssertionError(f"{self.name} printed nothing within {self._patience:g} s") from None
        if line is None:
            self._child.wait(END_DEADLINE)
            raise AssertionError(f"{self.name} ended with code {self._child.returncode}: {''.join(self._errors)}")
        return line

    def end(self) -> list[str]:
        """End its standard input and wait for its end, without an error; returns the lines that were not yet read."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(END_DEADLINE)
        for thread in self._threads:
            thread.join(END_DEADLINE)
        assert (self._child.returncode, self._errors) == (0, []), f"{self.name} ended badly"
        rest = []
        while (line := self._lines.get()) is not None:
            rest.append(line)
        return rest


@contextmanager
def running(name: str, command: Sequence[str], patience: float) -> Iterator[Program]:
    """Run a program; it is killed if it is still there at the end. `patience` in seconds for each of its lines."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            yield Program(name, child, patience)
        finally:
            child.kill()
