"""What other systems (macOS) tell of the machine. An empty text means that they do not tell."""

from __future__ import annotations

import platform

from harness.host import NOT_HERE


def build() -> str:
    """Return the system's name and version."""
    return platform.platform()


def processor() -> str:
    """Return the processor's kind."""
    return platform.processor()


def container() -> str:
    """Return that nothing is told."""
    return ""


def virtual_machine() -> str:
    """Return that nothing is told."""
    return ""


def power_plan() -> str:
    """Return that nothing is told."""
    return ""


def clock_source() -> str:
    """Return that nothing is told."""
    return ""


def timer_resolution() -> str:
    """Return that nothing is told."""
    return ""


def defender() -> str:
    """Return that there is none."""
    return NOT_HERE


def registry(key: str, name: str) -> str:
    """Return that there is none."""
    return NOT_HERE
