"""Allure's own report of a run, built by the npm package `allure` 3, which needs Node and no Java.

The program is installed once below `.build/tools`. Runs share a history file: Allure shows how a cell fared before.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from harness.errors import SetupFault
from harness.report import allure_results

PACKAGE: Final = "allure"
VERSION: Final = "3.18.0"
HISTORY: Final = "allure-history.jsonl"
FOLDER: Final = "allure-report"

KEPT: Final = 20
"""Runs in the history; one of 6,000 cells takes 8 MB."""

INSTALL_DEADLINE: Final = 600.0
BUILD_DEADLINE: Final = 600.0
"""Seconds; 6,000 cells take about a minute."""


def program(tools: Path) -> Path:
    """Return Allure's program, installed below `tools` first if need be; SetupFault says what is missing."""
    home = tools / f"{PACKAGE}-{VERSION}"
    found = home / "node_modules" / PACKAGE / "cli.js"
    if found.is_file():
        return found
    npm = shutil.which("npm")
    if npm is None:
        raise SetupFault("report: Allure's report needs Node.js with npm; install them (Debian: apt-get install npm)")
    unfinished = tools / f".{home.name}-{os.getpid()}"
    unfinished.mkdir(parents=True, exist_ok=True)
    try:
        words = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(unfinished), f"{PACKAGE}@{VERSION}"]
        _run(words, unfinished, INSTALL_DEADLINE, f"npm install {PACKAGE}@{VERSION}")
        if not home.exists():
            os.replace(unfinished, home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return found


def build(folder: Path, tools: Path) -> Path:
    """Build the report of the run in `folder`, and add the run to the history beside it; returns the file to open."""
    results = folder / allure_results.FOLDER
    if not results.is_dir():
        raise SetupFault(f"report: {results}: there are no Allure results; run pytest without --collect-only first")
    node = shutil.which("node")
    if node is None:
        raise SetupFault("report: Allure's report needs Node.js; install it (Debian: apt-get install nodejs)")
    allure = program(tools)
    output = folder / FOLDER
    shutil.rmtree(output, ignore_errors=True)
    config = folder / ".allurerc.json"
    settings: dict[str, Any] = {
        **allure_results.CONFIGURATION,
        "output": str(output),
        "historyPath": str(folder.parent / HISTORY),
        "appendHistory": True,
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    try:
        words = [node, str(allure), "generate", str(results), "--config", str(config), "--history-limit", str(KEPT)]
        _run(words, folder, BUILD_DEADLINE, "allure generate")
    finally:
        config.unlink()
    page = next((file for file in (output / "index.html", output / "awesome" / "index.html") if file.is_file()), None)
    if page is None:
        raise SetupFault(f"report: allure generate wrote no index.html below {output}")
    return page


def _run(words: list[str], folder: Path, deadline: float, what: str) -> None:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=deadline, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupFault(f"report: {what}: {error}") from None
    if done.returncode:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())[-300:]
        raise SetupFault(f"report: {what} failed with exit code {done.returncode}: {said}")
