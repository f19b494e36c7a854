"""What Allure gets beside the results of single tests: environment, categories, executor, and cells that have no test.

A cell whose worker died, or that never ran, left no result of its own; it gets one here, so that the Allure report has
every cell once.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from harness.model.verdicts import Verdict
from harness.report import allure_labels
from harness.report.changes import facts, host
from harness.report.store import Record, Run

FOLDER: Final = "allure-results"

CATEGORIES: Final = tuple(
    {"name": name, "matchedStatuses": list(statuses), **({"messageRegex": f"(?s){words}"} if words else {})}
    for name, statuses, words in (
        ("Crash: a peer's process ended", ("broken",), ".*PeerCrash.*"),
        ("Hang: a peer did not answer", ("broken",), ".*PeerHang.*"),
        ("Missing: no verdict", ("broken",), "^missing: .*"),
        ("The worker died", ("broken",), "^crash: .*"),
        ("Fixed: a known issue that passes now", ("failed",), ".*did not happen: remove or narrow.*"),
        ("Unexpected failure", ("failed", "broken"), ""),
        ("Known issue", ("skipped",), ".*known issue .*"),
        ("Unsupported by a peer", ("skipped",), ".*unsupported: .*"),
        ("Inconclusive measurement", ("skipped",), ".*inconclusive: .*"),
    )
)
"""For Allure 2, in this order: the first that fits takes a result."""

CONFIG: Final = "allurerc.json"

CONFIGURATION: Final = {
    "name": "ZeroMQ interoperability",
    "categories": {
        "rules": [
            {"name": name, "matchers": {"labels": {"verdict": str(verdict)}}}
            for verdict, name in (
                (Verdict.CRASH, "Crash: a peer's process ended"),
                (Verdict.HANG, "Hang: a peer did not answer"),
                (Verdict.MISSING, "Missing: no verdict"),
                (Verdict.FAIL, "Unexpected failure"),
                (Verdict.FIXED, "Fixed: a known issue that passes now"),
                (Verdict.KNOWN, "Known issue"),
                (Verdict.UNSUPPORTED, "Unsupported by a peer"),
                (Verdict.INCONCLUSIVE, "Inconclusive measurement"),
            )
        ]
    },
    "plugins": {"awesome": {"options": {"groupBy": ["epic", "feature", "story"]}}},
}
"""For Allure 3, which takes categories from its configuration alone: `allure generate RESULTS --config FILE`."""

_SERVERS: Final = (
    ("GITHUB_ACTIONS", "github", "GITHUB_WORKFLOW", "GITHUB_RUN_NUMBER"),
    ("GITLAB_CI", "gitlab", "CI_JOB_NAME", "CI_PIPELINE_IID"),
    ("JENKINS_URL", "jenkins", "JOB_NAME", "BUILD_NUMBER"),
)


def properties(run: Run) -> str:
    """Spell host and versions as `environment.properties`, in Java's escapes."""
    about = {**facts(run), **host(run), "run": run.name, "command": str(run.about.get("command", ""))}
    return "".join(f"{_escaped(name, ' =:#!')}={_escaped(value, '')}\n" for name, value in about.items())


def _escaped(text: str, also: str) -> str:
    def one(sign: str) -> str:
        if sign in "\n\r\t":
            return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[sign]
        if sign == "\\" or sign in also:
            return f"\\{sign}"
        units = sign.encode("utf-16-be")
        return sign if sign.isascii() else "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))

    return "".join(map(one, text))


def executor(run: Run, environment: Mapping[str, str]) -> dict[str, Any] | None:
    """Return who ran it, for a known CI server; None elsewhere."""
    for sign, kind, name, number in _SERVERS:
        if environment.get(sign):
            order = environment.get(number, "")
            found: dict[str, Any] = {"type": kind, "name": kind, "buildName": environment.get(name, run.name)}
            return {**found, "buildOrder": int(order)} if order.isdigit() else found
    return None


def orphans(run: Run) -> Iterator[dict[str, Any]]:
    """Yield a result for each cell that has none of its own."""
    for record in run.records:
        if record.verdict is Verdict.MISSING or (record.verdict is Verdict.CRASH and not record.check):
            yield _result(record, run.name)


def _result(record: Record, run: str) -> dict[str, Any]:
    name = record.cell.id
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run}/{name}")),
        "historyId": hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
        "name": name,
        "fullName": name,
        "status": "broken",
        "statusDetails": {"message": f"{record.verdict}: {record.reason}"},
        "stage": "finished",
        "parameters": [{"name": "cell", "value": repr(name)}],
        "labels": [{"name": key, "value": value} for key, value in allure_labels.labels(record).items()],
    }


def write(run: Run, folder: Path, environment: Mapping[str, str]) -> None:
    """Write what belongs beside the results into their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "environment.properties").write_text(properties(run), encoding="ascii", errors="replace")
    _json(folder / "categories.json", CATEGORIES)
    _json(folder / CONFIG, CONFIGURATION)
    if (who := executor(run, environment)) is not None:
        _json(folder / "executor.json", who)
    for result in orphans(run):
        _json(folder / f"{result['uuid']}-result.json", result)


def _json(file: Path, data: Any) -> None:
    file.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
