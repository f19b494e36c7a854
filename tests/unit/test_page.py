"""The page holds the whole run in one file, and peers' output in it is text, never markup."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from harness.model.verdicts import Verdict
from harness.report import changes, page, store
from harness.report.store import Run
from tests.unit.helpers import record, run

SCRIPT = "<script>alert('x')</script>"
BAD = record(
    "fail",
    reason="frame 1 differs",
    blame="two: it fails with itself too",
    evidence={"peers": ["two 1.0 (libzmq)"], "logs": {"two": "panic: nil"}},
)


def text_of(html: str) -> str:
    """Return what the English page says without its script, its styles and its data."""
    shown = re.sub(r"(?s)<(script|style).*?</\1>|<span lang=\"zh\">.*?</span>", "", html)
    apart = re.sub(r"</(td|th|code)>", " ", shown)
    return unescape(" ".join(re.sub(r"<[^>]*>", "", apart).split()))


def data_of(html: str) -> str:
    """Return the page's data as text."""
    [found] = re.findall(r'(?s)<script type="application/json" id="run">(.*?)</script>', html)
    return json.dumps(json.loads(found), ensure_ascii=False)


def test_the_page_needs_no_other_file() -> None:
    html = page.render(run(BAD))
    assert re.findall(r"\bsrc=|@import|url\((?!#)", html) == []
    assert {word for word in re.findall(r'href="([^"]*)"', html) if not word.startswith("#")} == {"data:,"}
    assert "default-src 'none'" in html
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")


def test_the_page_says_when_and_where_the_run_was() -> None:
    text = text_of(page.render(run(BAD)))
    for word in ("2026-01-02T03:04:05Z", "here", "Linux", "1.5 s", "20260102-030405-1"):
        assert word in text


def test_a_good_run_is_called_good() -> None:
    html = page.render(run(record(), record("known", what="1m", issue="an-issue")))
    assert "Good: nothing unexpected in 2 cells." in text_of(html)
    assert "良好" in html


def test_a_bad_run_counts_what_is_unexpected() -> None:
    text = text_of(page.render(run(BAD, record(), problems=("one: left a child behind",))))
    assert "Not good: 1 of 2 cells are unexpected. Problems of the run: 1." in text
    assert "one: left a child behind" in text


def test_problems_alone_make_a_run_bad() -> None:
    assert "Not good: the run itself has problems." in text_of(page.render(run(record(), problems=("x",))))


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_stands_in_words_beside_its_colour(verdict: Verdict) -> None:
    html = page.render(run(record(verdict)))
    assert re.search(rf'class="v {verdict}" href="#verdict={verdict}"><b>1</b> <span lang="en">{verdict}</span>', html)


def test_an_unexpected_cell_comes_with_all_that_repeats_and_explains_it() -> None:
    html = page.render(run(BAD))
    for words in (BAD.cell.id, "frame 1 differs", "two: it fails with itself too", "zmq-interop repeat"):
        assert words in text_of(html)
    for words in ("two 1.0 (libzmq)", "panic: nil", r"zmq-interop repeat \"{cell}\""):
        assert words in data_of(html)


def test_a_known_issue_is_listed_with_count_reason_and_link() -> None:
    shown = run(record("known", issue="an-issue"), record("known", what="1m", issue="an-issue"))
    shown.about["issues"] = {"an-issue": {"reason": "it breaks", "link": "https://example.org/1"}}
    html = page.render(shown)
    assert '<a href="https://example.org/1">an-issue</a>' in html
    assert "an-issue 2 it breaks" in text_of(html)


def test_a_known_issue_that_passes_is_listed_by_itself() -> None:
    text = text_of(page.render(run(record("fixed", issue="an-issue"))))
    assert "Known issues that pass now" in text
    assert "an-issue: 1 cells" in text


def test_a_finding_of_this_checkout_is_linked_from_the_runs_folder(tmp_path: Path) -> None:
    shown = run(record("known", issue="a"))
    shown.about["issues"] = {"a": {"reason": "r", "link": "docs/decisions.md"}}
    href = page.issue_links(shown, tmp_path)["a"]["href"]
    file = page.ROOT / "docs" / "decisions.md"
    other = page.ROOT.drive != tmp_path.drive  # as on Windows in CI
    assert href == "" if other else (tmp_path / href).resolve() == file
    assert page.issue_links(shown, None)["a"]["href"] == ""


@pytest.mark.parametrize("link", ["javascript:alert(1)", "", "docs/none.md"])
def test_a_link_that_leads_nowhere_is_none(link: str, tmp_path: Path) -> None:
    shown = run(record("known", issue="a"))
    shown.about["issues"] = {"a": {"reason": "r", "link": link}}
    assert page.issue_links(shown, tmp_path)["a"]["href"] == ""


def test_what_is_unsupported_or_inconclusive_has_its_reason() -> None:
    text = text_of(page.render(run(record("unsupported", reason="no STREAM"), record("inconclusive", reason="40 %"))))
    assert "no STREAM 1" in text
    assert "40 %" in text
    assert "1 could not be measured well enough to say." in text


def test_what_changed_is_counted() -> None:
    before, after = run(record(), record("known", what="1m"), name="1"), run(BAD, record(what="1m"))
    text = text_of(page.render(after, changes.between(before, after)))
    assert "Compared with 1." in text
    assert "1 new failures 1 fixed 0 newly unsupported 0 changed otherwise" in text


def test_without_a_run_before_the_page_says_so() -> None:
    assert "There is no earlier run" in text_of(page.render(run(record())))


@pytest.mark.parametrize(
    "shown",
    [
        run(record("fail", reason=SCRIPT)),
        run(record("fail", blame=SCRIPT)),
        run(record("fail", evidence={"peers": [SCRIPT]})),
        run(record("fail", evidence={"logs": {"one": SCRIPT}})),
        run(record("fail", evidence={"logs": {SCRIPT: "text"}})),
        run(record("known", issue=SCRIPT, reason=SCRIPT)),
        run(record("unsupported", reason=SCRIPT)),
        run(record(), problems=(SCRIPT,)),
        run(record(what=SCRIPT.replace("/", ""), verdict="fail")),
    ],
    ids=["reason", "blame", "peers", "log", "log's name", "known issue", "unsupported", "problem", "cell"],
)
def test_what_a_peer_says_is_escaped(shown: Run) -> None:
    html = page.render(shown)
    assert html.count("<script") == page.render(run(record())).count("<script") == 2
    assert "alert('x')" in unescape(html)


def test_a_run_of_nothing_still_has_a_page() -> None:
    assert "No cells in this run." in text_of(page.render(run()))


def test_the_page_is_written_whole_and_alone(tmp_path: Path) -> None:
    folder = tmp_path / "20260102-030405-1"
    folder.mkdir()
    file = page.write(run(BAD), folder)
    assert [entry.name for entry in folder.iterdir()] == [page.PAGE]
    assert file.read_text(encoding="utf-8") == page.render(run(BAD), None, folder)


def test_a_run_is_compared_with_the_newest_one_before_it_that_has_its_cells(tmp_path: Path) -> None:
    for name, what in (("1", "a"), ("2", "a"), ("3", "other"), ("5", "a")):
        store.write(run(record(what=what), name=name), tmp_path)
    (tmp_path / "35").mkdir()
    (tmp_path / "35" / store.RESULTS).write_text("torn", encoding="utf-8")
    before = page.earlier(run(record("fail", what="a"), name="4"), tmp_path)
    assert before is not None
    assert before.name == "2"


COLOURS = (Path(page.__file__).parent / "templates" / "page.css").read_text("utf-8")


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", re.findall(r"--([a-z]+)-bg:", COLOURS.partition("@media")[0]))
def test_words_can_be_read_on_their_colours(name: str, scheme: int) -> None:
    # WCAG 2.2, 1.4.3: at least 4.5 to 1.
    found = [re.findall(rf"--{name}-{end}: #([0-9a-f]{{6}})", COLOURS)[scheme] for end in ("bg", "fg")]
    dark, light = sorted(map(luminance, found))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Return the relative luminance of rrggbb."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
