"""The summary in the terminal says everything that needs explaining, and nothing twice."""

from __future__ import annotations

from harness.model.verdicts import Verdict
from harness.report import table
from harness.report.store import Run
from tests.unit.helpers import record, run


def summary(shown: Run) -> str:
    return "\n".join(table.summary(shown))


def rows(shown: Run) -> dict[str, str]:
    """Return the marks of each pattern's row."""
    lines = [line.split() for line in table.grid(shown)]
    return {words[0]: " ".join(words[1:]) for words in lines if words[0] in ("push-pull", "pub-sub")}


def test_a_square_shows_the_worst_of_its_cells() -> None:
    records = [record("pass"), record("hang", what="1m"), record("fail", what="64k"), record("pass", right="one")]
    assert table.squares(records) == {
        ("push-pull", "one", "two"): Verdict.HANG,
        ("push-pull", "one", "one"): Verdict.PASS,
    }


def test_the_grid_has_a_row_a_pattern_and_a_column_a_pair() -> None:
    shown = run(
        record("pass", right="one"),
        record("fail"),
        record("crash", left="two", right="one"),
        record("unsupported", pattern="pub-sub"),
    )
    assert rows(shown) == {"push-pull": "✓ ✗ C", "pub-sub": "·"}


def test_the_grid_explains_its_letters_and_marks() -> None:
    lines = list(table.grid(run(record("pass"), record("known", left="two"))))
    assert lines[0] == "A = one, B = two; left > right"
    assert lines[1].split() == ["AB", "BB"]
    assert lines[-1] == "worst of each square: ✓ pass, k known"


def test_the_summary_counts_cells_by_verdict() -> None:
    shown = run(record(), record("fail", what="1m"), record("fail", what="64k"))
    assert "3 cells: 1 pass, 2 fail" in summary(shown).splitlines()


def test_every_unexpected_cell_is_listed_with_reason_and_blame() -> None:
    text = summary(run(record("fail", reason="frame 1 differs", blame="two: it fails with itself too"), record()))
    assert "FAIL        push-pull/tcp4/one>two/left-binds/empty: frame 1 differs" in text
    assert "blame: two: it fails with itself too" in text


def test_expected_cells_are_counted_and_not_listed() -> None:
    text = summary(
        run(
            record("known", issue="an-issue"),
            record("known", what="1m", issue="an-issue"),
            record("unsupported", what="64k", reason="two 1.0 has no transport ws"),
        )
    )
    assert "2 × an-issue" in text
    assert "1 × two 1.0 has no transport ws" in text
    assert "left-binds" not in text


def test_an_inconclusive_cell_says_what_kept_it_from_a_verdict() -> None:
    text = summary(run(record("inconclusive", reason="the floor moved by a half")))
    assert "1 cell: 1 inconclusive" in text
    assert "inconclusive push-pull/tcp4/one>two/left-binds/empty: the floor moved by a half" in text


def test_problems_of_the_run_are_listed() -> None:
    assert "PROBLEM     one: left a child behind" in summary(run(record(), problems=("one: left a child behind",)))


def test_a_long_list_is_cut_and_says_so() -> None:
    text = summary(run(*(record("fail", what=f"case-{number}") for number in range(50))))
    assert text.count("FAIL") == 40
    assert "… and 10 more" in text


def test_what_a_stopped_run_never_reached_does_not_hide_what_it_found() -> None:
    never = [record("missing", what=f"case-{number}") for number in range(50)]
    shown = run(*never, record("fail", what="1m"), record("crash", what="64k"), record("fixed", what="64m"))
    lines = [line.split()[0] for line in summary(shown).splitlines() if "/left-binds/" in line]
    assert lines == ["CRASH", "FAIL", "FIXED", "MISSING", "MISSING", "MISSING"]
    assert "… and 47 more" in summary(shown)
    assert rows(shown) == {"push-pull": "C"}
    assert rows(run(*never, record("fail", what="1m"))) == {"push-pull": "✗"}


def test_a_run_of_many_implementations_still_has_a_table() -> None:
    names = [f"peer-{number}" for number in range(14)]
    lines = list(table.grid(run(*(record(left=name, right=name) for name in names))))
    assert all(name in lines[0] for name in names)
