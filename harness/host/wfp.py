"""The Windows Filtering Platform, as far as a block on loopback needs it: its structures, and the filters of a rule.

Ordinary rules of the Windows firewall never see loopback traffic; filters of this platform do. They are added in a
*dynamic session*: Windows removes them when the process that opened it ends, whatever ends it. Structures and tables
can be read on every system; only `Session` needs Windows. Names are those of fwptypes.h and fwpmtypes.h.
"""

from __future__ import annotations

import ctypes
import sys
import uuid
from collections.abc import Iterator
from ctypes import POINTER, Structure, Union, byref, c_int, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p, c_wchar_p
from typing import Any, Final

from harness.errors import Unsupported
from harness.host.rules import Rule

BLOCK: Final = 0x1001
"""FWP_ACTION_BLOCK."""

_DYNAMIC: Final = 1  # FWPM_SESSION_FLAG_DYNAMIC
_WINNT: Final = 10  # RPC_C_AUTHN_WINNT
_EQUAL: Final = 0  # FWP_MATCH_EQUAL
_TCP: Final = 6
_UINT8, _UINT16, _BLOB = 1, 2, 12  # FWP_DATA_TYPE
_FIRST: Final = 0xFFFF  # the weight of our sublayer, so that nothing allows what we block

LAYERS: Final = {
    "inbound transport": ("5926dfc8-e3cf-4426-a283-dc393f5d0f9d", "634a869f-fc23-4b90-b0c1-bf620a36ae6f"),
    "outbound transport": ("09e61aea-d214-46e2-9b21-b26b0b2f28c8", "e1735bde-013f-4655-b351-a49e15762df0"),
    "accept": ("e1cd9fe7-f4b5-4273-96c0-592e487b8650", "a3b42c97-9f04-4672-b87e-cee9c483257f"),
    "connect": ("c38d57d1-05a7-4c33-904f-7fbceee60e82", "4a72393b-319f-44bc-84c3-ba54dcb3b6b4"),
}
"""Keys of the layers for IPv4 and IPv6. Packets pass the first two, new connections the others."""

PROGRAM: Final = "d78e1e87-8644-4ea5-9437-d809ecefc971"
PROTOCOL: Final = "3971ef2b-623e-4f9a-8cb1-6e79b806b9a7"
LOCAL_PORT: Final = "0c1ba1af-5765-453f-af22-a8f791ac775b"


def layers(rule: Rule) -> Iterator[str]:
    """Yield the keys of the layers that a block belongs into.

    A port is blocked packet by packet. Only the layers of new connections know programs; Windows asks them again about
    standing connections when a filter comes.
    """
    ways = (
        {"in": "accept", "out": "connect"} if rule.program else {"in": "inbound transport", "out": "outbound transport"}
    )
    for way, layer in ways.items():
        if rule.direction in (way, "both"):
            yield from LAYERS[layer]


class Guid(Structure):
    """GUID."""

    _fields_ = (("data", c_uint8 * 16),)

    @classmethod
    def of(cls, text: str) -> Guid:
        """Return the GUID that a text spells."""
        return cls.from_buffer_copy(uuid.UUID(text).bytes_le)


class DisplayData(Structure):
    """FWPM_DISPLAY_DATA0."""

    _fields_ = (("name", c_wchar_p), ("description", c_wchar_p))


class Blob(Structure):
    """FWP_BYTE_BLOB."""

    _fields_ = (("size", c_uint32), ("data", c_void_p))


class Session0(Structure):
    """FWPM_SESSION0."""

    _fields_ = (
        ("sessionKey", Guid),
        ("displayData", DisplayData),
        ("flags", c_uint32),
        ("txnWaitTimeoutInMSec", c_uint32),
        ("processId", c_uint32),
        ("sid", c_void_p),
        ("username", c_wchar_p),
        ("kernelMode", c_int),
    )


class SubLayer0(Structure):
    """FWPM_SUBLAYER0."""

    _fields_ = (
        ("subLayerKey", Guid),
        ("displayData", DisplayData),
        ("flags", c_uint32),
        ("providerKey", POINTER(Guid)),
        ("providerData", Blob),
        ("weight", c_uint16),
    )


class _Data(Union):
    _fields_ = (("uint8", c_uint8), ("uint16", c_uint16), ("pointer", c_void_p), ("uint64", c_uint64))


class Value0(Structure):
    """FWP_VALUE0, and FWP_CONDITION_VALUE0, which has the same form."""

    _fields_ = (("type", c_int), ("data", _Data))


class Condition0(Structure):
    """FWPM_FILTER_CONDITION0."""

    _fields_ = (("fieldKey", Guid), ("matchType", c_int), ("conditionValue", Value0))


class Action0(Structure):
    """FWPM_ACTION0."""

    _fields_ = (("type", c_uint32), ("filterType", Guid))


class _Context(Union):
    _fields_ = (("rawContext", c_uint64), ("providerContextKey", Guid))


class Filter0(Structure):
    """FWPM_FILTER0."""

    _fields_ = (
        ("filterKey", Guid),
        ("displayData", DisplayData),
        ("flags", c_uint32),
        ("providerKey", POINTER(Guid)),
        ("providerData", Blob),
        ("layerKey", Guid),
        ("subLayerKey", Guid),
        ("weight", Value0),
        ("numFilterConditions", c_uint32),
        ("filterCondition", POINTER(Condition0)),
        ("action", Action0),
        ("context", _Context),
        ("reserved", POINTER(Guid)),
        ("filterId", c_uint64),
        ("effectiveWeight", Value0),
    )


def condition(field: str, kind: int, value: int) -> Condition0:
    """Return the condition that a field equals a number, or what a pointer leads to."""
    found = Condition0(Guid.of(field), _EQUAL, Value0(kind, _Data()))
    name = {_UINT8: "uint8", _UINT16: "uint16", _BLOB: "pointer"}[kind]
    setattr(found.conditionValue.data, name, value)
    return found


def conditions(rule: Rule, program: int = 0) -> list[Condition0]:
    """Return a rule's conditions; those of one field are alternatives. `program`: the address of its program's blob."""
    found = [condition(PROTOCOL, _UINT8, _TCP)]
    found += [condition(LOCAL_PORT, _UINT16, port) for port in rule.ports]
    if rule.program is not None:
        found.append(condition(PROGRAM, _BLOB, program))
    return found


class Session:
    """A dynamic session with a sublayer of its own; its filters end with the process. Unsupported where refused."""

    _library: Any
    _engine: c_void_p
    _sublayer: str
    _filters: list[c_uint64]

    def __init__(self) -> None:
        if sys.platform != "win32":
            raise Unsupported("the Windows Filtering Platform is Windows'")
        self._library = ctypes.WinDLL("fwpuclnt")
        self._engine = c_void_p()
        self._sublayer = str(uuid.uuid4())
        self._filters = []
        session = Session0(displayData=DisplayData("zmq-interop", None), flags=_DYNAMIC)
        self._call("FwpmEngineOpen0", None, c_uint32(_WINNT), None, byref(session), byref(self._engine))
        layer = SubLayer0(Guid.of(self._sublayer), DisplayData("zmq-interop", None), weight=_FIRST)
        self._call("FwpmSubLayerAdd0", self._engine, byref(layer), None)

    def block(self, rule: Rule) -> None:
        """Add the filters of a block."""
        blob = POINTER(Blob)()
        if rule.program is not None:
            self._call("FwpmGetAppIdFromFileName0", c_wchar_p(str(rule.program)), byref(blob))
        try:
            given = conditions(rule, ctypes.cast(blob, c_void_p).value or 0)
            for key in layers(rule):
                self._add(key, given)
        finally:
            if blob:
                self._library.FwpmFreeMemory0(byref(blob))

    def _add(self, layer: str, given: list[Condition0]) -> None:
        number = c_uint64()
        added = Filter0(
            displayData=DisplayData("zmq-interop", None),
            layerKey=Guid.of(layer),
            subLayerKey=Guid.of(self._sublayer),
            numFilterConditions=len(given),
            filterCondition=(Condition0 * len(given))(*given),
            action=Action0(BLOCK),
        )
        self._call("FwpmFilterAdd0", self._engine, byref(added), None, byref(number))
        self._filters.append(number)

    def clear(self) -> None:
        """Remove every filter."""
        while self._filters:
            self._call("FwpmFilterDeleteById0", self._engine, self._filters.pop())

    def close(self) -> None:
        """End the session, and its filters with it."""
        self._library.FwpmEngineClose0(self._engine)

    def _call(self, name: str, *arguments: object) -> None:
        function = getattr(self._library, name)
        function.restype = c_uint32
        if code := function(*arguments):
            raise Unsupported(f"the Windows Filtering Platform refuses: {name} answers {code:#x}")
