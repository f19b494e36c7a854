"""Walks the linux job of the rendered workflow on a bare system: `make ci-linux`, or `make ci-linux ARGS=logic`.

The system is a root file system that debootstrap makes of Debian, kept below `.build/ci-linux`. The checkout's last
commit is put into a copy of it, and every `run` of the job is run there, one after the other, as CI would. What the
job's actions do (`uses`) is done by other means or told as left out. Needs Linux, root and debootstrap; packages come
as they are set up on this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
WORKFLOW: Final = ROOT / ".github" / "workflows" / "test.yml"
FOLDER: Final = ROOT / ".build" / "ci-linux"
JOB: Final = "linux"
PACKAGES: Final = "ca-certificates,python3,python3-venv,sudo,git,gcc,libc6-dev,iproute2,nftables,procps"
_CARRIED: Final = re.compile(r"(PIP|SSL|NODE|GO|GIT|REQUESTS|PYTEST)_?[A-Z_]*|(https?|no)_proxy", re.IGNORECASE)
_CONFIGURED: Final = (
    "etc/pip.conf",
    "etc/ssl/certs/ca-certificates.crt",
    "etc/resolv.conf",
    "etc/hosts",
    "root/.config/go/env",
)
_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Step:
    """What to run, where, and under which name; `left_out` says why it is not run."""

    name: str
    run: str = ""
    folder: str = "."
    left_out: str = ""


def steps(workflow: Mapping[str, Any], job: str, part: str) -> Iterator[Step]:
    """Yield a job's steps for one part of its matrix. ValueError for a part, or an expression, that nobody knows."""
    rows = workflow["jobs"][job]["strategy"]["matrix"]["include"]
    row = next((row for row in rows if row["part"] == part), None)
    if row is None:
        raise ValueError(f"no part {part!r}; there are {', '.join(row['part'] for row in rows)}")

    def filled(text: str) -> str:
        def value(found: re.Match[str]) -> str:
            if not found[1].startswith("matrix.") or found[1][7:] not in row:
                raise ValueError(f"{found[0]}: only what is in the matrix is known here")
            return str(row[found[1][7:]])

        return _EXPRESSION.sub(value, text)

    for step in workflow["jobs"][job]["steps"]:
        if "run" not in step:
            yield Step(str(step.get("name", step["uses"])), left_out=f"{step['uses']}, which is CI's own")
        elif (wanted := re.fullmatch(r"matrix\.part == '(.*)'", step.get("if", ""))) and wanted[1] != part:
            yield Step(step["name"], left_out=f"for the part {wanted[1]} only")
        else:
            yield Step(step["name"], filled(step["run"]), step.get("working-directory", "."))


def base() -> Path:
    """Return the bare system, made if it is not there."""
    made = FOLDER / "base"
    if not made.exists():
        unfinished = FOLDER / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(unfinished)]
        with (FOLDER / "debootstrap.log").open("wb") as log:
            if subprocess.run(words, stdout=log, stderr=log, check=False).returncode:
                raise SystemExit(f"ci-linux: debootstrap failed; see {log.name}")
        unfinished.rename(made)
    return made


def furnish(place: Path) -> None:
    """Copy the base, what this machine's packages are fetched with, and the last commit."""
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(base()), str(place)], check=True)
    for name in _CONFIGURED:
        source, target = Path("/") / name, place / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    (place / "src").mkdir()
    commit = subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", str(place / "src")], stdin=commit.stdout, check=True)
    subprocess.run(["chroot", str(place), "git", "-C", "/src", "init", "--quiet"], check=True)


def entered(place: Path, step: Step) -> list[str]:
    """Return the words that run a step inside; its mounts and processes end with it."""
    inside = (
        f"mount --rbind /dev {place}/dev && mount -t proc proc {place}/proc && mount -t sysfs sys {place}/sys && "
        f'exec chroot {place} /bin/bash -e -o pipefail -c "cd /src/{step.folder} && $STEP"'
    )
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", inside]


def main(part: str = "shard-1") -> int:
    """Walk the job and return the exit code of the first step that fails, or 0."""
    if os.geteuid() or shutil.which("debootstrap") is None:
        sys.stderr.write("ci-linux: needs root and debootstrap: apt-get install debootstrap, and run it as root\n")
        return 2
    try:
        wanted = [*steps(yaml.safe_load(WORKFLOW.read_text(encoding="utf-8")), JOB, part)]
    except ValueError as error:
        sys.stderr.write(f"ci-linux: {error}\n")
        return 2
    place = FOLDER / "root"
    furnish(place)
    carried = {name: value for name, value in os.environ.items() if _CARRIED.fullmatch(name)}
    env = {
        **carried,
        "HOME": "/root",
        "CI": "true",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PATH": os.defpath + ":/usr/sbin:/sbin",
    }
    for step in wanted:
        if step.left_out:
            say(f"-- {step.name}: left out: {step.left_out}")
            continue
        say(f"== {step.name}: {step.run}")
        started = time.monotonic()
        # actions/setup-go leaves a Go on PATH; here the set-up's own has to do.
        goes = [f"/{folder.relative_to(place)}" for folder in place.glob("src/.venv/lib/python3*/site-packages/go/bin")]
        inside = {**env, "PATH": ":".join([env["PATH"], *goes]), "STEP": step.run}
        code = subprocess.run(entered(place, step), env=inside, check=False).returncode
        say(f"== {step.name}: exit code {code} after {time.monotonic() - started:.0f} s")
        if code:
            return code
    return 0


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
