"""Planted faults: each is one mistake that a ZeroMQ library could make, and that a check must catch.

``--fault NAME`` puts one around the blocking driver; the honest peer never imports this package. A fault acts
whenever it has the chance. Where a socket's state machine leaves it none (a REQ can't send twice), it does not.
A new fault is a class and a ``register`` in a module of this folder, any module: all are read.
"""

from importlib import import_module
from pkgutil import iter_modules

from .registry import FAULTS, plant

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f".{_module}", __name__)

__all__ = ["FAULTS", "plant"]
