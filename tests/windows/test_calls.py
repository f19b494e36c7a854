# ruff: noqa: E402 - the modules below exist on Windows alone, so the skip stands before them
"""Windows: what the system's own calls tell and do, for the process that asks."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("unsupported: these are Windows' calls", allow_module_level=True)
assert sys.platform == "win32"

from harness.host import windows, windows_look, windows_settings


def test_one_thread_is_pinned_and_the_process_is_not() -> None:
    process, whole = os.getpid(), windows.affinity(os.getpid(), os.getpid())
    told: list[list[int]] = []

    def pin() -> None:
        thread = threading.get_native_id()
        for cores in (whole[:1], whole):
            windows.set_affinity(process, thread, cores)
            told.append(windows.affinity(process, thread))

    worker = threading.Thread(target=pin)
    worker.start()
    worker.join(10)
    assert told == [whole[:1], whole]
    assert windows.affinity(process, process) == whole


def test_a_thread_that_is_gone_cannot_be_pinned() -> None:
    with pytest.raises(OSError, match=r"\[WinError"):
        windows.set_affinity(os.getpid(), 0x7FFF_FFF0, windows.affinity(os.getpid(), os.getpid()))


def test_a_set_up_is_looked_at_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dll = tmp_path / "libzmq-mt-4_3_5.dll"
    dll.write_bytes(b"no program")
    monkeypatch.setenv("PATH", str(tmp_path))
    seen = windows_look.look(tmp_path)
    assert [(one.path, one.architecture, one.version) for one in seen.dlls] == [(str(dll), "", "4.3.5")]
    assert (seen.go, seen.compiler, seen.compiler_target, seen.peer_imports) == ("", "?gcc", "", None)
    assert (seen.root, seen.loop) == (str(tmp_path), "ProactorEventLoop")


@pytest.mark.parametrize("name", ["power-plan", "priority-separation"])
def test_a_setting_of_the_machine_is_put_back_as_it_was_read(name: str) -> None:
    try:
        held = windows_settings.read(name)
        windows_settings.write(name, held)
    except OSError as reason:
        pytest.skip(f"unsupported: {reason}")  # it is not there, or needs an administrator
    assert windows_settings.read(name) == held
    assert all(held.values())
