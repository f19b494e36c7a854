"""The doctor's judgement of a Windows machine, from made-up facts; and what programs say of themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pip
import pytest

from harness.host import pe
from harness.host.exits import EXITS
from harness.host.windows_look import dlls
from harness.host.windows_setup import Dll, Setup, architecture, findings, version
from harness.peers.client import describe_exit

PROGRAMS = Path(pip.__file__).parent / "_vendor" / "distlib"
"""Real programs for Windows that come with pip: t is for a terminal, w for a window."""

VCPKG_DLL = Dll(r"C:\vcpkg\installed\x64-windows\bin\libzmq-mt-4_3_5.dll", "x64", "4.3.5")

SOUND = Setup(
    go="go version go1.26.6 windows/amd64",
    compiler=r"C:\mingw64\bin\gcc.exe",
    compiler_target="x86_64-w64-mingw32",
    vcpkg=r"C:\vcpkg",
    dlls=(VCPKG_DLL,),
    peer_imports=("KERNEL32.dll", "libzmq-mt-4_3_5.dll"),
    long_paths=True,
    root=r"C:\src\interop",
    temp=r"C:\Users\kim\AppData\Local\Temp",
    user="kim",
    loop="ProactorEventLoop",
)


def found(setup: Setup) -> dict[str, tuple[bool | None, str]]:
    return {name: (finding.good, finding.text) for name, finding in findings(setup)}


def test_a_sound_machine_has_nothing_that_is_bad() -> None:
    assert [name for name, (good, _) in found(SOUND).items() if good is False] == []


LDFLAGS = {"ldflags": "-LC:/zmq/lib -lzmq"}


@pytest.mark.parametrize(
    ("changes", "name", "good", "says"),
    [
        ({"go": ""}, "Go's architecture", False, "install Go"),
        ({"compiler": "?gcc"}, "C compiler of cgo", False, "there is no gcc"),
        ({"compiler": r"C:\VS\cl.exe"}, "C compiler of cgo", False, "cgo cannot use Microsoft's"),
        ({"compiler_target": "i686-w64-mingw32"}, "C compiler of cgo", False, "is for x86, Go for x64"),
        ({"vcpkg": ""}, "libzmq's headers and import library", False, "set VCPKG_INSTALLATION_ROOT"),
        ({"vcpkg": "", "msys2": r"C:\msys64\ucrt64"}, "libzmq's headers and import library", False, "CGO_LDFLAGS=-L"),
        (LDFLAGS, "libzmq's headers and import library", False, "CGO_CFLAGS has no -I"),
        ({**LDFLAGS, "cflags": "-IC:/zmq"}, "libzmq's headers and import library", True, "CGO_LDFLAGS=-LC:/zmq/lib"),
        ({"dlls": ()}, "libzmq's DLL", False, "0xC0000135 (a DLL was not found)"),
        ({"dlls": (), "peer_imports": ("KERNEL32.dll",)}, "libzmq's DLL", None, "the peer needs none"),
        ({"dlls": (Dll(r"C:\old\libzmq.dll", "x86"), VCPKG_DLL)}, "libzmq's DLL", False, "0xC000007B"),
        ({"dlls": (Dll(r"C:\old\libzmq.dll", ""),)}, "libzmq's DLL", False, "is no DLL"),
        ({"dlls": (Dll(r"C:\old\libzmq-3_2_5.dll", "x64"),)}, "libzmq's DLL", False, "needs 4.0.1"),
        ({"dlls": (VCPKG_DLL, Dll(r"D:\libzmq-4_3_4.dll", "x64"))}, "libzmq's DLL", True, "not taken: 4.3.4"),
        ({"dlls": (Dll(r"C:\libzmq-mt-gd-4_3_5.dll", "x64"),)}, "libzmq's DLL", False, "debug build"),
        ({"peer_imports": ("libzmq-v143-mt-4_3_4.dll",)}, "linking of peer-pebbe", False, "neither beside the program"),
        ({"peer_imports": ("KERNEL32.dll",)}, "linking of peer-pebbe", True, "static"),
        ({"peer_imports": None}, "linking of peer-pebbe", None, "not built yet"),
        ({"long_paths": False}, "long paths", None, "fine for folders as short"),
        ({"long_paths": False, "root": "C:\\" + "x" * 210}, "long paths", False, "213 characters of 260"),
        ({"user": "Zoë"}, "names of user and temporary folder", None, "Zoë: not all ASCII"),
        ({"temp": r"C:\Users\李雷\Temp"}, "names of user and temporary folder", None, "set TEMP"),
        ({"has_ipc": True}, "ipc between Go and Python", True, "is true"),
        ({}, "ipc between Go and Python", None, "cells over ipc are unsupported"),
        ({"loop": "_WindowsSelectorEventLoop"}, "asyncio's event loop", True, "Selector"),
        ({}, "asyncio's event loop", None, "needs a selector loop"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    changes: dict[str, object], name: str, good: bool | None, says: str
) -> None:
    told = found(replace(SOUND, **changes))[name]  # type: ignore[arg-type]
    assert (told[0], says in told[1]) == (good, True), told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("libzmq-mt-4_3_5.dll", "4.3.5"),
        ("libzmq-v143-mt-gd-4_3_4.dll", "4.3.4"),
        ("libzmq.dll", ""),
        (r"C:\tools-1.2.3\libzmq.dll", ""),
    ],
)
def test_a_version_is_read_from_the_name_of_a_dll(name: str, told: str) -> None:
    assert version(name) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("go version go1.26.6 windows/amd64", "x64"),
        ("go version go1.26.6 windows/arm64", "arm64"),
        ("go version go1.26.6 windows/386", "x86"),
        ("x86_64-w64-mingw32", "x64"),
        ("aarch64-w64-mingw32", "arm64"),
        ("something", ""),
    ],
)
def test_an_architecture_is_known_by_all_its_names(text: str, told: str) -> None:
    assert architecture(text) == told


@pytest.mark.parametrize(("name", "told"), [("t32", "x86"), ("t64", "x64"), ("t64-arm", "arm64"), ("w64", "x64")])
def test_a_program_says_for_which_processor_it_is(name: str, told: str) -> None:
    assert pe.machine((PROGRAMS / f"{name}.exe").read_bytes()) == told


@pytest.mark.parametrize("name", ["t32", "t64", "t64-arm", "w64"])
def test_a_program_says_which_dlls_it_needs(name: str) -> None:
    assert "KERNEL32.dll" in pe.imports((PROGRAMS / f"{name}.exe").read_bytes())


def test_what_is_no_program_is_told() -> None:
    whole = (PROGRAMS / "t64.exe").read_bytes()
    for image in (b"", b"MZ", b"#!/bin/sh\n" * 20, whole[:64]):
        with pytest.raises(ValueError, match="not a PE file"):
            pe.machine(image)
    with pytest.raises(ValueError, match="damaged"):
        pe.imports(whole[: len(whole) // 4])


def test_dlls_are_found_by_pattern_in_the_order_of_the_folders(tmp_path: Path) -> None:
    for folder, name in (("first", "libzmq-mt-4_3_5.dll"), ("second", "libzmq.dll"), ("second", "notes-zmq.dll")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_bytes((PROGRAMS / "t64.exe").read_bytes() if folder == "first" else b"")
    (there, empty) = dlls([tmp_path / "none", tmp_path / "first", tmp_path / "second", tmp_path / "first"])
    assert (Path(there.path).name, there.architecture, there.version) == ("libzmq-mt-4_3_5.dll", "x64", "4.3.5")
    assert (Path(empty.path).name, empty.architecture) == ("libzmq.dll", "")


@pytest.mark.parametrize("code", EXITS)
def test_an_exit_code_of_windows_is_told_in_words(code: int) -> None:
    assert describe_exit(code) == f"exit code 0x{code:X} ({EXITS[code]})"
