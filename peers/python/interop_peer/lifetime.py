"""How the process ends: end of input, ``quit`` or a signal, always within five seconds and leaving no file.

The main thread does nothing but wait here. Python runs signal handlers in it only, and a wake-up
socket is the one thing that ends a wait on Windows as well as on Linux.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import signal
import socket
import sys
import tempfile
import threading

GRACE = 4.0  # seconds for the library to close its sockets; the contract allows 5 for everything
_LAG = 0.5  # seconds for the reader to work through what came before the input's end
_LAST_RESORT = 4.7  # seconds; C code that never lets go of the interpreter lock stops even the watchdog
_PATH_ROOM = 80  # bytes; a socket path ends at 107, and the peer's own names take up to 20


class Workdir:
    """The directory below which every path that this peer chooses lies."""

    def __init__(self) -> None:
        """Make a directory of this process's own, with a path that leaves room for a socket's name."""
        prefix = f"zmq-interop-{os.getpid()}-"
        self.path = tempfile.mkdtemp(prefix=prefix)
        if len(os.fsencode(self.path)) > _PATH_ROOM and os.path.isdir("/tmp"):
            os.rmdir(self.path)
            self.path = tempfile.mkdtemp(prefix=prefix, dir="/tmp")

    def remove(self) -> None:
        """Remove it with everything in it, whatever state that is in."""
        try:
            os.rmdir(self.path)
        except OSError:
            import shutil  # seldom needed

            shutil.rmtree(self.path, ignore_errors=True)


class Lifetime:
    """Waits for the end, and sees to it that the end comes."""

    def __init__(self, workdir: Workdir) -> None:
        """Take over the signals that ask a process to end. Must run in the main thread."""
        self._workdir = workdir
        self._waiting, self._waking = socket.socketpair()
        self._waking.setblocking(False)
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"):
            if number := getattr(signal, name, None):
                signal.signal(number, lambda *_: None)  # the wake-up socket is the handler
        if sys.platform != "win32":
            with contextlib.suppress(Exception):  # a stderr without descriptor
                faulthandler.register(signal.SIGQUIT, file=sys.__stderr__ or sys.stderr)

    def end(self) -> None:
        """Ask for the end, from any thread."""
        with contextlib.suppress(OSError):
            self._waking.send(b"\0")

    def wait(self, input_descriptor: int) -> None:
        """Return when the end has been asked for, or the input hangs up; the watchdog runs from then on."""
        if sys.platform != "win32":
            poll = select.poll()
            poll.register(self._waiting, select.POLLIN)
            poll.register(input_descriptor, 0)  # tells of a hang-up and of nothing else
            poll.poll()
            # After a hang-up the reader comes to the end by itself, unless nobody takes its answers
            self._waiting.settimeout(_LAG)
        with contextlib.suppress(TimeoutError):
            self._waiting.recv(1)
        with contextlib.suppress(Exception):  # a stderr without descriptor
            faulthandler.dump_traceback_later(_LAST_RESORT, exit=True, file=sys.__stderr__ or sys.stderr)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        threading.Event().wait(GRACE)
        print("closing took too long; the process ends anyway", file=sys.stderr, flush=True)  # noqa: T201
        self.finish()

    def finish(self) -> None:
        """End the process now, with code 0, skipping whatever the library still holds."""
        self._workdir.remove()
        os._exit(0)
