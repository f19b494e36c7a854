"""Known issues name cells by globs, hold under their conditions only, and a malformed file is refused in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import pytest

from harness.model.known import KnownIssue, expected, parse
from harness.model.matrix import Cell
from harness.model.verdicts import Verdict

CELL = Cell.parse("push-pull/tcp4/go-zeromq>pyzmq/left-binds/empty-front")
FILE = "known.toml"
NO_VERSIONS: Mapping[str, str] = {}

GOOD = {"name": '"an-issue"', "cells": '"*/*/*/*/*"', "reason": '"it breaks"', "link": '"https://example.org/1"'}


def text(*entries: Mapping[str, str]) -> str:
    return "\n".join("[[issue]]\n" + "\n".join(f"{key} = {value}" for key, value in entry.items()) for entry in entries)


def issue(**keys: str) -> KnownIssue:
    [found] = parse(text(GOOD | keys), FILE)
    return found


def holds(versions: Mapping[str, str] = NO_VERSIONS, system: str = "linux", **keys: str) -> bool:
    return issue(**keys).holds(CELL, versions, system)


def refusal(document: str) -> str:
    with pytest.raises(ValueError, match=FILE) as refused:
        parse(document, FILE)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_an_entry_says_all_that_a_report_needs() -> None:
    found = issue(verdict='"hang"')
    assert (found.name, found.verdict, found.reason, found.link) == (
        "an-issue",
        Verdict.HANG,
        "it breaks",
        "https://example.org/1",
    )


def test_a_failure_is_predicted_unless_the_entry_says_otherwise() -> None:
    assert issue().verdict is Verdict.FAIL


def test_an_empty_file_holds_no_issue() -> None:
    assert parse("", FILE) == []


def test_entries_keep_their_order() -> None:
    names = ["b", "a", "c"]
    assert [found.name for found in parse(text(*(GOOD | {"name": f'"{n}"'} for n in names)), FILE)] == names


@pytest.mark.parametrize(
    ("pattern", "holding"),
    [
        ("push-pull/tcp4/go-zeromq>pyzmq/left-binds/empty-front", True),
        ("*/*/*/*/*", True),
        ("push-*/tcp?/*>pyzmq/left-*/empty-*", True),
        ("push-pull/tcp4|tcp6/*/*/*", True),
        ("push-pull/ipc|inproc/*/*/*", False),
        ("*/*/pebbe|go-zeromq>*/*/*", True),
        ("*/*/go-zeromq>pebbe|pyzmq/*/*", True),
        ("*/*/pebbe|pyzmq>pyzmq/*/*", False),
        ("*/*/*>go-zeromq/*/*", False),
        ("*/*/*/right-binds/*", False),
        ("*/*/*/*/empty", False),
        ("*/*/*/*/EMPTY-FRONT", False),
        ("*/*/*/*/[de]mpty-front", True),
        ("*/*/*>pyzmq*/*/*", True),
    ],
    ids=count(),
)
def test_each_part_of_a_pattern_is_a_glob_with_alternatives(pattern: str, holding: bool) -> None:
    assert issue(cells=f'"{pattern}"').holds(CELL, {}, "linux") is holding


def test_an_entry_may_name_several_patterns() -> None:
    assert issue(cells='["*/ipc/*/*/*", "push-pull/*/*/*/*"]').holds(CELL, {}, "linux")
    assert not issue(cells='["*/ipc/*/*/*", "pub-sub/*/*/*/*"]').holds(CELL, {}, "linux")


@pytest.mark.parametrize(
    ("version", "holding"),
    [("0.17.0", True), ("0.16.1", True), ("0.17.1", False), ("0.17.0rc1", True), ("v0-devel-unknown", False)],
)
def test_a_version_range_limits_an_issue(version: str, holding: bool) -> None:
    when = '{ implementation = "go-zeromq", version = "<=0.17.0" }'
    assert holds({"go-zeromq": version}, when=when) is holding


def test_an_issue_of_an_implementation_holds_only_where_it_plays() -> None:
    assert holds({"go-zeromq": "1", "pyzmq": "27"}, when='{ implementation = "pyzmq" }')
    assert not holds({"go-zeromq": "1"}, when='{ implementation = "pyzmq" }')


def test_an_implementation_without_a_range_means_any_version() -> None:
    assert holds({"go-zeromq": "0.17.0"}, when='{ implementation = "go-zeromq" }')


@pytest.mark.parametrize(("os", "holding"), [('"linux"', True), ('"windows"', False), ('["macos", "linux"]', True)])
def test_an_operating_system_limits_an_issue(os: str, holding: bool) -> None:
    assert holds(when=f"{{ os = {os} }}") is holding


def test_a_cell_that_the_patterns_do_not_name_is_not_expected_to_fail() -> None:
    assert not holds(cells='"pub-sub/*/*/*/*"')


# What a verdict means under known issues.


def meant(verdict: Verdict, *issues: KnownIssue, reason: str = "timeout: no message") -> tuple[Verdict, str]:
    found, explained = expected(issues, CELL, NO_VERSIONS, "linux", verdict, reason)
    return found, explained.name if explained else ""


def test_without_issues_a_verdict_stands() -> None:
    assert [meant(verdict) for verdict in Verdict] == [(verdict, "") for verdict in Verdict]


def test_the_predicted_failure_is_known() -> None:
    assert meant(Verdict.FAIL, issue()) == (Verdict.KNOWN, "an-issue")
    assert meant(Verdict.HANG, issue(verdict='"hang"')) == (Verdict.KNOWN, "an-issue")


def test_a_failure_of_another_kind_is_news() -> None:
    assert meant(Verdict.CRASH, issue()) == (Verdict.CRASH, "")


@pytest.mark.parametrize(("says", "verdict"), [("no message", Verdict.KNOWN), ("wrong frame", Verdict.FAIL)])
def test_a_failure_that_says_something_else_is_news(says: str, verdict: Verdict) -> None:
    assert meant(Verdict.FAIL, issue(says=f'"{says}"'))[0] is verdict


def test_a_pass_where_a_failure_is_due_is_fixed() -> None:
    assert meant(Verdict.PASS, issue()) == (Verdict.FIXED, "an-issue")
    assert meant(Verdict.PASS, issue(says='"no message"')) == (Verdict.FIXED, "an-issue")


def test_what_fails_only_sometimes_may_pass() -> None:
    race = issue(sometimes="true", name='"a-race"')
    assert meant(Verdict.PASS, race) == (Verdict.PASS, "")
    assert meant(Verdict.FAIL, race) == (Verdict.KNOWN, "a-race")
    assert meant(Verdict.PASS, race, issue()) == (Verdict.FIXED, "an-issue")


def test_an_issue_of_this_machine_may_stay_out_elsewhere() -> None:
    elsewhere = replace(CELL, places="netns>local")
    assert expected([issue()], elsewhere, NO_VERSIONS, "linux", Verdict.PASS, "") == (Verdict.PASS, None)
    assert expected([issue()], elsewhere, NO_VERSIONS, "linux", Verdict.FAIL, "")[0] is Verdict.KNOWN


def test_the_issue_that_predicts_a_failure_explains_it() -> None:
    other = issue(name='"another"', says='"wrong frame"')
    assert meant(Verdict.FAIL, other, issue()) == (Verdict.KNOWN, "an-issue")


def test_an_issue_that_does_not_hold_explains_nothing() -> None:
    elsewhere = issue(when='{ os = "windows" }')
    assert meant(Verdict.FAIL, elsewhere) == (Verdict.FAIL, "")
    assert meant(Verdict.PASS, elsewhere) == (Verdict.PASS, "")


# What is refused.


@pytest.mark.parametrize("key", ["name", "reason", "link"])
@pytest.mark.parametrize("value", [None, '""', '"  "', "3", "[]"])
def test_a_text_that_is_missing_or_empty_is_refused(key: str, value: str | None) -> None:
    entry = {k: v for k, v in (GOOD | {key: value}).items() if v is not None}
    said = refusal(text(entry))
    assert f"{FILE}: issue 1" in said
    assert f"key {key!r} must be a text that is not empty" in said


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"cells": "3"}, "key 'cells' must be a text or a list of texts"),
        ({"cells": "[3]"}, "key 'cells' must be a text or a list of texts"),
        ({"cells": "[]"}, "key 'cells' must name at least one pattern"),
        ({"cells": '[""]'}, "key 'cells' must be a text or a list of texts"),
        ({"cells": '"*/*/*/*"'}, "key 'cells': '*/*/*/*' must have five parts"),
        ({"cells": '["*/*/*/*/*", "*/*/*/*/*/*"]'}, "key 'cells': '*/*/*/*/*/*' must have five parts"),
        ({"verdict": '"pass"'}, "key 'verdict' must be fail, crash or hang"),
        ({"verdict": '"unsupported"'}, "key 'verdict' must be fail, crash or hang"),
        ({"verdict": '"bad"'}, "key 'verdict' must be fail, crash or hang"),
        ({"verdict": "3"}, "key 'verdict' must be fail, crash or hang"),
        ({"verdict": "[1]"}, "key 'verdict' must be fail, crash or hang"),
        (
            {"cell": '"*/*/*/*/*"'},
            "unknown key 'cell'; known are cells, link, name, reason, says, sometimes, verdict, when",
        ),
        ({"says": "3"}, "key 'says' must be a text that the failure's reason contains"),
        ({"sometimes": '"yes"'}, "key 'sometimes' must be true or false"),
        ({"sometimes": "1"}, "key 'sometimes' must be true or false"),
        ({"when": "3"}, "key 'when' must be a table"),
        ({"when": "{ system = 'linux' }"}, "unknown key 'when.system'; known are implementation, os, version"),
        ({"when": "{ implementation = 'a', version = 'old' }"}, "key 'when.version': 'old' is no version range"),
        ({"when": "{ implementation = 'a', version = 3 }"}, "key 'when.version': 3 is no version range"),
        ({"when": "{ version = '<1' }"}, "key 'when.implementation' must name whose version is meant"),
        ({"when": "{ implementation = 3 }"}, "key 'when.implementation' must name"),
        ({"when": "{ os = 3 }"}, "key 'when.os' must be a text or a list of texts"),
    ],
)
def test_a_malformed_entry_is_refused_with_entry_key_and_reason(keys: dict[str, str], reason: str) -> None:
    said = refusal(text(GOOD | keys))
    assert said.startswith(f"{FILE}: issue 1 (an-issue): ")
    assert reason in said


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("[[issue]", "not TOML"),
        ("issue = " + "[" * 100_000, "not TOML"),
        ("[[isue]]", "unknown key 'isue'"),
        ("[issue]", "'issue' must be an array of tables"),
        ("issue = 3", "'issue' must be an array of tables"),
        ("issue = [3]", "'issue' must be an array of tables"),
    ],
)
def test_a_malformed_file_is_refused(document: str, reason: str) -> None:
    said = refusal(document)
    assert said.startswith(f"{FILE}: ")
    assert reason in said


def test_two_entries_of_one_name_are_refused() -> None:
    said = refusal(text(GOOD, GOOD | {"name": '"other"'}, GOOD))
    assert "issue 3 (an-issue): key 'name': there is another issue of this name" in said
