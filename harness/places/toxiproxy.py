"""The network between two peers: a real Toxiproxy on loopback, built from its Go module.

`running()` gives this process's own Toxiproxy, started when first asked for. It must not outlive a run that is killed,
so a guard stands between: a process that waits for the end of its stdin, which comes with the harness's own end
whatever that is, and then ends Toxiproxy. Its version is pinned by `ci/toxiproxy/go.mod`.
"""

from __future__ import annotations

import atexit
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import psutil

from harness.errors import SetupFault
from harness.peers import build
from harness.peers.manifest import Manifest
from harness.places.ports import reserved

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
MANIFEST: Final = Manifest(
    name="toxiproxy",
    language="go",
    file=_ROOT / "ci" / "toxiproxy" / "go.mod",
    build=("go", "build", "-trimpath", "-o", "{output}", "github.com/Shopify/toxiproxy/v2/cmd/server"),
    sources=("go.mod", "go.sum"),
    toolchain=(("go", "version"),),
    run=("{output}", "-host", "127.0.0.1", "-port", "0"),
    env=(("CGO_ENABLED", "0"),),
)

DEADLINE: Final = 30.0
"""Seconds that Toxiproxy may take to listen, to answer a request, or to end."""

_GUARD: Final = """
import subprocess, sys
null = subprocess.DEVNULL
child = subprocess.Popen(sys.argv[1:], stdin=null, stdout=null, stderr=null)
print(child.pid, flush=True)
sys.stdin.buffer.read()
child.kill()
child.wait()
"""


class Network:
    """One proxy: what a client reaches at `endpoint` goes on to the server, through the toxics of the moment.

    The server's endpoint may be one where nobody listens yet. Changes act at once on connections that exist.
    """

    def __init__(self, toxiproxy: Toxiproxy, name: str, port: int, server: str) -> None:
        self._toxiproxy = toxiproxy
        self._path = f"/proxies/{name}"
        transport, _, upstream = server.partition("://")
        body = {"name": name, "listen": f"127.0.0.1:{port}", "upstream": upstream}
        self.endpoint = f"{transport}://{toxiproxy.ask('POST', '/proxies', body)['listen']}"

    def add(self, toxic: str, *streams: str, **attributes: int) -> None:
        """Add a toxic, by Toxiproxy's names, to both directions; `streams` may name one (`upstream`, `downstream`)."""
        for stream in streams or ("upstream", "downstream"):
            body = {"name": f"{toxic}-{stream}", "type": toxic, "stream": stream, "attributes": attributes}
            self._toxiproxy.ask("POST", f"{self._path}/toxics", body)

    def heal(self) -> None:
        """Remove all toxics, and let connections through again."""
        for toxic in self._toxiproxy.ask("GET", f"{self._path}/toxics"):
            self._toxiproxy.ask("DELETE", f"{self._path}/toxics/{toxic['name']}")
        self._toxiproxy.ask("POST", self._path, {"enabled": True})

    def cut(self) -> None:
        """Close every connection and refuse new ones, until `heal`."""
        self._toxiproxy.ask("POST", self._path, {"enabled": False})

    def remove(self) -> None:
        """Close every connection and forget this proxy."""
        self._toxiproxy.ask("DELETE", self._path)


class Toxiproxy:
    """A running Toxiproxy, and the guard that ends it."""

    def __init__(self) -> None:
        command = build.command(MANIFEST, _ROOT / ".build" / "tools")
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
        assert self._guard.stdout is not None
        try:
            self.pid = int(self._guard.stdout.readline())
            self._port = _listening(psutil.Process(self.pid))
        except (ValueError, psutil.NoSuchProcess):
            self.close()
            raise SetupFault(f"{command[0]}: Toxiproxy does not start; remove its folder and try again") from None
        self._numbers = itertools.count(1)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Make one request of the HTTP API and return its answer."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            said = answer.read().decode("utf-8", "replace")
        except OSError as error:
            raise SetupFault(f"Toxiproxy does not answer {method} {path}: {error}; run the cell again") from None
        finally:
            connection.close()
        if answer.status >= 300:
            raise SetupFault(f"Toxiproxy refuses {method} {path}: {answer.status} {said.strip()}")
        return json.loads(said) if said else None

    @contextmanager
    def before(self, server: str) -> Iterator[Network]:
        """Yield a network between its own endpoint and the server's; it ends with the block."""
        # A proxy that is cut gives its port up; without a reservation somebody else might get it.
        with reserved() as port:
            network = Network(self, f"network-{next(self._numbers)}", port, server)
            try:
                yield network
            finally:
                network.remove()

    def close(self) -> None:
        """End it."""
        for pipe in (self._guard.stdin, self._guard.stdout):
            assert pipe is not None
            pipe.close()
        self._guard.wait(DEADLINE)


def _listening(process: psutil.Process) -> int:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        for connection in process.net_connections("tcp4"):
            if connection.status == psutil.CONN_LISTEN:
                return int(connection.laddr.port)
        time.sleep(0.005)
    raise SetupFault(f"Toxiproxy (pid {process.pid}) does not listen within {DEADLINE:g} s")


@cache
def running() -> Toxiproxy:
    """Return this process's Toxiproxy, starting it if need be; it ends with this process."""
    started = Toxiproxy()
    atexit.register(started.close)
    return started
