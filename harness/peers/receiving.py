"""A receive call under way: its messages, or what came until it failed."""

from __future__ import annotations

from harness.errors import CallFailed, ContractBreach
from harness.model.frames import Message, message_from_wire
from harness.peers.client import PendingCall


class Receiving:
    """A receive call under way."""

    def __init__(self, call: PendingCall, count: int) -> None:
        self._call = call
        self._count = count

    def done(self, wait: float = 0.0) -> bool:
        """Whether it has ended, after at most `wait` seconds."""
        return self._call.done(wait)

    def messages(self) -> list[Message]:
        """Wait for the end; raises CallFailed(timeout) with what came until then in its data."""
        try:
            result = self._call.result()
            messages = [message_from_wire(wire) for wire in result["messages"]]
        except CallFailed as error:
            if came := error.data.get("messages"):
                shown = "; ".join(repr(message_from_wire(wire)) for wire in came[:8])
                error.args = (f"{error.args[0]}; {len(came)} of {self._count} messages came: {shown:.600}",)
            raise
        except (KeyError, ValueError) as error:
            raise ContractBreach(f"an answer to recv breaks the contract: {error}") from None
        if len(messages) != self._count:
            raise ContractBreach(f"recv asked for {self._count} messages and was answered with {len(messages)}")
        return messages
