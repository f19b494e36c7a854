"""A swarm whose workers leave before their last message has gone out."""

from __future__ import annotations

from typing import Any

from ..calls import Call
from ..crowd import swarm
from ..drivers import pyzmq
from ..features import in_thread
from .registry import register


class _HastyDriver(pyzmq.PyzmqDriver):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.own["swarm"] = self._hasty_swarm

    def _hasty_swarm(self, call: Call) -> None:
        params = call.params

        def hasty() -> dict[str, Any]:
            result = swarm(self.contexts, params | {"count": params["count"] - 1})
            return result | {"sent": result["sent"] + params["workers"]}

        in_thread(self._server.registry, call, hasty)


register("hasty-swarm", "loses the last message of every worker of a swarm, and counts it as sent", driver=_HastyDriver)
