"""The endpoints that a peer chooses itself (section 4 of the contract): nobody else picks a path or a name."""

from __future__ import annotations

import os
from itertools import count

from .errors import InvalidError
from .lifetime import Workdir


class Endpoints:
    """Turns the wildcards that libraries do not know into concrete endpoints."""

    def __init__(self, workdir: Workdir) -> None:
        """Choose paths below ``workdir``."""
        self._workdir = workdir
        self._numbers = count(1)

    def concrete(self, endpoint: str) -> str:
        """Give an endpoint that ``bind`` can take; a port is left to the library and the system.

        :raises InvalidError: if it is no endpoint at all.
        """
        transport, separator, address = endpoint.partition("://")
        if not separator or not transport or not address:
            raise InvalidError(f"'{endpoint}' is not an endpoint: transport://address")
        if endpoint == "ipc://*":
            return f"ipc://{self._workdir.path}{os.sep}{next(self._numbers)}"
        if endpoint == "ipc://@*":
            return f"ipc://@zmq-interop-{os.getpid()}-{next(self._numbers)}"
        if endpoint == "inproc://*":
            return f"inproc://zmq-interop-{os.getpid()}-{next(self._numbers)}"
        return endpoint

    def own_path(self, endpoint: str) -> str | None:
        """Give the path of an ``ipc`` endpoint that lies below the working directory."""
        path = endpoint.removeprefix("ipc://")
        return path if path != endpoint and path.startswith(self._workdir.path) else None
