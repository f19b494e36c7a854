"""What changed between two runs: each pair of verdicts means one thing, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.verdicts import Verdict
from harness.report import changes, store
from harness.report.changes import Kind
from tests.unit.helpers import record, run


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("pass", "fail", Kind.BROKEN),
        ("known", "crash", Kind.BROKEN),
        ("unsupported", "hang", Kind.BROKEN),
        (None, "missing", Kind.BROKEN),
        ("pass", "fixed", Kind.BROKEN),
        ("fail", "pass", Kind.MENDED),
        ("known", "pass", Kind.MENDED),
        ("known", "fixed", Kind.MENDED),
        ("fixed", "pass", Kind.OTHER),
        ("pass", "unsupported", Kind.LACKING),
        ("fail", "unsupported", Kind.LACKING),
        ("fail", "crash", Kind.OTHER),
        ("pass", "known", Kind.OTHER),
        ("pass", "inconclusive", Kind.OTHER),
        (None, "pass", None),
        (None, "unsupported", None),
    ],
)
def test_a_pair_of_verdicts_means_one_thing(before: str | None, after: str, kind: Kind | None) -> None:
    assert changes.kind(Verdict(before) if before else None, Verdict(after)) is kind


@pytest.mark.parametrize("verdict", Verdict)
def test_the_same_verdict_is_no_change(verdict: Verdict) -> None:
    assert changes.kind(verdict, verdict) is None


def test_every_kind_has_its_words() -> None:
    assert changes.WORDS.keys() == set(Kind)


def test_cells_appear_and_vanish() -> None:
    found = changes.between(run(record(what="a"), record(what="b"), name="1"), run(record(what="b"), record(what="c")))
    assert [cell.rpartition("/")[2] for cell in found.appeared] == ["c"]
    assert [cell.rpartition("/")[2] for cell in found.vanished] == ["a"]
    assert (found.before, found.verdicts, found.none) == ("1", [], False)


def test_the_same_run_again_has_no_changes() -> None:
    assert changes.between(run(record("fail")), run(record("fail"))).none


def test_a_changed_version_is_told_and_an_unknown_one_is_not() -> None:
    before = run(record("known", evidence={"peers": ["one 1.0 (x)", "two 1.0"]}))
    after = run(record("known", evidence={"peers": ["one 1.1 (x)"]}))
    after.about["system"] = "Windows"
    assert changes.between(before, after).versions == {"system": ("Linux", "Windows"), "one": ("1.0 (x)", "1.1 (x)")}


def test_runs_are_comparable_that_share_half_of_the_later_cells() -> None:
    later = run(record(what="a"), record(what="b"))
    assert changes.comparable(run(record(what="a")), later)
    assert not changes.comparable(run(record(what="c")), later)
    assert not changes.comparable(run(record()), run())


def filed(folder: Path, name: str, *verdicts: str) -> str:
    store.write(run(*(record(verdict, what=str(at)) for at, verdict in enumerate(verdicts)), name=name), folder)
    return str(folder / name)


def test_compare_tells_new_failures_and_ends_with_exit_code_1(tmp_path: Path) -> None:
    runs = filed(tmp_path, "1", "pass", "known"), filed(tmp_path, "2", "fail", "pass")
    done = CliRunner().invoke(main, ["compare", *runs])
    assert done.exit_code == 1
    assert "since 1: 1 new failures, 1 fixed, 0 newly unsupported" in done.output
    assert "  broken     push-pull/tcp4/one>two/left-binds/0: pass → fail" in done.output


def test_compare_of_equal_runs_ends_with_exit_code_0(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["compare", filed(tmp_path, "1", "pass"), filed(tmp_path, "2", "pass")])
    assert (done.exit_code, done.output.count("\n")) == (0, 1)


def test_compare_refuses_runs_without_a_common_cell(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["compare", filed(tmp_path, "1"), filed(tmp_path, "2", "pass")])
    assert done.exit_code == 2
