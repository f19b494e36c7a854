"""Joining the runs of shards into one run. What does not belong together is refused, with the reason."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from harness.errors import SetupFault
from harness.model.shards import Shard
from harness.report import allure_results, history, page, store
from harness.report.store import Run

_SAME: Final = ("harness", "python", "pyzmq", "libzmq", "peers")
"""What must be the same in all parts: otherwise a cell's verdict would depend on the part it fell into."""

_META: Final = ("environment.properties", "categories.json", "executor.json", allure_results.CONFIG)


def merged(parts: Mapping[str, Run]) -> Run:
    """Return one run of all parts, which are named for complaints. SetupFault for parts that do not belong together."""
    if len(parts) < 2:
        raise SetupFault("merge: name two runs at least")
    runs = [*parts.values()]
    _agree(parts)
    _complete(parts)
    owner: dict[str, str] = {}
    for name, run in parts.items():
        for record in run.records:
            if (other := owner.setdefault(record.cell.id, name)) != name:
                raise SetupFault(f"merge: {record.cell.id} is in {other} and in {name}; a cell has one verdict")
    about: dict[str, Any] = {**runs[0].about}
    about.pop("shard", None)
    about |= {
        "started": min(str(run.about["started"]) for run in runs),
        "seconds": max(float(run.about.get("seconds", 0)) for run in runs),
        "command": f"merged: {'; '.join(run.name for run in runs)}",
        "host": ", ".join(dict.fromkeys(str(run.about.get("host", "?")) for run in runs)),
        "workers": sum(int(run.about.get("workers", 0)) for run in runs),
        "parts": [run.name for run in runs],
        "issues": {name: issue for run in runs for name, issue in run.about.get("issues", {}).items()},
        "libraries": {name: one for run in runs for name, one in run.about.get("libraries", {}).items()},
    }
    return Run(
        store.new_name(),
        about,
        [record for run in runs for record in run.records],
        [f"{run.name}: {problem}" for run in runs for problem in run.problems],
    )


def _agree(parts: Mapping[str, Run]) -> None:
    (first, run), *others = parts.items()
    for name, other in others:
        for key in _SAME:
            if run.about.get(key) != other.about.get(key):
                raise SetupFault(
                    f"merge: {first} has {key} {run.about.get(key)}, {name} has {other.about.get(key)}: "
                    "parts of one run are made with the same versions"
                )
        if (one := _system(run)) != (two := _system(other)):
            raise SetupFault(f"merge: {first} ran on {one}, {name} on {two}: merge the parts of each system")


def _system(run: Run) -> str:
    return str(run.about.get("system", "")).partition("-")[0]


def _complete(parts: Mapping[str, Run]) -> None:
    """Refuse a run that lacks a shard: what it should have said would be missing without a trace."""
    shards: dict[Shard, str] = {}
    for name, run in parts.items():
        if "shard" in run.about:
            shard = Shard.parse(str(run.about["shard"]))
            if shard in shards:
                raise SetupFault(f"merge: {shards[shard]} and {name} are both part {shard}")
            shards[shard] = name
    if counts := {shard.count for shard in shards}:
        if len(counts) > 1:
            raise SetupFault(f"merge: parts of {' and of '.join(map(str, sorted(counts)))} do not belong together")
        (count,) = counts
        if lacking := [number for number in range(1, count + 1) if Shard(number, count) not in shards]:
            raise SetupFault(f"merge: part {lacking[0]}/{count} is not among them")


def write(parts: Sequence[Path], reports: Path) -> tuple[Run, Path]:
    """Read the parts, by folder or results file, join them, and file the run as if it were one; returns its folder."""
    run = merged({str(part): store.read(part) for part in parts})
    folder = store.write(run, reports)
    results = folder / allure_results.FOLDER
    results.mkdir(exist_ok=True)
    for part in parts:
        home = part if part.is_dir() else part.parent
        for file in (home / allure_results.FOLDER).glob("*"):
            if file.name not in _META:
                shutil.copy2(file, results)
        if (home / "wire").is_dir():
            shutil.copytree(home / "wire", folder / "wire", dirs_exist_ok=True)
    allure_results.write(run, results, os.environ)
    page.write(run, folder)
    store.point_latest(folder)
    history.append(run, reports)
    return run, folder


def found(place: Path) -> Path:
    """Return a run's folder or results file: a folder of reports stands for the only run in it. SetupFault."""
    if not place.is_dir() or (place / store.RESULTS).exists():
        return place
    runs = [
        one for one in place.glob(f"*/{store.RESULTS}") if not one.parent.is_symlink() and one.parent.name != "latest"
    ]
    if len(runs) != 1:
        raise SetupFault(f"merge: {place}: there are {len(runs)} runs in it; name one of them")
    return runs[0].parent
