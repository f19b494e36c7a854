"""The contract's errors (section 3), and nothing about any library."""

from __future__ import annotations

from typing import Any

PARSE = -32700
REQUEST = -32600
METHOD = -32601
PARAMS = -32602
FAILED = -32000


class PeerError(Exception):
    """A call that did not succeed: one of the contract's names, with the library's own errno and words."""

    code = FAILED

    def __init__(self, name: str, message: str, *, errno: int | None = None, text: str | None = None) -> None:
        """Keep what the library said; ``data`` later takes how far the call came."""
        super().__init__(message)
        self.data: dict[str, Any] = {"name": name}
        if errno is not None:
            self.data["errno"] = errno
        if text is not None:
            self.data["text"] = text

    def to_json(self) -> dict[str, Any]:
        """Give the ``error`` member of a response."""
        return {"code": self.code, "message": str(self), "data": self.data}


class InvalidError(PeerError):
    """The caller's fault: a parameter is missing, unknown, of the wrong type or out of range."""

    code = PARAMS

    def __init__(self, message: str, *, errno: int | None = None, text: str | None = None) -> None:
        """Say which parameter, and why."""
        super().__init__("invalid", message, errno=errno, text=text)


class ProtocolError(Exception):
    """A line that is no call at all: it has a code, and no ``data``."""

    def __init__(self, code: int, message: str, identity: str | float | None = None) -> None:
        """``identity`` is the request's id where it has a valid one."""
        super().__init__(message)
        self.code = code
        self.identity = identity


def closed() -> PeerError:
    """Make the error of a handle that was closed before the call, or while it waited."""
    return PeerError("closed", "the socket is closed")


def timed_out() -> PeerError:
    """Make the error of a call whose own ``timeout`` ran out."""
    return PeerError("timeout", "the call's timeout ran out")


def unsupported(what: str) -> PeerError:
    """Make the error for something that the library does not have."""
    return PeerError("unsupported", f"this library has no {what}")
