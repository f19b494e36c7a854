"""Exchanging a peer's library: what is asked for is understood, or refused in one line; the peers' own files stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SetupFault
from harness.peers import library, manifest
from harness.peers.library import Exchange
from harness.plugin import ROOT

PEERS = manifest.find(ROOT / "peers")
GO_MOD = "module example\n\nrequire github.com/go-zeromq/zmq4 v0.17.0\n"


def check(text: str, *places: str) -> None:
    one = Exchange.parse(text, PEERS)
    one.check(PEERS[one.peer], places)


def refusal(text: str, *places: str) -> str:
    with pytest.raises(SetupFault) as refused:
        check(text, *places)
    said = str(refused.value)
    assert said.startswith("--library")
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pyzmq", "say PEER=FOLDER or PEER=VERSION"),
        ("pyzmq=", "say PEER=FOLDER or PEER=VERSION"),
        ("=25.1.2", "there is no peer ''"),
        ("nobody=1.0", "there is no peer 'nobody'; there are go-zeromq, pebbe, pyzmq, pyzmq-asyncio"),
        ("go-zeromq=../no/such", "there is no folder ../no/such"),
        ("go-zeromq=.hidden", "there is no folder .hidden"),
    ],
)
def test_what_cannot_be_exchanged_is_refused(text: str, reason: str) -> None:
    assert reason in refusal(text)


def test_a_folder_for_go_must_hold_a_module(tmp_path: Path) -> None:
    assert "there is no go.mod in this folder" in refusal(f"pebbe={tmp_path}")
    (tmp_path / "go.mod").touch()
    check(f"pebbe={tmp_path}", "docker>local")


def test_a_python_package_cannot_be_exchanged_where_the_place_has_its_own() -> None:
    assert "docker" in refusal("pyzmq=25.1.2", "", "local>docker:published")
    check("pyzmq=25.1.2", "", "netns>local")


def test_a_peer_that_does_not_name_its_library_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.peer.toml"
    file.write_text('name = "mine"\nlanguage = "rust"\nrun = ["x"]\n', "utf-8")
    mine = manifest.load(file)
    with pytest.raises(SetupFault, match="does not say which library it is about"):
        Exchange.parse("mine=1.0", {"mine": mine})


def test_one_library_is_exchanged_once(tmp_path: Path) -> None:
    asked = [Exchange("go-zeromq", None, "0.16.0"), Exchange("go-zeromq", None, "0.17.0")]
    with pytest.raises(SetupFault, match=r"exchanges .* already"):
        library.exchanged(PEERS, asked, tmp_path)


@pytest.mark.parametrize("version", ["0.16.0", "v0.16.0"])
def test_a_go_mod_replaces_a_version(version: str) -> None:
    made = library.go_mod(GO_MOD, "github.com/go-zeromq/zmq4", Exchange("go-zeromq", None, version))
    assert made == f"{GO_MOD}\nreplace github.com/go-zeromq/zmq4 => github.com/go-zeromq/zmq4 v0.16.0\n"


def test_a_go_mod_replaces_a_folder_whatever_its_name() -> None:
    made = library.go_mod(GO_MOD, "github.com/go-zeromq/zmq4", Exchange("go-zeromq", Path("/my work/zmq4")))
    assert made.endswith('\nreplace github.com/go-zeromq/zmq4 => "/my work/zmq4"\n')


def test_the_other_peers_and_the_sources_stay_as_they_are(tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in (ROOT / "peers" / "go").glob("go.*")}
    changed = library.exchanged(PEERS, [Exchange("go-zeromq", None, "0.16.0")], tmp_path)
    assert [name for name in PEERS if changed[name] != PEERS[name]] == ["go-zeromq"]
    words = changed["go-zeromq"].build
    made = Path(next(word for word in words if word.startswith("-modfile=")).partition("=")[2])
    assert words[:3] == ("go", "build", "-mod=mod")
    assert made.is_relative_to(tmp_path)
    assert "v0.16.0" in made.read_text("utf-8")
    assert (made.parent / "go.sum").exists()
    assert before == {file: file.read_bytes() for file in before}


def test_the_key_changes_with_each_file_of_a_folder_that_matters(tmp_path: Path) -> None:
    one = Exchange("go-zeromq", tmp_path)
    seen = {one.key()}
    (tmp_path / "deep").mkdir()
    for text in ("a", "b"):
        (tmp_path / "deep" / "x.go").write_text(text)
        seen.add(one.key())
    assert len(seen) == 3
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_text("changed")
    assert one.key() in seen


def test_a_package_that_pip_cannot_find_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SetupFault) as refused:
        library.exchanged(PEERS, [Exchange("pyzmq", None, "0.0.1")], tmp_path)
    assert "pip install pyzmq==0.0.1 failed: ERROR: " in str(refused.value)
    assert "\n" not in str(refused.value)
    assert [path for path in tmp_path.iterdir() if path.suffix != ".lock"] == []
