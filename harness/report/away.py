"""A worker on another machine: its files go home with it.

xdist also runs workers elsewhere (`--tx ssh=build-box`). Verdicts travel with pytest's own reports; recordings and
Allure's results are files, which such a worker gathers in a folder of its own and sends when it ends.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import execnet
import pytest

from harness.host import restore
from harness.places.sweep import PREFIX, sweep
from harness.report.allure_results import FOLDER

FILES: Final = "zmq_interop_files"
"""What a worker's output calls its files."""

FAULT: Final = "zmq_interop_fault"
"""What a worker's output calls the reason why it cannot begin."""

RESTARTS: Final = "4"
"""How often workers that die are replaced, where xdist has no bound of its own."""

UNREACHED: Final = (execnet.HostNotFound, execnet.RemoteError, OSError, EOFError, ValueError)
"""What xdist raises where it reaches no machine, or has been told wrongly what to run there."""


class Away:
    """A pytest plugin object of a worker on another machine. `folder` stands for the run's own."""

    def __init__(self) -> None:
        sweep()  # the folder of a worker that was killed here, too
        self._problems = [f"left by a killed run: {line}" for line in restore.sweep().failed]
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the files to xdist, which sends them, and what could not be put back on that machine."""
        output = session.config.workeroutput  # type: ignore[attr-defined]
        output[FILES] = packed(self.folder)
        output["zmq_interop_problems"] = [*output.get("zmq_interop_problems", ()), *self._problems]

    def pytest_unconfigure(self) -> None:
        """Leave nothing on that machine."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Unready:
    """A pytest plugin object of a worker on another machine that cannot begin: it says why, and the run ends."""

    def __init__(self, fault: str) -> None:
        self._fault = fault

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """End the session in order; xdist would put another worker in the place of one that just exits."""
        session.config.workeroutput[FAULT] = self._fault  # type: ignore[attr-defined]
        session.shouldstop = f"zmq-interop: {self._fault}"
        raise session.Failed(session.shouldstop)


def packed(folder: Path) -> bytes:
    """Return all files of a folder as a zip archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        for path in sorted(folder.rglob("*")):
            pack.write(path, path.relative_to(folder))
    return archive.getvalue()


def unpack(archive: bytes, folder: Path, allure: Path) -> None:
    """Put a worker's files where its run files them: Allure's results into their folder, the others into the run's."""
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as beside:
        with zipfile.ZipFile(io.BytesIO(archive)) as pack:
            pack.extractall(beside)
        for name in os.listdir(beside):
            shutil.copytree(Path(beside, name), allure if name == FOLDER else folder / name, dirs_exist_ok=True)
