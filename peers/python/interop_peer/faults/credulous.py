"""A library that takes every word about security and encrypts, asks and checks nothing."""

from __future__ import annotations

from typing import Any

from ..drivers import pyzmq
from .registry import register


class _CredulousLink(pyzmq.ZmqLink):
    def set(self, name: str, value: Any) -> None:
        if not name.startswith(("PLAIN_", "CURVE_", "ZAP_")):
            super().set(name, value)


register("no-security", "accepts the options of PLAIN, CURVE and ZAP, and connects without them", link=_CredulousLink)
