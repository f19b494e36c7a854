"""The tuning study's table, its rule for an effect, what is filed of it, and the refusal of bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness import cli
from harness.host import facts
from harness.measure.paired import FEWEST, Interval
from harness.measure.tune import effects as on
from harness.measure.tune import factors, report, study, table
from harness.measure.tune.effects import METRICS, UNSURE, Effect, effects, judge, ratio
from harness.measure.tune.factors import FACTORS, PLACEBOS, Factor, Setting, lacks, select, with_placebos
from harness.measure.tune.report import Report
from harness.measure.tune.study import Result

KNOWN = ["go-zeromq", "pebbe", "pyzmq"]
BY_NAME = {factor.name: factor for factor in FACTORS}
ALL = {
    "options": sorted({name for row in FACTORS for side in (row.default, row.changed) for name in side.options}),
    "features": ["tune", "beside"],
    "send_paths": ["one", "other"],
}

LESS = METRICS[on.LOCK_P50]
MORE = METRICS[on.THROUGHPUT]


# The table of factors


def test_every_factor_has_a_name_of_its_own_and_changes_something() -> None:
    assert len(BY_NAME) == len(FACTORS)
    assert [factor.name for factor in FACTORS if factor.default == factor.changed] == []


def test_a_placebo_changes_nothing() -> None:
    assert all(placebo.default == placebo.changed for placebo in PLACEBOS.values())


@pytest.mark.parametrize("step", ["1", "2", "3"])
def test_a_step_has_factors_one_by_one_and_together(step: str) -> None:
    rows = select(step)
    assert {row.step for row in rows} == {int(step)}
    assert rows[-1].name == f"all of step {step}"
    assert set(map(id, rows)) <= set(map(id, select("all")))


def test_the_placebos_that_are_needed_come_first() -> None:
    stable, free = BY_NAME["keep-alive"], BY_NAME["GOGC=400"]
    assert with_placebos([stable]) == [PLACEBOS[factors.SAME], stable]
    assert with_placebos([free, stable]) == [*PLACEBOS.values(), free, stable]


def test_runtime_settings_are_for_go_alone() -> None:
    assert {row.language for row in select("2")} == {"go"}
    assert lacks(BY_NAME["GOGC=400"], ALL, "python", 2) == "for peers in go only"


def test_a_peer_with_everything_on_four_cores_lacks_nothing() -> None:
    assert [lacks(factor, ALL, "go", 4) for factor in (*FACTORS, *PLACEBOS.values())] == [""] * (len(FACTORS) + 2)


@pytest.mark.parametrize(
    ("factor", "without", "cores", "says"),
    [
        (factors.HWM, "options", 2, "the library has no option SNDHWM"),
        ("2 I/O threads", "features", 2, "the library has no feature tune"),
        (factors.CONTEXT, "features", 2, "the library has no feature tune"),
        (factors.SPIN, "features", 2, "the library has no feature beside"),
        ("send path", "send_paths", 2, "the library has one way to send"),
        (factors.APART, "", 2, "needs 3 cores, there are 2"),
        (factors.NEIGHBOURS, "", 1, "needs 2 cores, there are 1"),
    ],
)
def test_what_is_lacking_is_said_beforehand(factor: str, without: str, cores: int, says: str) -> None:
    has = {kind: names[:1] if kind == "send_paths" == without else names for kind, names in ALL.items()}
    if without != "send_paths":
        has.pop(without, None)
    assert lacks(BY_NAME[factor], has, "go", cores) == says


def test_everything_together_takes_what_a_library_has() -> None:
    assert lacks(BY_NAME[factors.EVERYTHING], {**ALL, "options": []}, "go", 2) == ""


# The rule


@pytest.mark.parametrize(
    ("low", "high", "placebo", "less", "more"),
    [
        (0.5, 0.8, None, "faster", "slower"),
        (0.5, 0.8, Interval(0.9, 1, 1.1), "faster", "slower"),
        (1.2, 1.8, Interval(0.9, 1, 1.1), "slower", "faster"),
        (0.5, 0.8, Interval(0.7, 1, 1.1), UNSURE, UNSURE),
        (1.2, 1.8, Interval(0.9, 1, 1.3), UNSURE, UNSURE),
        (0.9, 1.1, None, UNSURE, UNSURE),
        # A placebo that leans to one side does not make the other side an effect.
        (0.8, 0.99, Interval(1.1, 1.2, 1.3), "faster", "slower"),
        (1.01, 1.05, Interval(1.1, 1.2, 1.3), UNSURE, UNSURE),
    ],
)
def test_an_effect_lies_beyond_one_and_beyond_the_placebo(
    low: float, high: float, placebo: Interval | None, less: str, more: str
) -> None:
    found = Interval(low, (low + high) / 2, high)
    assert (judge(LESS, found, placebo), judge(MORE, found, placebo)) == (less, more)


def test_without_an_interval_nobody_can_tell() -> None:
    assert ratio([1.0] * (FEWEST - 1), [2.0] * (FEWEST - 1)) is None
    assert ratio([0.0, *[1.0] * FEWEST], [1.0] * (FEWEST + 1)) is None
    assert judge(LESS, None, None) == UNSURE


def test_an_effect_is_the_ratio_of_blocks_not_of_medians() -> None:
    default = [10.0, 100.0, 10.0, 40.0, 20.0]
    found = effects({on.LOCK_P50: default}, {on.LOCK_P50: [2 * value for value in default]})
    assert found == {on.LOCK_P50: Effect(on.LOCK_P50, 20.0, 40.0, Interval(2, 2, 2), "slower")}


def test_a_metric_that_one_side_lacks_is_left_out() -> None:
    assert effects({on.LOCK_P50: [1.0] * 5, on.PAUSE: [1.0] * 5}, {on.LOCK_P50: [1.0] * 5}).keys() == {on.LOCK_P50}


def test_the_placebo_of_the_same_metric_is_the_limit() -> None:
    rows: dict[str, list[float]] = {on.LOCK_P50: [1.0] * 5, on.LOCK_P99: [1.0] * 5}
    more = {name: [1.2] * 5 for name in rows}
    limit = {on.LOCK_P99: Effect(on.LOCK_P99, 1, 1, Interval(0.5, 1, 1.5), UNSURE)}
    assert [row.says for row in effects(rows, more, limit).values()] == ["slower", UNSURE]


# Bad input


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--step", "4"], "--step 4: must be 1, 2, 3 or all"),
        (["--step", ""], "--step : must be 1, 2, 3 or all"),
        (["--peer", "nobody"], "--peer nobody: no such peer; there are "),
        (["--blocks", "4"], "--blocks 4: must be a number from 5 to 1000"),
        (["--blocks", "many"], "--blocks many: must be a number from 5 to 1000"),
        (["--blocks", "-7"], "--blocks -7: must be a number from 5 to 1000"),
        (["--blocks", "1001"], "--blocks 1001: must be a number from 5 to 1000"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    ended = CliRunner().invoke(cli.main, ["tune", *arguments])
    assert ended.exit_code == 2
    assert ended.output.startswith(f"zmq-interop: {says}")
    assert ended.output.count("\n") == 1


def test_the_default_plan_is_every_factor_with_the_go_libraries() -> None:
    plan = study.plan("all", (), None, False, KNOWN)
    assert plan.blocks == study.BLOCKS
    assert [name for name, factor in plan.rows if factor.name == factors.EVERYTHING] == ["go-zeromq", "pebbe"]
    assert len(plan.rows) == 2 * (len(FACTORS) + len(PLACEBOS))


def test_a_quick_plan_is_smaller_and_a_number_of_blocks_counts_more() -> None:
    quick, full = study.plan("1", ("pyzmq", "pyzmq"), None, True, KNOWN), study.plan("1", (), None, False, KNOWN)
    assert (quick.blocks, {name for name, _ in quick.rows}) == (study.QUICK_BLOCKS, {"pyzmq"})
    assert quick.load.flood < full.load.flood
    assert study.plan("1", (), "30", True, KNOWN).blocks == 30


def test_without_a_go_library_a_peer_must_be_named() -> None:
    with pytest.raises(ValueError, match="none of go-zeromq, pebbe is here; name one of mine"):
        study.plan("all", (), None, False, ["mine"])


# What is shown and filed


def _report(*, whole: bool = True) -> Report:
    rows: dict[str, list[float]] = {on.LOCK_P50: [10.0] * 5, on.CYCLES: [0.0] * 5}
    more: dict[str, list[float]] = {on.LOCK_P50: [20.0] * 5, on.CYCLES: [1.0] * 5}
    measured = Result("pebbe", BY_NAME["linger 0"], default=rows, changed=more, effects=effects(rows, more))
    missing = Result("pebbe", BY_NAME[factors.HWM], skipped="the library has no option SNDHWM")
    return Report(
        "20260102-1", "Linux", {"cores": "2"}, {"pebbe": "pebbe 1"}, {"pebbe": 1.25}, [measured, missing], whole
    )


def test_a_report_is_filed_with_every_block(tmp_path: Path) -> None:
    folder = report.write(_report(), tmp_path)
    assert folder == tmp_path / "20260102-1"
    told: dict[str, Any] = json.loads((folder / report.JSON).read_text("utf-8"))
    measured, missing = told["results"]
    assert measured["effects"][on.LOCK_P50] == {
        "default": 10.0,
        "changed": 20.0,
        "unit": "µs",
        "ratio": {"low": 2.0, "mid": 2.0, "high": 2.0},
        "says": "slower",
    }
    assert measured["effects"][on.CYCLES]["ratio"] is None
    assert (measured["blocks"], measured["values"]["changed"][on.LOCK_P50]) == (5, [20.0] * 5)
    assert (missing["skipped"], missing["effects"]) == ("the library has no option SNDHWM", {})
    assert told["host"]["timer of 1 ms, pebbe"] == "1.250 ms"
    assert {row["verdict"] for row in told["claims"]} == {"not testable here"}


def test_the_commands_page_lies_beside_its_files_and_draws_the_effects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study.Study, "run", lambda self: None)
    monkeypatch.setattr(report, "of", lambda study, name: _report())
    said = CliRunner().invoke(cli.main, ["tune", "--quick", "--reports", str(tmp_path)])
    assert said.exit_code == 1, said.output  # nothing was measured
    folder = tmp_path / "20260102-1"
    assert sorted(file.name for file in folder.iterdir()) == ["index.html", report.JSON, report.MARKDOWN]
    assert (folder / "index.html").read_text(encoding="utf-8").count('aria-label="effects of tuning: pebbe"') == 1
    assert [*tmp_path.iterdir()] == [folder]
    assert f"every block: {folder / report.JSON}" in said.output.replace("\n", "")


def test_the_page_says_what_was_not_measured_and_whether_it_was_interrupted() -> None:
    text = report.markdown(_report(whole=False))
    assert "Interrupted" in text
    assert "Interrupted" not in report.markdown(_report())
    assert "| linger 0 | lock-step p50, µs | 10 | 20 | 2 (2 to 2) | **slower** |" in text
    assert "- HWM 10,000: the library has no option SNDHWM" in text


def test_the_terminal_shows_effects_claims_and_host(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    console = Console(width=160)
    for shown in table.whole(_report(whole=False)):
        console.print(shown)
    text = capsys.readouterr().out
    for word in ("slower", "2.00–2.00", "larger queues cost delay", "interrupted", "1.250 ms", "no option SNDHWM"):
        assert word in text


def test_the_host_is_recorded_with_all_settings_that_a_study_never_changes() -> None:
    told = facts.facts()
    assert {"power plan", "timer resolution", "Win32PrioritySeparation", "DisablePagingExecutive"} <= told.keys()
    assert all(told.values())


def test_a_setting_says_nothing_of_what_it_does_not_change() -> None:
    assert Setting() == Setting({}, {}, False, {}, None, 0, 1, factors.SAME, "")
    assert Factor("x", 1, "y", Setting(), Setting()).probes == (factors.LOCK_STEP, factors.OPEN_LOOP, factors.FLOOD)
