"""Interoperability tests between ZeroMQ peers, whatever their language."""

__version__ = "0.1.0"
