"""The lattice of verdicts, and the table that names the culprit."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest

from harness.model.verdicts import Verdict, blame, worst

FROM_BEST_TO_WORST = ["unsupported", "pass", "inconclusive", "known", "fixed", "missing", "fail", "hang", "crash"]


def test_every_verdict_has_its_place_in_the_lattice() -> None:
    assert sorted(FROM_BEST_TO_WORST) == sorted(Verdict)
    for better, worse in pairwise(FROM_BEST_TO_WORST):
        assert worst([Verdict(better), Verdict(worse)]) == worse


def test_the_worst_verdict_does_not_depend_on_the_order() -> None:
    for some in permutations([Verdict.PASS, Verdict.CRASH, Verdict.KNOWN]):
        assert worst(some) is Verdict.CRASH


def test_one_verdict_is_its_own_worst() -> None:
    assert [worst([verdict]) for verdict in Verdict] == list(Verdict)


def test_only_news_turns_a_run_red() -> None:
    assert [str(verdict) for verdict in Verdict if verdict.expected] == [
        "pass",
        "known",
        "unsupported",
        "inconclusive",
    ]


def test_whatever_is_unexpected_is_worse_than_whatever_is_expected() -> None:
    for good in Verdict:
        for bad in Verdict:
            if good.expected and not bad.expected:
                assert worst([good, bad]) is bad


def test_marks_are_one_character_and_unique() -> None:
    marks = [verdict.mark for verdict in Verdict]
    assert [len(mark) for mark in marks] == [1] * len(Verdict)
    assert len(set(marks)) == len(Verdict)


@pytest.mark.parametrize(
    ("left_fails", "right_fails", "culprit"),
    [
        (True, False, "one: it fails with itself too, two with itself passes"),
        (False, True, "two: it fails with itself too, one with itself passes"),
        (True, True, "both one and two fail with themselves"),
        (False, False, "the combination: one and two each pass with themselves"),
    ],
)
def test_blame_follows_from_how_each_fares_with_itself(left_fails: bool, right_fails: bool, culprit: str) -> None:
    assert blame("one", "two", left_fails, right_fails).startswith(culprit)


def test_one_implementation_alone_is_blamed_only_if_it_fails_again() -> None:
    assert blame("one", "one", True, True) == "one: it fails with itself"
    assert blame("one", "one", False, False) == "nobody yet: one passed when it was repeated"
