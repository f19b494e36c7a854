"""Exit codes of Windows that name what went wrong before or instead of the program's own end (NTSTATUS)."""

from __future__ import annotations

from typing import Final

EXITS: Final = {
    0xC0000005: "access violation: the program touched memory that is not its own",
    0xC000007B: "a DLL is for another processor: 32 and 64 bits are mixed, or x64 and arm64",
    0xC0000135: "a DLL was not found",
    0xC0000139: "a DLL lacks a function: it is of another version than the program was built with",
    0xC0000142: "a DLL did not start",
    0xC000013A: "ended by Ctrl-C or Ctrl-Break",
    0xC0000374: "the heap is damaged",
    0xC0000409: "the program aborted itself",
}
