"""Drawings: which records and files give which, and that the page chooses their colours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.model.verdicts import Verdict
from harness.report import page, page_curves, page_plots, page_small, page_studies, page_svg
from harness.report.store import Record
from tests.unit.helpers import encoded, record, run

HISTOGRAMS = {row: encoded(*range(20, 90)) for row in ("subject", "raw")}
RATIOS = {"p50 ×raw": 2.0, "p50 ×raw low": 1.5, "p50 ×raw high": 2.5}


def measured(figures: dict[str, float], left: str = "one") -> Record:
    return record(what="round-trip-64", pattern="req-rep", left=left, figures=figures, histograms=HISTOGRAMS)


def is_drawing(svg: str) -> bool:
    """Whether it is an element of its own that takes its colours from the page and names nothing outside."""
    return (
        svg.startswith('<svg role="img" aria-label="')
        and svg.endswith("</svg>")
        and not re.search(r"#0[1-4]0|<style|<metadata|https?://(?!www\.w3\.org/1999/xlink)|nan", svg)
        and "currentColor" in svg
    )


def test_a_run_without_figures_imports_no_plotting_library() -> None:
    code = (
        "import sys; from harness.report import page; from tests.unit.helpers import run, record;"
        "page.render(run(record())); sys.exit('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=page.ROOT, check=False)
    assert done.returncode == 0


def test_measured_cells_are_drawn_by_what_they_share() -> None:
    plots = list(page_plots.latency(run(measured(RATIOS), measured(RATIOS, "three"), record())))
    assert [plot.caption for plot in plots] == ["caption_percentiles", "caption_ratios"]
    assert all(is_drawing(plot.svg) for plot in plots)
    assert "three &gt; two" in plots[0].svg
    assert ">subject<" in plots[0].svg
    assert ">library<" not in plots[0].svg


def test_percentiles_are_drawn_from_the_histogram_up_to_the_slowest() -> None:
    one, other = measured({}), measured({})
    other.histograms = HISTOGRAMS | {"subject": encoded(*range(20, 89), 400)}
    drawn = [next(page_plots.latency(run(each))).svg for each in (one, other)]
    assert drawn[0] != drawn[1]
    assert ">90<" in drawn[0]


def test_a_cell_without_a_histogram_is_not_drawn() -> None:
    assert list(page_plots.latency(run(record(figures={"subject p50 µs": 20.0})))) == []


COURSE_OF_LEFT = {"cycles": [0, 1, 3, 3], "counters": {"handles": [9, 10, 12, 12], "uss": [2**20, 2**20, 2**21, 2**21]}}
SLOPE = {"left_uss_per_cycle": 1000.0, "left_uss_per_cycle_low": 900.0, "left_uss_per_cycle_high": 1100.0}


def test_a_cells_counters_are_drawn_over_its_cycles_with_the_slope_of_memory() -> None:
    [svg] = page_curves.Sheet().of_cell(record(what="leaks", courses={"left": COURSE_OF_LEFT}, figures=SLOPE))
    assert is_drawing(svg)
    assert 'aria-label="counters of left over cycles"' in svg
    assert ">handles +3<" in svg
    assert "uss, MiB: +1,000 bytes a cycle (+900 to +1,100)" in svg


def test_a_sheet_that_is_used_again_shows_nothing_of_the_cell_before() -> None:
    quiet = {"cycles": [0, 3], "counters": {"threads": [5, 5]}}
    sheet = page_curves.Sheet()
    first, again = (record(what="leaks", courses={"left": course}) for course in (COURSE_OF_LEFT, quiet))
    assert len([*sheet.of_cell(first)]) == 1
    assert [*sheet.of_cell(again)] == [*page_curves.Sheet().of_cell(again)]


def test_each_process_that_was_watched_has_a_drawing() -> None:
    both = record(what="leaks", courses={"left": COURSE_OF_LEFT, "right": COURSE_OF_LEFT})
    assert len([*page_curves.Sheet().of_cell(both)]) == 2
    assert [*page_curves.Sheet().of_cell(record())] == []


def test_a_soak_that_could_not_be_watched_says_so(tmp_path: Path) -> None:
    unsure = SOAK | {"grew": [], "unwatched": {"go left": "its handles stayed at 9"}}
    (tmp_path / "soak.json").write_text(json.dumps(unsure), encoding="utf-8")
    assert "go left is not judged: its handles stayed at 9" in page.render(run(record()), None, tmp_path)


def test_a_soak_that_was_too_short_is_not_called_clean(tmp_path: Path) -> None:
    (tmp_path / "soak.json").write_text(json.dumps(SOAK | {"grew": [], "judged": False}), encoding="utf-8")
    [(_, plots)] = page_studies.plots(tmp_path)
    assert not isinstance(plots, str)
    assert [plot.caption for plot in plots] == ["caption_soak_short"]


def test_figures_without_intervals_have_no_ratios() -> None:
    assert [plot.caption for plot in page_plots.latency(run(measured({})))] == ["caption_percentiles"]


def test_the_page_shows_the_drawings() -> None:
    html = page.render(run(measured(RATIOS)))
    assert html.count("<svg") == 2
    assert 'id="latency"' in html


def test_a_moment_has_the_worst_verdict_of_its_cells() -> None:
    records = [
        record(what="a", worker="gw0", at=1.0, seconds=9.0),
        record("fail", what="b", worker="gw0", at=5.0, seconds=1.0),
        record(what="c", worker="gw1", at=39.0, seconds=1.0),
    ]
    spans = page_plots.spans(records)
    assert [verdict for _, _, verdict in spans["gw0"]] == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
    start, length, _ = spans["gw0"][1]
    assert start == pytest.approx(5.0, abs=0.11)
    assert length == pytest.approx(1.0, abs=0.21)
    assert [round(start) for start, _, _ in spans["gw1"]] == [39]


def test_a_worker_that_waits_leaves_a_gap() -> None:
    spans = page_plots.spans([record(what="a", at=1.0, seconds=1.0), record(what="b", at=8.0, seconds=1.0)])
    assert [round(start) for start, _, _ in spans[""]] == [1, 8]


def test_a_timeline_is_drawn_of_runs_that_noted_their_times() -> None:
    assert list(page_plots.timeline(run(record(seconds=9.0)))) == []
    assert list(page_plots.timeline(run(record(at=0.5, seconds=1.0)))) == []
    [plot] = page_plots.timeline(run(record(at=0.5, seconds=9.0, worker="gw0")))
    assert is_drawing(plot.svg)
    assert "gw0" in plot.svg


SOAK = {
    "seconds": 60.0,
    "turns": 9,
    "restarts": 1,
    "grew": [{"peer": "go left", "counter": "threads", "per_cycle": 0.1, "text": "threads grew from 1 to 9"}],
    "series": [
        {"peer": "go left", "counter": "threads", "points": [[at, at] for at in range(1000)]},
        {"peer": "go right 2", "counter": "uss", "points": [[1, 2**20], [2, 2**21]]},
    ],
}
COURSE = {
    "client": "a",
    "server": "b",
    "tuned": None,
    "bend": 10,
    "growth": {"verdict": "pass", "text": "N^1"},
    "rows": [
        {"clients": many, "rate": {"low": 9.0, "mid": 10.0, "high": 11.0}, "p50": 1.0, "p95": 2.0, "p99": 3.0}
        for many in (10, 100)
    ],
}
EFFECT = {
    "default": 1.0,
    "changed": 0.5,
    "unit": "µs",
    "ratio": {"low": 0.4, "mid": 0.5, "high": 0.6},
    "says": "faster",
}
TUNE = {
    "peers": {"one": "one 1.0"},
    "results": [
        {"peer": "one", "factor": "HWM", "effects": {"throughput": EFFECT, "switches": EFFECT | {"ratio": None}}},
        {"peer": "one", "factor": "linger", "effects": {}},
    ],
}


@pytest.mark.parametrize(
    ("name", "data", "caption", "words"),
    [
        ("soak.json", SOAK, "caption_soak_grew", "threads"),
        ("load.json", {"courses": [COURSE, COURSE | {"tuned": "x"}, COURSE | {"rows": []}]}, "caption_load", "tuned"),
        ("tune.json", TUNE, "caption_tune", "faster"),
    ],
    ids=["soak", "load", "tune"],
)
def test_a_study_beside_a_run_is_drawn(name: str, data: Any, caption: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
    [(found, plots)] = page_studies.plots(tmp_path)
    assert found == name
    assert not isinstance(plots, str)
    assert [plot.caption for plot in plots] == [caption]
    assert is_drawing(plots[0].svg)
    assert words in plots[0].svg
    assert 'id="studies"' in page.render(run(record()), None, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"series": [], "courses": 3, "peers": {"a": 1}}'])
@pytest.mark.parametrize("name", ["soak.json", "load.json", "tune.json"])
def test_a_study_that_cannot_be_read_is_said_and_spoils_nothing(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert f"{name} cannot be drawn: " in page.render(run(record()), None, tmp_path)


def test_many_points_become_few_with_the_first_and_the_last() -> None:
    some = page_studies.thinned([*range(1000)])
    assert (some[0], some[-1], len(some) <= 202) == (0, 999, True)
    assert page_studies.thinned([1]) == [1]
    assert page_studies.thinned([]) == []


def test_a_drawing_is_named_for_those_who_cannot_see_it() -> None:
    drawn = page_svg.cleaned('<?xml?>\n<svg width="72pt" viewBox="0 0 1 1" xmlns="x">\n<g id="a"/></svg>', 'a "b" <c>')
    assert drawn.startswith('<svg role="img" aria-label="a &quot;b&quot; &lt;c>" viewBox="0 0 1 1"')


def test_a_study_has_a_page_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "soak.json").write_text(json.dumps(SOAK), encoding="utf-8")
    (tmp_path / "load.json").write_text("{}", encoding="utf-8")
    page = page_small.studies(tmp_path, "soak").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "load.json cannot be drawn: KeyError" in page
    assert "what grew" in page
    assert tmp_path.name in page
