"""No recorder between two peers: every endpoint stands for itself. `tap.Tap` puts recorders there instead."""

from __future__ import annotations


class Straight:
    """What a peer asks about the endpoints that it is told to use."""

    def bound(self, endpoint: str, peer: str) -> None:
        """Note that a peer listens on an endpoint from now on."""

    def towards(self, endpoint: str, peer: str) -> str:
        """Return the endpoint that a peer connects to in place of the one that it was given."""
        return endpoint

    def instead(self, endpoint: str) -> str:
        """Return the endpoint that stands for one that was connected to before."""
        return endpoint

    def real(self, endpoint: str) -> str:
        """Return the endpoint that one which a peer tells of stands for."""
        return endpoint
