"""Waits that end early, late or never, and errors under a wrong name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call
from ..server import Server
from .registry import register

_OPTIONS = ("RCVTIMEO", "SNDTIMEO")
_NEVER = 1e15  # ms


def _stretched(stretch: Callable[[float], float]) -> type[Server]:
    """Make a server whose waits take as long as ``stretch`` makes of their timeouts in ms."""

    def option(value: Any) -> Any:
        if type(value) is not int or value < 0:
            return value
        return -1 if (longer := stretch(value)) >= _NEVER else int(longer)

    class Stretching(Server):
        def dispatch(self, call: Call) -> None:
            params = call.params
            if "timeout" in params:
                params["timeout"] = stretch(params["timeout"])
            if params.get("option") in _OPTIONS and "value" in params:
                params["value"] = option(params["value"])
            options = params.get("options", {})
            options.update({name: option(options[name]) for name in _OPTIONS if name in options})
            super().dispatch(call)

    return Stretching


register("early", "ends every wait with a timeout after 60 % of it", server=_stretched(lambda ms: ms * 0.6))
register("late", "ends every wait with a timeout 400 ms too late", server=_stretched(lambda ms: ms + 400))
register(
    "no-timeout",
    "lets a wait with a timeout never time out; one of 0 ms is no wait",
    server=_stretched(lambda ms: _NEVER if ms else 0),
)


class _MisnamingServer(Server):
    def reply(self, identity: str | float | None, outcome: dict[str, Any]) -> None:
        data = outcome.get("error", {}).get("data", {})
        if data.get("name") in ("timeout", "state", "unroutable"):
            data["name"] = "library"
        super().reply(identity, outcome)


register("wrong-error", "calls errors timeout, state and unroutable just library", server=_MisnamingServer)


class _DeafServer(Server):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken: set[str | float | None] = set()

    def dispatch(self, call: Call) -> None:
        super().dispatch(call)  # refuses a handle that is closed already
        if call.method != "close":
            self._taken.add(call.identity)

    def reply(self, identity: str | float | None, outcome: dict[str, Any]) -> None:
        if identity in self._taken and outcome.get("error", {}).get("data", {}).get("name") == "closed":
            return
        super().reply(identity, outcome)


register("deaf-close", "never answers a call that waited when its socket was closed", server=_DeafServer)
