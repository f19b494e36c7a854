"""The files of a tuning study: `tune.json` with every block, `tune.md` for people; both lie in `reports/<run>/`."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.host import facts
from harness.measure.tune import claims, factors
from harness.measure.tune.claims import Finding
from harness.measure.tune.effects import METRICS, UNSURE, Effect
from harness.measure.tune.study import Result, Study

JSON: Final = "tune.json"
MARKDOWN: Final = "tune.md"


@dataclass(frozen=True, slots=True)
class Report:
    """A study as it is shown and filed. `timers`: what a timer of 1 ms took, in ms, by peer."""

    name: str
    system: str
    facts: Mapping[str, str]
    peers: Mapping[str, str]
    timers: Mapping[str, float]
    results: Sequence[Result]
    whole: bool

    @property
    def findings(self) -> list[Finding]:
        """The claims, held against each peer."""
        found = []
        for peer in self.peers:
            mine = {row.factor.name: row for row in self.results if row.peer == peer}
            found += claims.findings(
                peer,
                self.system,
                {name: row.effects for name, row in mine.items()},
                {name: row.default for name, row in mine.items()},
                {name: row.skipped for name, row in mine.items()},
                {place: mine[row.name].effects for place, row in factors.PLACEBOS.items() if row.name in mine},
            )
        return found


def of(study: Study, name: str) -> Report:
    """Make the report of a study, called `name`, on this host."""
    return Report(
        name,
        platform.system(),
        {**facts.facts(), "load, 1 minute": facts.load()},
        study.peers,
        study.timers,
        study.results,
        study.whole,
    )


def document(report: Report) -> dict[str, Any]:
    """Spell a report as in `tune.json`."""
    return {
        "run": report.name,
        "whole": report.whole,
        "host": {**report.facts, **{f"timer of 1 ms, {name}": f"{ms:.3f} ms" for name, ms in report.timers.items()}},
        "peers": dict(report.peers),
        "results": [_row(result) for result in report.results],
        "claims": [
            {"claim": row.claim.text, "peer": row.peer, "verdict": row.verdict, "sentence": row.sentence}
            for row in report.findings
        ],
    }


def _row(result: Result) -> dict[str, Any]:
    return {
        "peer": result.peer,
        "factor": result.factor.name,
        "step": result.factor.step,
        "what": result.factor.what,
        "skipped": result.skipped,
        "blocks": result.blocks,
        "seconds": round(result.seconds, 2),
        "effects": {name: _effect(effect) for name, effect in result.effects.items()},
        "values": {"default": result.default, "changed": result.changed},
    }


def _effect(effect: Effect) -> dict[str, Any]:
    found = effect.ratio
    return {
        "default": effect.default,
        "changed": effect.changed,
        "unit": METRICS[effect.metric].unit,
        "ratio": None if found is None else {"low": found.low, "mid": found.mid, "high": found.high},
        "says": effect.says,
    }


def markdown(report: Report) -> str:
    """Write a report for people."""
    lines = [f"# Tuning study {report.name}", ""]
    if not report.whole:
        lines += ["**Interrupted: what was measured until then.**", ""]
    told = document(report)
    lines += ["## Where and with what", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in (*told["host"].items(), *told["peers"].items())]
    for peer in report.peers:
        lines += ["", f"## Effects, {peer} on both ends", "", "| factor | metric | default | changed | × | says |"]
        lines += ["|---|---|---|---|---|---|"]
        mine = [row for row in report.results if row.peer == peer]
        for row in mine:
            lines += [
                f"| {row.factor.name} | {effect.metric}, {METRICS[effect.metric].unit} | {effect.default:.4g} | "
                f"{effect.changed:.4g} | {effect.ratio or '–'} | {_strong(effect.says)} |"
                for effect in row.effects.values()
            ]
        if missing := [row for row in mine if row.skipped]:
            lines += ["", "Not measured, or not wholly:", ""]
            lines += [f"- {row.factor.name}: {row.skipped}" for row in missing]
    lines += ["", "## Claims", "", "| claim | peer | verdict | why |", "|---|---|---|---|"]
    lines += [f"| {row.claim.text} | {row.peer} | **{row.verdict}** | {row.sentence} |" for row in report.findings]
    return "\n".join(lines) + "\n"


def _strong(says: str) -> str:
    return says if says == UNSURE else f"**{says}**"


def write(report: Report, reports: Path) -> Path:
    """File a report below `reports`; returns its folder."""
    folder = reports / report.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON).write_text(json.dumps(document(report), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / MARKDOWN).write_text(markdown(report), encoding="utf-8")
    return folder
