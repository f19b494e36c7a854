"""The tap of a cell: puts a recorder before each endpoint that a peer of the cell connects to.

Only the side that connects is led astray: it gets the recorder's endpoint wherever the check names the listener's, and
whatever it tells of it is told as the listener's again. So a check may bind again on an endpoint, compare endpoints, or
hand them on, and sees what it would see without a recorder. What cannot be recorded goes straight on, with a note.
"""

from __future__ import annotations

from harness.wire.record import KEEP, Recording
from harness.wire.recorder import Recorder
from harness.wire.straight import Straight


class Tap(Straight):
    """The recorders of one run of a cell; end them with `stop`. `raw` says that the cell speaks no ZMTP."""

    def __init__(self, *, raw: bool = False, keep: int = KEEP) -> None:
        self._raw = raw
        self._keep = keep
        self._recorders: dict[str, Recorder] = {}
        self._real: dict[str, str] = {}
        self._binders: dict[str, str] = {}
        self._notes: dict[str, None] = {}
        self._over = False

    def bound(self, endpoint: str, peer: str) -> None:
        """Note that a peer listens on an endpoint from now on."""
        self._binders[endpoint] = peer
        if recorder := self._recorders.get(endpoint):
            recorder.informed = True
            recorder.listen()

    def towards(self, endpoint: str, peer: str) -> str:
        """Return the endpoint that a peer connects to in place of the one that it was given."""
        if self._over:
            return endpoint
        try:
            recorder = self._recorders.get(endpoint)
            if recorder is None:
                recorder = self._recorders[endpoint] = Recorder(endpoint, self._keep)
                # A listener that is no socket of a peer (a proxy, say) comes back unannounced.
                recorder.informed = endpoint in self._binders
                self._real[recorder.endpoint] = endpoint
            recorder.expect()
        except (OSError, ValueError) as reason:
            self._notes[f"{endpoint} was not recorded: {reason}"] = None
            return endpoint
        record = recorder.recording
        if peer not in record.connects.split(", "):
            record.connects = f"{record.connects}, {peer}".removeprefix(", ")
        return recorder.endpoint

    def instead(self, endpoint: str) -> str:
        """Return the endpoint that stands for one that was connected to before."""
        recorder = self._recorders.get(endpoint)
        return recorder.endpoint if recorder else endpoint

    def real(self, endpoint: str) -> str:
        """Return the endpoint that a recorder's stands for."""
        return self._real.get(endpoint, endpoint)

    def stop(self) -> tuple[list[Recording], list[str]]:
        """End all recorders; returns what they recorded, and what was not recorded and why."""
        self._over = True
        recordings = []
        for endpoint, recorder in self._recorders.items():
            record = recorder.stop()
            record.raw = self._raw
            record.binds = self._binders.get(endpoint, "")
            recordings.append(record)
        self._recorders.clear()
        return recordings, list(self._notes)
