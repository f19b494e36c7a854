"""Manifests: a good one reads as written; a bad one is refused in one line with file, key and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SetupFault
from harness.peers import manifest

GOOD = {"name": '"some-peer"', "language": '"python"', "run": '["{python}", "peer.py"]'}


def write(folder: Path, file: str = "some.peer.toml", /, **keys: str | None) -> Path:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {value}" for key, value in (GOOD | keys).items() if value is not None]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def refusal(file: Path) -> str:
    with pytest.raises(SetupFault) as refused:
        manifest.load(file)
    said = str(refused.value)
    assert said.startswith(f"{file}: ")
    assert "\n" not in said
    return said.removeprefix(f"{file}: ")


def test_a_manifest_reads_as_written(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        sources='["*.go"]',
        build='["go", "build", "-o", "{output}"]',
        toolchain='[["go", "version"]]',
        run='["{output}", "{here}"]',
        env='{ B = "2", A = "1" }',
        library='"example.org/zmq"',
    )
    assert manifest.load(file) == manifest.Manifest(
        name="some-peer",
        language="python",
        file=file.resolve(),
        run=("{output}", "{here}"),
        build=("go", "build", "-o", "{output}"),
        sources=("*.go",),
        toolchain=(("go", "version"),),
        env=(("A", "1"), ("B", "2")),
        library="example.org/zmq",
    )
    assert manifest.load(file).here == tmp_path.resolve()


def test_what_is_optional_may_be_absent(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path))
    assert (found.build, found.sources, found.toolchain, found.env) == ((), (), (), ())


def test_the_same_peer_may_run_under_another_name_with_more_arguments(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path)).with_arguments("faulty", "--fault", "drop")
    assert (found.name, found.run) == ("faulty", ("{python}", "peer.py", "--fault", "drop"))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"name": None}, "key 'name' must be letters, digits and '-'"),
        ({"name": '""'}, "key 'name' must be letters, digits and '-'"),
        ({"name": '"a b"'}, "key 'name' must be letters, digits and '-'"),
        ({"name": '"a/b"'}, "key 'name'"),
        ({"name": '"a>b"'}, "key 'name'"),
        ({"name": '"-a"'}, "key 'name'"),
        ({"name": "3"}, "key 'name'"),
        ({"language": None}, "key 'language' must be a text that is not empty"),
        ({"language": '""'}, "key 'language' must be a text that is not empty"),
        ({"run": None}, "key 'run' must be a list of texts, not None"),
        ({"run": "[]"}, "key 'run' must name a command"),
        ({"run": '"peer"'}, "key 'run' must be a list of texts"),
        ({"run": "[3]"}, "key 'run' must be a list of texts"),
        ({"run": '["peer", ""]'}, "key 'run' must be a list of texts"),
        ({"run": '["{output}"]'}, "key 'run' uses {output}, but 'build' does not make it"),
        ({"run": '["{output}"]', "build": '["make"]'}, "key 'run' uses {output}, but 'build' does not make it"),
        ({"run": '["{pyhton}"]'}, "{pyhton} is no placeholder; there are {output}, {python}, {here}"),
        ({"build": '["make", "{out}"]'}, "{out} is no placeholder"),
        ({"build": '"make"'}, "key 'build' must be a list of texts"),
        ({"sources": '"*.go"'}, "key 'sources' must be a list of texts"),
        ({"toolchain": '"go version"'}, "key 'toolchain' must be a list of commands"),
        ({"toolchain": '["go", "version"]'}, "key 'toolchain' must be a list of texts, not 'go'"),
        ({"library": "1"}, "key 'library' must be the name of a package or module, not 1"),
        ({"library": '"two words"'}, "key 'library' must be the name"),
        ({"env": '["A"]'}, "key 'env' must be a table of texts"),
        ({"env": "{ A = 1 }"}, "key 'env' must be a table of texts"),
        ({"env": '{ "A=B" = "1" }'}, "key 'env.A=B': no variable can have this name or value"),
        ({"env": '{ A = "\\u0000" }'}, "key 'env.A': no variable can have this name or value"),
        (
            {"bulid": '["make"]'},
            "unknown key 'bulid'; known are build, env, language, library, name, run, sources, toolchain",
        ),
    ],
)
def test_a_bad_manifest_is_refused_with_key_and_reason(
    keys: dict[str, str | None], reason: str, tmp_path: Path
) -> None:
    assert reason in refusal(write(tmp_path, **keys))


@pytest.mark.parametrize("content", [b"name = ", b"[name", b"\xff\xfe"])
def test_what_is_not_toml_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "some.peer.toml"
    file.write_bytes(content)
    assert refusal(file).startswith("not TOML: ")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none.peer.toml")


def test_an_empty_toolchain_command_is_refused(tmp_path: Path) -> None:
    assert "key 'toolchain'" in refusal(write(tmp_path, toolchain="[[]]"))


def test_manifests_are_found_at_any_depth_and_from_elsewhere(tmp_path: Path) -> None:
    write(tmp_path / "peers", "one.peer.toml", name='"one"')
    write(tmp_path / "peers", "deep/er/two.peer.toml", name='"two"')
    write(tmp_path / "peers", "notes.toml", name='"no-manifest"')
    extra = write(tmp_path, "three.peer.toml", name='"three"')
    assert list(manifest.find(tmp_path / "peers", [extra])) == ["one", "three", "two"]


def test_the_harness_own_implementations_come_first(tmp_path: Path) -> None:
    for name in ("aaa", "pyzmq", "zzz", "go-zeromq"):
        write(tmp_path, f"{name}.peer.toml", name=f'"{name}"')
    assert list(manifest.find(tmp_path)) == ["go-zeromq", "pyzmq", "aaa", "zzz"]


def test_two_manifests_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = write(tmp_path, "a.peer.toml"), write(tmp_path, "b.peer.toml")
    with pytest.raises(SetupFault) as refused:
        manifest.find(tmp_path)
    assert str(refused.value) == f"{other}: key 'name': 'some-peer' is taken by {one.resolve()}"


def test_a_folder_without_manifests_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupFault, match=r"no peer manifest \(\*\.peer\.toml\) below this folder"):
        manifest.find(tmp_path)


def test_a_name_that_means_everybody_is_refused(tmp_path: Path) -> None:
    assert "key 'name'" in refusal(write(tmp_path, name='"mixed"'))
