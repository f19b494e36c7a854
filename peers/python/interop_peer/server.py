"""The contract's server: reads requests, answers those about the peer itself, passes the rest to the driver."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

from . import __version__, handles, lines, machine
from .calls import Call, parse, response
from .driver import Driver, Registry
from .errors import REQUEST, InvalidError, PeerError, ProtocolError
from .lifetime import Lifetime, Workdir
from .params import check

CONTRACT = 1


class Server:
    """One peer: a driver behind the control channel."""

    def __init__(self, workdir: Workdir, lifetime: Lifetime, writer: lines.Writer) -> None:
        """Set up without a driver; ``serve`` takes it."""
        self.workdir = workdir
        self.registry = Registry()
        self._lifetime = lifetime
        self._writer = writer
        self._driver: Driver
        self._own: dict[str, Callable[[Call], None]] = {
            "hello": self.hello,
            "stats": self.stats,
            "dump": self.dump,
            "quit": self.quit,
            "open": lambda call: self._driver.open(call),
            "close": self.close,
            "abandon": self.abandon,
        }

    def serve(self, driver: Driver, descriptor: int) -> None:
        """Answer requests from ``descriptor`` until it ends; then ask for the end of the process."""
        self._driver = driver
        gc.freeze()  # what is there now stays, so no collection need look at it
        try:
            for line in lines.read(descriptor):
                self._handle(line)
        except OSError:
            pass  # nobody at the other end any more: the same as its end
        finally:
            self._lifetime.end()

    def _handle(self, line: bytes | None) -> None:
        try:
            if line is None:
                raise ProtocolError(REQUEST, f"the line has more than {lines.LIMIT} bytes")
            if not line or line == b"\r":
                return
            call = parse(line, self.reply)
        except ProtocolError as error:
            self.reply(error.identity, {"error": {"code": error.code, "message": str(error)}})
            return
        try:
            check(call.method, call.params)
            self.dispatch(call)
        except Exception as error:
            call.fail(error)

    def dispatch(self, call: Call) -> None:
        """Pass a call with well-formed parameters to whoever answers it."""
        if own := self._own.get(call.method):
            own(call)
            return
        if own := self._driver.own.get(call.method):
            own(call)
            return
        socket = self.registry.find(call.params["socket"])
        if "backend" in call.params:
            call.backend = self.registry.find(call.params["backend"], "backend")
            if call.backend is socket:
                raise InvalidError("'backend' is the socket itself")
        socket.submit(call)

    def reply(self, identity: str | float | None, outcome: dict[str, Any]) -> None:
        """Write one response; from any thread."""
        line = response(identity, outcome)
        if len(line) > lines.LIMIT:
            text = f"the answer would take {len(line)} bytes, and a line holds {lines.LIMIT}"
            line = response(identity, {"error": PeerError("library", text).to_json()})
        try:
            self._writer.write(line)
        except OSError:
            self._lifetime.end()

    def hello(self, call: Call) -> None:
        """Say who this is and what the library can."""
        call.answer(self.greeting())

    def greeting(self) -> dict[str, Any]:
        """Make the result of ``hello``."""
        about = self._driver.describe()
        return {
            "contract": CONTRACT,
            "peer": f"peer-{about['implementation']} {__version__}",
            **about,
            "runtime": machine.RUNTIME,
            "os": machine.OS,
            "arch": machine.ARCH,
            "pid": os.getpid(),
            "workdir": self.workdir.path,
        }

    def stats(self, call: Call) -> None:
        """Say what is open now."""
        call.answer(self.counts(collect=call.params.get("collect", False)))

    def counts(self, *, collect: bool = False) -> dict[str, Any]:
        """Make the result of ``stats``."""
        sockets = self.registry.count()
        if collect:
            gc.collect()
        counts: dict[str, Any] = {"sockets": sockets, "contexts": self._driver.open_contexts(), **machine.counts()}
        if switches := machine.switches():
            counts["switches"] = switches
        return counts

    def dump(self, call: Call) -> None:
        """Show every stack, and what every open handle is."""
        dump: dict[str, Any] = {"text": machine.stacks() + self._driver.dump()}
        if (open_handles := handles.describe()) is not None:
            dump["handles"] = open_handles
        call.answer(dump)

    def close(self, call: Call) -> None:
        """Close one socket."""
        self.registry.find(call.params["socket"]).close(call)

    def abandon(self, call: Call) -> None:
        """Forget one socket."""
        self.registry.find(call.params["socket"]).close(call, abandon=True)

    def quit(self, call: Call) -> None:
        """Answer, then end."""
        call.answer({})
        self._lifetime.end()
