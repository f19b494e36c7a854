"""Settings of the machine are changed on request only, and are as they were afterwards, whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Unsupported
from harness.host import journal, restore, settings, timers
from harness.measure.tune import factors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="plays Linux' files")


@pytest.fixture
def cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Two processors' governors in a folder of the test's own, and a journal beside them."""
    from harness.host import linux_settings

    files = [tmp_path / f"cpu{number}" / "cpufreq" / "scaling_governor" for number in range(2)]
    for file, governor in zip(files, ("powersave", "ondemand"), strict=True):
        file.parent.mkdir(parents=True)
        file.write_text(f"{governor}\n", "ascii")
    monkeypatch.setattr(linux_settings, "_CPUS", tmp_path)
    monkeypatch.setenv(journal.FOLDER, str(tmp_path / "state"))
    yield files
    journal.ours().close()


def governors(files: list[Path]) -> list[str]:
    return [file.read_text("ascii").strip() for file in files]


def test_a_power_plan_is_changed_for_a_while_and_put_back(cpus: list[Path]) -> None:
    with settings.changed(settings.POWER):
        assert governors(cpus) == ["performance", "performance"]
    assert governors(cpus) == ["powersave", "ondemand"]


def test_what_somebody_else_chose_meanwhile_stays(cpus: list[Path]) -> None:
    with settings.changed(settings.POWER):
        cpus[1].write_text("schedutil", "ascii")
    assert governors(cpus) == ["powersave", "schedutil"]


def test_a_killed_runs_power_plan_is_put_back_by_the_next_start(cpus: list[Path]) -> None:
    before: dict[str, Any] = {"name": settings.POWER, "held": dict(zip(map(str, cpus), governors(cpus), strict=True))}
    place = journal.folder()
    place.mkdir()
    entry = json.dumps({"number": 1, "kind": settings.KIND, "before": before})
    (place / "1-killed.jsonl").write_text(f"{entry}\n", "utf-8")
    for file in cpus:
        file.write_text("performance", "ascii")
    swept = restore.sweep(place)
    assert (len(swept.restored), swept.failed) == (1, [])
    assert governors(cpus) == ["powersave", "ondemand"]


def test_a_machine_without_the_setting_is_unsupported(cpus: list[Path]) -> None:
    for file in cpus:
        file.unlink()
    no_plan = pytest.raises(Unsupported, match="power-plan: this machine has no such setting")
    with no_plan, settings.changed(settings.POWER):
        pass
    no_separation = pytest.raises(Unsupported, match="priority-separation: this system has no such setting")
    with no_separation, settings.changed(settings.SEPARATION):
        pass


def test_only_settings_that_are_asked_for_change_the_machine() -> None:
    assert all(not side.machine for row in factors.select("all") for side in (row.default, row.changed))
    asked = factors.select("3", ["power-plan"])[-1]
    assert (asked.default.machine, asked.changed.machine) == ("", "power-plan")
    assert set(factors.ON_REQUEST) == set(settings.NAMES)
    with pytest.raises(ValueError, match="--change sleep: must be power-plan or priority-separation"):
        factors.select("3", ["sleep"])


def test_the_timers_of_a_process_are_sharpened_with_all_its_threads() -> None:
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "import threading; threading.Thread(target=input).start(); print(1, flush=True)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert sleeper.stdout is not None
        sleeper.stdout.readline()
        timers.sharpen(sleeper.pid)
        tasks = [task.name for task in Path(f"/proc/{sleeper.pid}/task").iterdir()]
        assert {Path(f"/proc/{task}/timerslack_ns").read_text("ascii").strip() for task in tasks} == {"1"}
        assert len(tasks) >= 2
    finally:
        sleeper.kill()
        sleeper.communicate()
