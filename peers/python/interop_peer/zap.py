"""A ZAP handler (27/ZAP) for one context: whom its policy does not list is refused, whatever the mechanism.

pyzmq's own authenticator lets every NULL client in and does not match domains as the contract wants it.
"""

from __future__ import annotations

import hmac
import threading
from typing import Any

import zmq
from zmq.utils import z85

ENDPOINT = "inproc://zeromq.zap.01"  # 27/ZAP: where a server looks for its handler


class Handler:
    """A thread that answers libzmq's questions until its context ends."""

    def __init__(self, context: zmq.Context[Any], params: dict[str, Any]) -> None:
        """Begin; ``params`` are those of the contract's method ``zap``."""
        self._domain: str | None = params.get("domain")
        self._plain: dict[str, str] = params.get("plain", {})
        self._curve: Any = params.get("curve", [])
        # The context may be an asyncio one, whose sockets would not block
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.shadow(context.underlying)
        self._socket = self._context.socket(zmq.REP)
        try:
            self._socket.set(zmq.LINGER, 0)
            self._socket.bind(ENDPOINT)
        except BaseException:
            self._socket.close()
            raise
        self.thread = threading.Thread(target=self._serve, name="zap", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        try:
            while True:
                self._socket.send_multipart(self.reply(self._socket.recv_multipart()))
        except zmq.ZMQError:  # the context ends, and waits for this socket
            self._socket.close()

    def reply(self, request: list[bytes]) -> list[bytes]:
        """Answer one request."""
        if len(request) < 6 or request[0] != b"1.0":
            identity = request[1] if len(request) > 1 else b""
            return [b"1.0", identity, b"500", b"not a request of ZAP 1.0", b"", b""]
        # 27/ZAP: version, request id, domain, address, routing id, mechanism, credentials
        _, identity, domain, _, _, mechanism, *credentials = request
        user = self.admitted(domain.decode(errors="replace"), mechanism.decode(errors="replace"), credentials)
        if user is None:
            return [b"1.0", identity, b"400", b"not listed", b"", b""]
        return [b"1.0", identity, b"200", b"OK", user.encode(), b""]

    def admitted(self, domain: str, mechanism: str, credentials: list[bytes]) -> str | None:
        """Give the user whom these credentials show, or None to refuse."""
        if self._domain is not None and domain != self._domain:
            return None
        if mechanism == "PLAIN" and len(credentials) == 2:
            name, password = (credential.decode(errors="replace") for credential in credentials)
            expected = self._plain.get(name)
            known = expected is not None and hmac.compare_digest(expected.encode(), password.encode())
            return name if known else None
        if mechanism == "CURVE" and len(credentials) == 1 and len(credentials[0]) == 32:
            key = z85.encode(credentials[0]).decode()
            return key if self._curve == "any" or key in self._curve else None
        return None  # NULL has no credentials that could be listed
