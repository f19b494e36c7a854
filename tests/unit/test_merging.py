"""Shards cut every run in the same way, and only parts that belong together are joined."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from harness import cli
from harness.errors import SetupFault
from harness.model.shards import Shard
from harness.report import merging, store
from harness.report.store import Record, Run
from tests.unit.helpers import record

ABOUT: dict[str, Any] = {
    "started": "2026-01-01T00:00:00Z",
    "system": "Linux-6.1-x86_64",
    "harness": "0.1",
    "python": "3.13.1",
    "peers": ["one", "two"],
}


def part(name: str, *records: Record, **about: Any) -> Run:
    return Run(name, {**ABOUT, **about}, [*records])


def test_every_cell_is_in_exactly_one_shard() -> None:
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    owners = [[shard for shard in shards if shard.takes(f"cell-{number}")] for number in range(300)]
    assert {len(one) for one in owners} == {1}
    assert {one[0] for one in owners} == {*shards}


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "a/b", "1", "1/2/3", "-1/2"])
def test_what_is_no_shard_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="must be PART/PARTS, such as 2/3"):
        Shard.parse(text)


def test_two_parts_become_one_run() -> None:
    one = part("a", record(what="empty"), shard="1/2", seconds=3.0, workers=2, host="x")
    two = part("b", record("fail", what="tiny"), shard="2/2", seconds=5.0, workers=2, host="y")
    two.problems.append("a peer left something behind")
    run = merging.merged({"a": one, "b": two})
    assert run.summary == {"pass": 1, "fail": 1}
    assert run.problems == ["b: a peer left something behind"]
    assert (run.about["seconds"], run.about["workers"], run.about["host"]) == (5.0, 4, "x, y")
    assert run.about["parts"] == ["a", "b"]
    assert "shard" not in run.about
    schema = json.loads((Path(store.__file__).parent / "results.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(run.to_json())


EMPTY, TINY = record(what="empty"), record(what="tiny")


@pytest.mark.parametrize(
    ("one", "two", "says"),
    [
        (part("a", EMPTY), part("b", EMPTY), "is in one and in two"),
        (part("a", EMPTY), part("b", TINY, libzmq="4.3.4"), "libzmq None, two has 4.3.4"),
        (part("a", EMPTY), part("b", TINY, peers=["one"]), "has peers"),
        (part("a", EMPTY), part("b", TINY, system="Windows-10"), "ran on Linux, two on Windows"),
        (part("a", EMPTY, shard="1/3"), part("b", TINY, shard="2/3"), "part 3/3 is not among them"),
        (part("a", EMPTY, shard="1/2"), part("b", TINY, shard="1/2"), "are both part 1/2"),
        (part("a", EMPTY, shard="1/2"), part("b", TINY, shard="2/3"), "parts of 2 and of 3"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(one: Run, two: Run, says: str) -> None:
    with pytest.raises(SetupFault, match=says):
        merging.merged({"one": one, "two": two})


def test_one_part_is_no_merge() -> None:
    with pytest.raises(SetupFault, match="two runs at least"):
        merging.merged({"a": part("a", EMPTY)})


def _cut(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8")[:40], encoding="utf-8")


def _remove(file: Path) -> None:
    file.unlink()


def _age(file: Path) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**data, "version": 0}), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "says"),
    [(_cut, "not a results file"), (_remove, "there are 0 runs in it"), (_age, "has version 0")],
)
def test_a_damaged_part_is_refused(tmp_path: Path, damage: Callable[[Path], None], says: str) -> None:
    folders = [store.write(part(name, one), tmp_path) for name, one in (("a", EMPTY), ("b", TINY))]
    damage(folders[1] / store.RESULTS)
    told = CliRunner().invoke(cli.main, ["merge", *map(str, folders), "--reports", str(tmp_path / "whole")])
    assert (told.exit_code, says in told.output) == (2, True), told.output
    assert not (tmp_path / "whole").exists()


def test_a_merged_run_has_all_that_a_run_has(tmp_path: Path) -> None:
    for name, one in (("a", EMPTY), ("b", TINY)):
        results = store.write(part(name, one), tmp_path / name) / "allure-results"
        results.mkdir()
        (results / f"{name}-result.json").write_text("{}", encoding="utf-8")
        (results / "categories.json").write_text("[]", encoding="utf-8")
    words = ["merge", str(tmp_path / "a"), str(tmp_path / "b"), "--reports", str(tmp_path / "whole")]
    told = CliRunner().invoke(cli.main, words)
    assert told.exit_code == 0, told.output
    latest = tmp_path / "whole" / "latest"
    assert len(store.read(latest).records) == 2
    assert {"a-result.json", "b-result.json", "environment.properties"} <= {
        file.name for file in (latest / "allure-results").iterdir()
    }
    assert (latest / "index.html").exists()
    assert (tmp_path / "whole" / "history.jsonl").exists()
