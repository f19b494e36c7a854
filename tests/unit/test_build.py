"""Builds: once for each key, by one process at a time, and nothing that looks like a build is left by a failed one."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SetupFault
from harness.peers import build
from harness.peers.manifest import Manifest
from tests.unit.helpers import python_manifest, script

BUILDER = """
    import os, pathlib, sys
    log = pathlib.Path("builds.log")
    with log.open("a") as file:
        file.write("built\\n")
    pathlib.Path(sys.argv[1]).write_text("a program")
    os.chmod(sys.argv[1], 0o755)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    (folder / "main.src").write_text("one")
    (folder / "deep" / "more.src").write_text("two")
    (folder / "version.txt").write_text("toolchain 1")
    return folder


@pytest.fixture
def peer(source: Path) -> Manifest:
    """A peer that a tiny Python program builds."""
    return python_manifest(
        source,
        sources=("**/*.src",),
        build=(*script(source, BUILDER, "builder.py"), "{output}"),
        toolchain=((*script(source, "print(open('version.txt').read())", "version.py"),),),
        run=("{output}", "{here}", "{python}"),
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def builds(peer: Manifest) -> int:
    log = peer.here / "builds.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def programs(cache: Path) -> list[Path]:
    return [file for file in cache.rglob("*") if file.is_file() and file.suffix != ".lock"]


def test_the_command_names_the_built_program_and_fills_every_hole(peer: Manifest, cache: Path) -> None:
    command = build.command(peer, cache)
    assert command == [str(programs(cache)[0]), str(peer.here), sys.executable]
    assert Path(command[0]).read_text() == "a program"
    assert Path(command[0]).parent.name == f"tiny-{build.build_key(peer)}"


def test_a_peer_without_build_runs_at_once(tmp_path: Path, cache: Path) -> None:
    peer = python_manifest(tmp_path, run=("{python}", "{here}/peer.py"))
    assert build.command(peer, cache) == [sys.executable, f"{tmp_path}/peer.py"]
    assert not cache.exists()


def test_an_unchanged_peer_is_built_once(peer: Manifest, cache: Path) -> None:
    assert build.command(peer, cache) == build.command(peer, cache)
    assert builds(peer) == 1


def test_a_changed_source_is_built_anew(peer: Manifest, cache: Path) -> None:
    build.command(peer, cache)
    (peer.here / "main.src").write_text("changed")
    build.command(peer, cache)
    assert builds(peer) == 2


def test_a_build_that_another_run_may_still_start_outlives_its_successor(peer: Manifest, cache: Path) -> None:
    old = Path(build.command(peer, cache)[0])
    (peer.here / "main.src").write_text("changed")
    build.command(peer, cache)
    assert old.exists()


def test_a_build_that_was_not_used_for_long_goes_when_its_successor_is_made(peer: Manifest, cache: Path) -> None:
    old, older = Path(build.command(peer, cache)[0]), time.time() - build.KEPT - 1
    os.utime(old.parent, (older, older))
    (peer.here / "main.src").write_text("changed")
    new = Path(build.command(peer, cache)[0])
    assert not old.exists()
    assert programs(cache) == [new]


def test_using_a_build_keeps_it(peer: Manifest, cache: Path) -> None:
    old, older = Path(build.command(peer, cache)[0]), time.time() - build.KEPT - 1
    os.utime(old.parent, (older, older))
    build.command(peer, cache)
    (peer.here / "main.src").write_text("changed")
    build.command(peer, cache)
    assert old.exists()


def test_a_peer_of_a_similar_name_keeps_its_program(peer: Manifest, cache: Path) -> None:
    other = Path(build.command(replace(peer, name="tiny-2"), cache)[0])
    build.command(peer, cache)
    assert other.exists()


def _edit(name: str, content: str) -> Callable[[Manifest, pytest.MonkeyPatch], Manifest]:
    def change(peer: Manifest, _: pytest.MonkeyPatch) -> Manifest:
        (peer.here / name).write_text(content)
        return peer

    return change


def _rename(peer: Manifest, _: pytest.MonkeyPatch) -> Manifest:
    (peer.here / "main.src").rename(peer.here / "other.src")
    return peer


def _flag(peer: Manifest, patch: pytest.MonkeyPatch) -> Manifest:
    patch.setenv("CGO_CFLAGS", "-O3 -g7")
    return peer


CHANGES: dict[str, Callable[[Manifest, pytest.MonkeyPatch], Manifest]] = {
    "source": _edit("main.src", "changed"),
    "deep source": _edit("deep/more.src", "changed"),
    "new source": _edit("deep/new.src", ""),
    "renamed source": _rename,
    "toolchain": _edit("version.txt", "toolchain 2"),
    "flag": _flag,
    "command": lambda peer, _: replace(peer, build=(*peer.build, "-x")),
    "environment": lambda peer, _: replace(peer, env=(("A", "1"),)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_the_key_changes_with_whatever_changes_the_program(
    change: Callable[[Manifest, pytest.MonkeyPatch], Manifest], peer: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build.build_key(peer)
    assert build.build_key(change(peer, monkeypatch)) != before


def test_the_key_does_not_change_with_anything_else(peer: Manifest) -> None:
    before = build.build_key(peer)
    (peer.here / "notes.txt").write_text("no source")
    assert build.build_key(replace(peer, run=("{output}",))) == before
    assert len(before) == 16


def _build_in_another_process(arguments: tuple[Manifest, Path]) -> list[str]:
    return build.command(*arguments)


def test_processes_that_need_a_peer_at_once_build_it_once(peer: Manifest, cache: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        commands = pool.map(_build_in_another_process, [(peer, cache)] * 4, chunksize=1)
    assert commands == [commands[0]] * 4
    assert builds(peer) == 1


FAILURES = {
    "exit code": ("import sys; sys.exit('no rule to make it')", "no rule to make it"),
    "no output": ("", "exit code 0 and no output"),
    "half an output": ("import sys; open(sys.argv[1], 'w').write('half'); sys.exit('disk full')", "disk full"),
}


@pytest.mark.parametrize(("code", "said"), FAILURES.values(), ids=list(FAILURES))
def test_a_failed_build_says_why_and_leaves_nothing(code: str, said: str, peer: Manifest, cache: Path) -> None:
    broken = replace(peer, build=(*script(peer.here, code, "builder.py"), "{output}"))
    with pytest.raises(SetupFault, match="key 'build'") as failed:
        build.command(broken, cache)
    assert said in str(failed.value)
    assert str(peer.file) in str(failed.value)
    assert programs(cache) == []


def test_a_failed_build_is_tried_again_when_asked_again(peer: Manifest, cache: Path) -> None:
    (peer.here / "builder.py").write_text("raise SystemExit(1)")
    with pytest.raises(SetupFault):
        build.command(peer, cache)
    script(peer.here, BUILDER, "builder.py")
    assert Path(build.command(peer, cache)[0]).exists()


@pytest.mark.parametrize("key", ["build", "toolchain"])
def test_a_missing_toolchain_says_what_to_install(key: str, peer: Manifest, cache: Path) -> None:
    words = ("no-such-compiler-1", "{output}")
    missing = replace(peer, build=words) if key == "build" else replace(peer, toolchain=(words,))
    with pytest.raises(SetupFault) as refused:
        build.command(missing, cache)
    said = str(refused.value)
    assert said.startswith(f"{peer.file}: key '{key}': there is no program 'no-such-compiler-1' on PATH; install it")
    assert "ci/bootstrap.py setup" in said
    assert "--exclude tiny" in said


def test_a_missing_program_to_run_says_which_key(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(SetupFault, match="key 'run': there is no program 'no-such-peer-1'"):
        build.command(python_manifest(tmp_path, run=("no-such-peer-1",)), cache)


def test_sources_that_match_nothing_are_refused(peer: Manifest) -> None:
    with pytest.raises(SetupFault, match=r"key 'sources': no file matches \*\.zig, \*\.odin"):
        build.build_key(replace(peer, sources=("*.zig", "*.odin")))


def test_a_build_that_takes_too_long_is_ended(peer: Manifest, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "BUILD_DEADLINE", 0.2)
    endless = replace(peer, build=(*script(peer.here, "import time; time.sleep(60)"), "{output}"))
    with pytest.raises(SetupFault, match=r"took more than 0\.2 s"):
        build.command(endless, cache)
    assert programs(cache) == []


def test_a_toolchain_that_fails_is_a_setup_fault(peer: Manifest) -> None:
    failing = replace(peer, toolchain=((*script(peer.here, "raise SystemExit('broken')", "version.py"),),))
    with pytest.raises(SetupFault, match="key 'toolchain'"):
        build.build_key(failing)


def test_the_manifest_environment_is_added_to_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    env = build.environment(python_manifest(tmp_path, env=(("THEIRS", "2"),)))
    assert (env["OURS"], env["THEIRS"]) == ("1", "2")


def test_a_toolchain_may_be_the_harness_own_interpreter(peer: Manifest) -> None:
    """Python peers name it {python}, as section 8 of the contract allows, and its words are part of the key."""
    program = "import pathlib; print(pathlib.Path('version.txt').read_text())"
    own = replace(peer, toolchain=(("{python}", "-c", program),))
    before = build.build_key(own)
    (peer.here / "version.txt").write_text("toolchain 2")
    assert build.build_key(own) != before
