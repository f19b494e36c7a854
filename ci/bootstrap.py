"""Sets everything up on a bare machine and runs a command of the project; needs nothing but Python.

    python3 ci/bootstrap.py setup|interop|test|lint|format|… [-- more arguments for pytest or zmq-interop]

This file knows the commands; `steps.py` makes the venv, `toolchain.py` finds Go and libzmq, `plans.py` decides.
What was done once and has not changed is not done again. The exit code is that of what ran, or 2 with one
line if something is missing or the command line is wrong. Only this file must be readable to older Pythons.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - older Pythons start this file too, and must say so
    sys.stderr.write(f"bootstrap: Python 3.11 or newer is needed, and this is {sys.version.split()[0]}\n")
    sys.exit(2)

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import plans
import steps
import toolchain
from plans import SetupError
from steps import BUILD, PYTHON, ROOT, VENV, say
from toolchain import GO_MODULE, GO_MODULES, Toolchain
from wine import lane, parts

TOOLS: Final = {
    "staticcheck": ("honnef.co/go/tools/cmd/staticcheck", "v0.8.2"),
    "actionlint": ("github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12"),
}
"""Linters that Go builds: module and version."""

LOCK: Final = BUILD / "bootstrap.lock"
PLACES: Final = ("netns>netns", "docker>local", "local>docker")
"""Where `places` runs what it runs, left>right; `wine` has a lane of its own."""

MORE_PLACES: Final = ("docker>netns", "netns>local", "local>netns")
"""Where it runs that with --full, too."""

PLACED: Final = tuple(f"tests/interop/test_{name}.py" for name in ("coming_and_going", "network_faults"))
"""The cells that `places` runs in each place, beside the tests of places themselves."""

NARROW: Final = ("--transport", "tcp4", "--peer", "go-zeromq", "--peer", "pyzmq")
"""Which of them without --full: one library of each kind, over what leads from place to place."""

BEYOND: Final = (
    *("tests/interop/test_coming_and_going.py", "--transport", "tcp4", "--pattern", "push-pull"),
    *("--pattern", "dealer-router", "--peer", "go-zeromq", "--peer", "pyzmq"),
    *("--exclude", "*/go-zeromq>go-zeromq/*", "--exclude", "*/pyzmq>*", "--places", "local>ssh:there"),
)
"""What runs over ssh, to an sshd of the lane's own: a few cells, for a start of a peer there takes seconds."""

NOTHING: Final = 5
"""pytest's exit code where nothing was selected."""

CACHES: Final = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")


@contextmanager
def only_one() -> Iterator[int]:
    """Hold the set-up's lock. The system frees it when its holder dies, so that none is ever stale."""
    BUILD.mkdir(exist_ok=True)
    with LOCK.open("a+b") as file:
        waits = "waiting for another bootstrap in this folder\n"
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    file.seek(0)
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # tries for ten seconds
                    break
                except OSError:
                    say(waits)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(waits)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


# --- what the commands run ------------------------------------------------------------------------


def hand_over(words: list[str], env: dict[str, str]) -> int:
    """Become this command: its exit code and its signals are ours."""
    os.chdir(ROOT)
    if sys.platform != "win32":
        os.execve(words[0], words, env)
    with subprocess.Popen(words, env=env) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the child got it too, and ends in its own way
                continue


def show(words: Sequence[str], env: dict[str, str], folder: Path = ROOT) -> int:
    """Run a command on the screen and return its exit code."""
    say(f"$ {' '.join([Path(words[0]).name, *words[1:]])}\n")
    return steps.finish(subprocess.Popen(words, env=env, cwd=folder))


def go_environment(env: dict[str, str]) -> dict[str, str]:
    """Return the environment for Go's own tools."""
    return {**env, "GOFLAGS": plans.go_flags(env.get("GOFLAGS", ""))}


def interop(go: Toolchain, env: dict[str, str], extra: Sequence[str]) -> int:
    """Run the whole matrix."""
    return hand_over([str(PYTHON), "-m", "pytest", "-n", "auto", "tests/interop", *extra], env)


def test(go: Toolchain, env: dict[str, str], extra: Sequence[str]) -> int:
    """Run the Go unit tests, then every Python test, so that pytest's summary comes last."""
    code = show([go.go, "test", "-race", "./..."], go_environment(env), GO_MODULE)
    return code or hand_over([str(PYTHON), "-m", "pytest", "-n", "auto", "tests", *extra], env)


def places(go: Toolchain, env: dict[str, str], extra: Sequence[str]) -> int:
    """Run places' own tests, then cells in each place that there is, beside an engine of our own where none runs."""
    full = "--full" in extra
    elsewhere = any(word.startswith("--place") for word in extra)
    where = (*PLACES, *MORE_PLACES) if full else PLACES
    chosen = () if elsewhere else ("--places", ",".join(where))
    engine = (str(PYTHON), str(ROOT / "ci" / "docker" / "engine.py"))
    sshd = (str(PYTHON), "-m", "tests.places.sshd")
    tests = (str(PYTHON), "-m", "pytest", "-n", "auto")
    codes = [
        show([*engine, *tests, "tests/places", *extra], env),
        show([*engine, *tests, *PLACED, *chosen, *(() if full else NARROW), *extra], env),
        *(() if elsewhere else (show([*sshd, *tests, *BEYOND, *extra], env),)),
    ]
    return max((code for code in codes if code != NOTHING), key=abs, default=NOTHING)


def lint(go: Toolchain, env: dict[str, str], extra: Sequence[str]) -> int:
    """Run every linter, whatever the others say."""
    goes = go_environment(env)
    python = [str(PYTHON), "-m"]
    codes = [
        show([*python, "ruff", "check"], env),
        show([*python, "ruff", "format", "--check"], env),
        show([*python, "mypy"], env),
        show([*python, "mypy", "--platform", "win32", "harness"], env),
        show([str(program("zmq-interop")), "ci", "render", "--check"], env),
        show([str(tool("actionlint", go, goes)), "-no-color"], goes),
        *(
            code
            for module in GO_MODULES
            for code in (
                unformatted(go, goes, module),
                show([go.go, "vet", "./..."], goes, module),
                show([str(tool("staticcheck", go, goes)), "./..."], goes, module),
            )
        ),
    ]
    return max(map(abs, codes))


def unformatted(go: Toolchain, env: dict[str, str], module: Path) -> int:
    """Print what gofmt would change in a module, which gofmt itself calls a success."""
    say("$ gofmt -d .\n")
    done = subprocess.run([go.gofmt, "-d", "."], env=env, cwd=module, stdout=subprocess.PIPE, check=False)
    say(done.stdout.decode(errors="replace"))
    return done.returncode or int(bool(done.stdout))


def program(name: str) -> Path:
    """Return a program of the venv."""
    return PYTHON.with_name(f"{name}.exe" if steps.WINDOWS else name)


def tool(name: str, go: Toolchain, env: dict[str, str]) -> Path:
    """Return a pinned linter, built by this Go: a staticcheck that an older Go built cannot read newer code."""
    module, version = TOOLS[name]
    folder = BUILD / "tools" / f"{name}-{version}-go{go.version}"
    found = folder / (f"{name}.exe" if steps.WINDOWS else name)
    if not found.exists():
        with only_one(), steps.step("tools") as note:
            note(f"building {name} {version}")
            words = [go.go, "install", f"{module}@{version}"]
            steps.run(words, {**env, "GOBIN": str(folder)})
    return found


def formats(go: Toolchain, env: dict[str, str], extra: Sequence[str]) -> int:
    """Rewrite the sources in the house's form."""
    codes = [
        show([str(PYTHON), "-m", "ruff", "format"], env),
        *(show([go.gofmt, "-l", "-w", "."], env, module) for module in GO_MODULES),
    ]
    return max(map(abs, codes))


def wine(go: Toolchain, env: dict[str, str], extra: Sequence[str]) -> int:
    """Run the peers' and the harness's Windows builds under Wine."""
    return lane.run(show, env, extra)


def clean() -> int:
    """Remove what set-up, builds and tests made, except the reports."""
    if steps.WINDOWS and Path(sys.executable).is_relative_to(VENV):
        raise SetupError("clean cannot remove the Python that it runs on; start it with another one")
    with only_one():
        made = [VENV, *(ROOT / name for name in CACHES), *(file for file in BUILD.iterdir() if file != LOCK)]
        for top in ("ci", "harness", "peers", "tests"):
            made += (ROOT / top).rglob("__pycache__")
        for place in made:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
    return 0


def walk(go: Toolchain, env: dict[str, str], extra: Sequence[str]) -> int:
    """Walk the linux job of CI on a bare system."""
    return hand_over([str(PYTHON), "ci/walk.py", *extra], env)


RUNS: Final[Mapping[str, Callable[[Toolchain, dict[str, str], Sequence[str]], int]]] = {
    "interop": interop,
    "test": test,
    "places": places,
    "lint": lint,
    "format": formats,
    "wine": wine,
    "ci-linux": walk,
}


def run(command: str, extra: Sequence[str], started: float) -> int:
    """Set up what the command needs and run it."""
    if command == "clean":
        return clean()
    with only_one() as lock:
        steps.LOG.unlink(missing_ok=True)
        steps.prepare_venv(lock)
        go = toolchain.prepare_go(lock)
        if command != "format":
            go = toolchain.prepare_libzmq(go)
        go.save()
        if command == "test":
            toolchain.prepare_browser()
        if command == "places":
            toolchain.prepare_places()
        if command == "wine":
            parts.prepare()
    say(f"ready after {time.time() - started:.1f} s (downloads included)\n")
    if command == "setup":
        return 0
    env = go.environment(os.environ) | {"ZMQ_INTEROP_STARTED": f"{started:.3f}"}
    if command in RUNS:
        return RUNS[command](go, env, extra)
    return hand_over([str(program("zmq-interop")), command, *extra], env)


def interrupt(number: int, frame: object) -> None:
    """End as on Ctrl-C: children are waited for and the marks stay true."""
    raise KeyboardInterrupt


def main(words: Sequence[str]) -> int:
    """Run the command line and return the exit code."""
    started = time.time()
    try:
        if words in (["help"], ["-h"], ["--help"]):
            say("".join(f"  {name:<10} {what}\n" for name, what in plans.COMMANDS.items()))
            return 0
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP: so do we
                signal.signal(number, interrupt)
        command, extra = plans.arguments(words)
        return run(command, extra, started)
    except SetupError as fault:
        complaint = str(fault)
    except KeyboardInterrupt:
        complaint = "interrupted; the next run makes up for it"
    except OSError as fault:
        complaint = f"{fault.strerror or fault}{f': {fault.filename}' if fault.filename else ''}"
    sys.stderr.write(f"bootstrap: {complaint}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
