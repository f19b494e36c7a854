"""The page's data: compact, escaped, never beyond its room, and with texts in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.model.verdicts import Verdict, worst
from harness.report import changes, page, page_data, page_texts
from tests.unit.helpers import record, run

TEMPLATES = Path(page.__file__).parent / "templates"


def row(data: dict[str, Any], index: int) -> dict[str, str]:
    numbers = data["rows"][index]
    return {column: data[column][numbers[at + 2]] for at, column in enumerate(page_data.COLUMNS)}


def test_a_row_names_its_cell() -> None:
    data = page_data.compact(run(record(), record("fail", what="64k", reason="r", blame="b")), None)
    assert row(data, 1) | {"worker": "", "issue": "", "check": ""} == {
        **dict.fromkeys(("check", "worker", "issue", "places"), ""),
        "pattern": "push-pull",
        "transport": "tcp4",
        "left": "one",
        "right": "two",
        "binds": "left-binds",
        "what": "64k",
        "blame": "b",
        "reason": "r",
    }
    assert data["verdicts"][data["rows"][1][0]] == "fail"


def test_a_later_verdict_is_the_worse_one() -> None:
    for at, verdict in enumerate(page_data.SEVERITY):
        assert worst(page_data.SEVERITY[: at + 1]) is verdict
    assert set(page_data.SEVERITY) == set(Verdict)


def test_the_same_text_stands_in_the_page_once() -> None:
    logs = {"logs": {"left": "the same words"}}
    data = page_data.compact(run(record("fail", evidence=logs), record("fail", what="1m", evidence=logs)), None)
    assert data["texts"] == ["the same words"]
    assert [numbers[-1][0] for numbers in data["rows"]] == [[["stderr: left", 0]]] * 2


def test_what_broke_gets_the_room_first_and_the_others_say_what_they_lack() -> None:
    known = record("known", evidence={"logs": {"left": "k" * 100}})
    crash = record("crash", what="1m", evidence={"logs": {"left": "c" * 100}})
    data = page_data.compact(run(known, crash), None, room=150)
    assert data["texts"] == ["c" * 100]
    assert data["missing"] == [0]


def test_a_page_stays_small_whatever_peers_say() -> None:
    records = [record("fail", what=str(at), evidence={"logs": {"left": f"{at} " * 9000}}) for at in range(900)]
    assert len(page.render(run(*records)).encode()) < 5_000_000


COURSES = {"left": {"cycles": [0, 1], "counters": {"handles": [9, 9]}}}


def test_a_watched_cell_has_its_curves_as_long_as_there_is_room() -> None:
    watched = record(what="leaks", courses=COURSES, figures={"left_handles_per_cycle": 0.0})
    data = page_data.compact(run(watched), None)
    [number] = data["rows"][0][-1][3]
    assert data["texts"][number].startswith('<svg role="img"')
    assert data["missing"] == []
    assert page_data.compact(run(watched), None, room=100)["missing"] == [0]


def test_no_more_cells_are_drawn_than_a_person_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_data, "DRAWN", 1)
    figures = {"left_handles_per_cycle": 0.0}
    records = [record(verdict, what=verdict, courses=COURSES, figures=figures) for verdict in ("pass", "fail")]
    data = page_data.compact(run(*records), None)
    assert [len(row[-1][3]) for row in data["rows"]] == [0, 1]
    assert data["missing"] == [0]


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = page_data.clipped("a" * page_data.LONGEST + "z" * page_data.LONGEST)
    assert text.startswith("aaa")
    assert text.endswith("zzz")
    assert f"{page_data.LONGEST:,} characters left out" in text


def test_the_conversation_of_a_recorded_failure_is_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "wire").mkdir()
    (tmp_path / "wire" / "conversation.txt").write_text("READY", encoding="utf-8")
    wire = {"wire": {"about": ["ended as fail"], "files": ["wire/conversation.txt", "wire/conversation.pcapng"]}}
    data = page_data.compact(run(record("fail", evidence=wire), record(what="1m", evidence=wire)), None, tmp_path)
    assert data["texts"] == ["ended as fail", "READY"]
    assert [title for title, _ in data["rows"][1][-1][0]] == ["@evidence_wire"]
    assert data["rows"][0][-1][2] == wire["wire"]["files"]


def test_changes_are_by_row() -> None:
    after = run(record("fail"), record(what="1m"))
    data = page_data.compact(after, changes.between(run(record()), after))
    before = page_data.SEVERITY.index(Verdict.PASS)
    assert data["changes"] == {"cells": {0: ["broken", before]}, "appeared": [1]}


@pytest.mark.parametrize("text", ["</script>", "<!--", "\u2028"])
def test_no_text_ends_the_script_that_holds_it(text: str) -> None:
    spelled = page_data.script_safe({"text": text})
    assert "<" not in spelled
    assert json.loads(spelled) == {"text": text}


def test_each_text_is_there_in_every_language_with_the_same_places() -> None:
    for table in page_texts.tables().values():
        for key, texts in table.items():
            assert len(texts) == len(page_texts.LANGUAGES), key
            assert all(texts), key
            assert len({frozenset(re.findall(r"\{(\w+)\}", text)) for text in texts}) == 1, key


def test_each_text_that_is_asked_for_exists_and_each_one_is_asked_for() -> None:
    sources = "".join(file.read_text("utf-8") for file in TEMPLATES.iterdir() if file.suffix != ".toml")
    sources += "".join(file.read_text("utf-8") for file in TEMPLATES.parent.glob("page*.py"))
    asked = set(re.findall(r"\b(?:say|titled\(say|fact)\(\"(\w+)\"", sources))
    assert asked <= page_texts.tables()["texts"].keys()
    endings = {f"{verdict}{end}" for verdict in Verdict for end in ("", "_verdict", "_short")}
    used = {key for key in page_texts.tables()["texts"] if f'"{key}"' in sources or f'"@{key}"' in sources}
    assert page_texts.tables()["texts"].keys() - used - endings - set(changes.WORDS) == set()


def test_values_in_a_text_are_text() -> None:
    assert "<b>" not in page_texts.say("study_broken", name="x", why="<b>")
    assert "5,000" in page_texts.say("good", cells=5000)
