"""What a Windows program or DLL says of itself in its header (PE): which processor it is for, which DLLs it needs."""

from __future__ import annotations

import struct
from typing import Final

_MACHINES: Final = {0x8664: "x64", 0x14C: "x86", 0xAA64: "arm64"}


def machine(image: bytes) -> str:
    """Return `x64`, `x86` or `arm64`, or the number of another processor in hex. ValueError for what is no PE file."""
    start = _header(image)
    number = struct.unpack_from("<H", image, start + 4)[0]
    return _MACHINES.get(number, f"{number:#x}")


def imports(image: bytes) -> list[str]:
    """Return the names of the DLLs that the system loads with it. ValueError for what is no PE file."""
    start = _header(image)
    try:
        sections, optional_size = (
            struct.unpack_from("<H", image, start + 6)[0],
            struct.unpack_from("<H", image, start + 20)[0],
        )
        optional = start + 24
        wide = struct.unpack_from("<H", image, optional)[0] == 0x20B
        table = struct.unpack_from("<I", image, optional + (112 if wide else 96) + 8)[0]
        names = []
        entry = _at(image, table, optional + optional_size, sections) if table else 0
        while entry:
            name = struct.unpack_from("<I", image, entry + 12)[0]
            if not name:
                break
            place = _at(image, name, optional + optional_size, sections)
            names.append(image[place : image.index(b"\0", place)].decode("ascii", "replace"))
            entry += 20
        return names
    except (struct.error, ValueError):
        raise ValueError("a damaged PE file") from None


def _header(image: bytes) -> int:
    """Return where the PE header begins."""
    if image[:2] == b"MZ" and len(image) >= 64:
        start: int = struct.unpack_from("<I", image, 60)[0]
        if image[start : start + 4] == b"PE\0\0" and len(image) >= start + 24:
            return start
    raise ValueError("not a PE file")


def _at(image: bytes, address: int, sections: int, count: int) -> int:
    """Return where an address of the loaded image lies in the file."""
    for number in range(count):
        size, first, raw_size, raw = struct.unpack_from("<IIII", image, sections + 40 * number + 8)
        if first <= address < first + max(size, raw_size):
            return int(address - first + raw)
    raise ValueError("an address outside of all sections")
