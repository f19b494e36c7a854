"""File descriptors: each connection takes one, and a process may open only so many."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

if sys.platform == "win32":  # handles have no such limit there

    @contextlib.contextmanager
    def room_for(wanted: int) -> Iterator[int]:
        """Let processes that start meanwhile open `wanted` descriptors; yields how many they may."""
        yield sys.maxsize

else:
    import resource

    @contextlib.contextmanager
    def room_for(wanted: int) -> Iterator[int]:
        """Let processes that start meanwhile open `wanted` descriptors; yields how many they may.

        They inherit the limit of this process, which is raised as far as it is allowed to, and put back at the end.
        """
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft, hard = (sys.maxsize if limit == resource.RLIM_INFINITY else limit for limit in before)
        may = max(soft, wanted)
        try:
            if soft < wanted:
                may = _raise_to(wanted, before[1], hard)
            yield may
        finally:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, before)

    def _raise_to(wanted: int, hard: int, readable: int) -> int:
        if wanted > readable:
            with contextlib.suppress(ValueError, OSError):  # only the privileged raise the hard limit
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
                return wanted
        may = min(wanted, readable)
        resource.setrlimit(resource.RLIMIT_NOFILE, (may, hard))
        return may
