"""The page holds the whole run in one file, and peers' output in it is text, never markup."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from harness.model.verdicts import Verdict
from harness.report import page
from harness.report.store import Run
from tests.unit.helpers import record, run

SCRIPT = "<script>alert('x')</script>"
BAD = record(
    "fail",
    reason="frame 1 differs",
    blame="two: it fails with itself too",
    evidence={"peers": ["two 1.0 (libzmq)"], "logs": {"two": "panic: nil"}},
)


def test_the_page_needs_no_other_file() -> None:
    html = page.render(run(BAD))
    assert re.findall(r"(?:src|href)=|@import|url\(", html) == []
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")


def test_the_page_says_when_and_where_the_run_was() -> None:
    html = page.render(run(BAD))
    for word in ("2026-01-02T03:04:05Z", "here", "Linux", "1.5 s", "20260102-030405-1"):
        assert word in html


def test_a_good_run_is_called_good() -> None:
    assert "nothing unexpected" in page.render(run(record(), record("known", what="1m", issue="an-issue")))


def test_a_bad_run_counts_what_is_unexpected() -> None:
    html = page.render(run(BAD, record(), problems=("one: left a child behind",)))
    assert "nothing unexpected" not in html
    assert "2 unexpected" in html
    assert "one: left a child behind" in html


@pytest.mark.parametrize("verdict", Verdict)
def test_a_square_carries_its_verdict_in_words(verdict: Verdict) -> None:
    assert f">{verdict}</td>" in page.render(run(record(verdict)))


def test_an_unexpected_cell_comes_with_all_that_repeats_and_explains_it() -> None:
    html = unescape(page.render(run(BAD)))
    for text in (
        BAD.cell.id,
        "frame 1 differs",
        "two: it fails with itself too",
        "two 1.0 (libzmq)",
        "panic: nil",
        "zmq-interop repeat 'push-pull/tcp4/one>two/left-binds/empty'",
    ):
        assert text in html


def test_a_known_cell_is_listed_with_its_issue() -> None:
    html = page.render(run(record("known", issue="an-issue", reason="it breaks")))
    assert "an-issue: it breaks" in html


@pytest.mark.parametrize(
    "shown",
    [
        run(record("fail", reason=SCRIPT)),
        run(record("fail", blame=SCRIPT)),
        run(record("fail", evidence={"peers": [SCRIPT]})),
        run(record("fail", evidence={"logs": {"one": SCRIPT}})),
        run(record("fail", evidence={"logs": {SCRIPT: "text"}})),
        run(record("known", issue=SCRIPT, reason=SCRIPT)),
        run(record(), problems=(SCRIPT,)),
        run(record(what=SCRIPT, verdict="fail")),
    ],
    ids=["reason", "blame", "peers", "log", "log's name", "known issue", "problem", "cell"],
)
def test_what_a_peer_says_is_escaped(shown: Run) -> None:
    html = page.render(shown)
    assert "<script" not in html
    assert SCRIPT in unescape(html)


def test_a_run_of_nothing_still_has_a_page() -> None:
    assert "0 cells" in page.render(run())


def test_the_page_is_written_whole_and_alone(tmp_path: Path) -> None:
    file = page.write(run(BAD), tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [page.PAGE]
    assert file.read_text(encoding="utf-8") == page.render(run(BAD))
