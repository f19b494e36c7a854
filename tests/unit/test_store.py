"""The run store: what is written reads back, nothing half-written is seen, and the audit misses nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.errors import SetupFault
from harness.model.verdicts import Verdict
from harness.report import store
from tests.unit.helpers import cell, encoded, record, run

FULL = record(
    "fail",
    seconds=1.25,
    reason="第 1 frame differs",
    issue="an-issue",
    blame="one",
    check="test_it",
    worker="gw1",
    histograms={"subject": encoded(10, 20)},
    courses={"left": {"cycles": [0, 1], "counters": {"handles": [9, 10]}}},
    evidence={"peers": ["one 1.0"], "logs": {"one": "panic"}},
)


@pytest.mark.parametrize("row", [FULL, record(), record("known", what="fan-in")])
def test_a_record_survives_json(row: store.Record) -> None:
    assert store.Record.from_json(json.loads(json.dumps(row.to_json()))) == row


def test_a_record_leaves_out_what_has_no_value() -> None:
    assert record(seconds=0.12345678).to_json() == {
        "id": "push-pull/tcp4/one>two/left-binds/empty",
        "pattern": "push-pull",
        "transport": "tcp4",
        "left": "one",
        "right": "two",
        "binds": "left-binds",
        "payload": "empty",
        "verdict": "pass",
        "seconds": 0.123457,
    }


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    written = run(FULL, record("unsupported", what="1m"), problems=("one: left a child behind",))
    folder = store.write(written, tmp_path)
    assert folder == tmp_path / written.name
    assert store.read(folder) == written
    assert store.read(folder / store.RESULTS) == written


def test_a_run_counts_its_cells_by_verdict() -> None:
    counted = run(record(), record("crash", what="1m"), record(what="64k")).summary
    assert counted == {"pass": 2, "crash": 1}


@pytest.mark.parametrize("verdict", Verdict)
def test_a_run_is_good_exactly_if_nothing_unexpected_was_found(verdict: Verdict) -> None:
    assert run(record(), record(verdict, what="1m")).good is verdict.expected


def test_a_problem_makes_a_run_bad() -> None:
    assert run(record()).good
    assert not run(record(), problems=("one: ended with exit code 1 instead of 0",)).good


def test_writing_leaves_nothing_but_the_results(tmp_path: Path) -> None:
    folder = store.write(run(record()), tmp_path)
    assert [file.name for file in folder.iterdir()] == [store.RESULTS]


def test_a_write_that_fails_leaves_the_old_results_whole(tmp_path: Path) -> None:
    folder = store.write(run(FULL), tmp_path)
    before = (folder / store.RESULTS).read_bytes()
    bad = run(record(evidence={"not": object()}))
    with pytest.raises(TypeError):
        store.write(bad, tmp_path)
    assert (folder / store.RESULTS).read_bytes() == before
    assert [file.name for file in folder.iterdir()] == [store.RESULTS]


def test_names_sort_by_age_and_tell_processes_apart() -> None:
    assert store.new_name(0) == f"19700101-000000-{os.getpid()}"
    assert store.new_name(0) < store.new_name(1) < store.new_name(10**9)


A, B, C = cell("empty"), cell("1m"), cell("64k")


def test_an_audit_of_a_complete_run_finds_nothing() -> None:
    assert store.audit([A.id, B.id], [record(what="1m"), record(what="empty")]) == ([], [])


def test_an_audit_finds_what_is_missing() -> None:
    missing, problems = store.audit([A.id, B.id, C.id], [record(what="1m")])
    assert [(row.cell, row.verdict) for row in missing] == [(A, Verdict.MISSING), (C, Verdict.MISSING)]
    assert all(row.reason for row in missing)
    assert problems == []


def test_an_audit_finds_what_has_two_verdicts() -> None:
    assert store.audit([A.id], [record(), record("fail")]) == ([], [f"{A.id}: 2 verdicts were reported for one cell"])


def test_an_audit_finds_what_nobody_collected() -> None:
    assert store.audit([], [record()]) == ([], [f"{A.id}: reported, but never collected"])


def test_an_audit_finds_an_id_that_was_collected_twice() -> None:
    assert store.audit([A.id, A.id], [record()]) == ([], [f"{A.id}: collected 2 times; ids must be unique"])


def test_latest_leads_to_the_newest_run(tmp_path: Path) -> None:
    for name in ("1", "2"):
        store.point_latest(store.write(run(FULL, name=name), tmp_path))
        assert store.read(tmp_path / "latest").name == name
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1", "2", "latest"]


def test_latest_may_have_been_a_copy(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "old").touch()
    store.point_latest(store.write(run(FULL), tmp_path))
    assert store.read(tmp_path / "latest") == run(FULL)


@pytest.mark.skipif(sys.platform == "win32", reason="there the copy is made where links are not allowed")
def test_latest_is_a_relative_link(tmp_path: Path) -> None:
    store.point_latest(store.write(run(FULL, name="1"), tmp_path))
    assert os.readlink(tmp_path / "latest") == "1"


CELL = record().to_json()
SCHEMA = Path(store.__file__).with_name("results.schema.json")

DAMAGED: dict[str, Any] = {
    "not JSON": "{",
    "no object": [],
    "no run": {"version": 1, "cells": []},
    "no name": {"version": 1, "run": {}, "cells": []},
    "no cells": {"version": 1, "run": {"name": "1"}},
    "cells that are no list": {"version": 1, "run": {"name": "1"}, "cells": 3},
    "a cell without verdict": {"version": 1, "run": {"name": "1"}, "cells": [{**CELL, "verdict": None}]},
    "an unknown verdict": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"verdict": "perhaps"}]},
    "a bad id": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"id": "req-rep"}]},
    "nested too deeply": "[" * 100_000,
    "cells that are an object": {"version": 1, "run": {"name": "1"}, "cells": {}},
    "a reason that is no text": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"reason": ["x"]}]},
    "an issue that is no text": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"issue": [1]}]},
    "figures that are no object": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"figures": 5}]},
    "figures that are no numbers": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"figures": {"p50": "x"}}]},
    "a histogram that is none": {
        "version": 1,
        "run": {"name": "1"},
        "cells": [CELL | {"histograms": {"raw": "HISTF"}}],
    },
    "a histogram that is no text": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"histograms": {"raw": 7}}]},
    "a course without cycles": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"courses": {"left": {}}}]},
    "a course with holes": {
        "version": 1,
        "run": {"name": "1"},
        "cells": [CELL | {"courses": {"left": {"cycles": [0, 1], "counters": {"handles": [9]}}}}],
    },
    "a course of texts": {
        "version": 1,
        "run": {"name": "1"},
        "cells": [CELL | {"courses": {"left": {"cycles": [0], "counters": {"handles": ["9"]}}}}],
    },
    "evidence that is no object": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"evidence": "x"}]},
    "peers that are no list": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"evidence": {"peers": 7}}]},
    "bad seconds": {"version": 1, "run": {"name": "1"}, "cells": [CELL | {"seconds": "long"}]},
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_file_is_refused_by_its_name(content: Any, tmp_path: Path) -> None:
    file = tmp_path / store.RESULTS
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(SetupFault) as refused:
        store.read(tmp_path)
    assert str(refused.value).startswith(f"{file}: not a results file: ")


@pytest.mark.parametrize(
    ("version", "told"), [({}, "no version"), ({"version": 2}, "version 2"), ({"version": True}, "version True")]
)
def test_results_of_another_version_are_refused(version: dict[str, Any], told: str, tmp_path: Path) -> None:
    file = tmp_path / store.RESULTS
    file.write_text(json.dumps({**version, "run": {"name": "1"}, "cells": []}), encoding="utf-8")
    with pytest.raises(SetupFault, match=f"{told}, this harness reads version 1; run the tests again") as refused:
        store.read(file)
    assert "\n" not in str(refused.value)


def test_results_are_as_their_schema_says(tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    checker = Draft202012Validator(schema)
    data = json.loads((store.write(run(FULL), tmp_path) / store.RESULTS).read_text(encoding="utf-8"))
    data["run"] |= {"started": "2026-01-01T00:00:00Z", "system": "here", "peers": []}
    assert [error.message for error in checker.iter_errors(data)] == []
    assert schema["$defs"]["verdict"]["enum"] == [str(verdict) for verdict in Verdict]
    assert {"id", "places", *CELL, *store._OPTIONAL} == {*schema["$defs"]["cell"]["properties"]}


def test_a_missing_run_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(SetupFault, match="cannot be read") as refused:
        store.read(tmp_path / "none")
    assert str(tmp_path / "none") in str(refused.value)
