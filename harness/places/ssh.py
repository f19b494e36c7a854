"""The place `ssh`: another machine, over OpenSSH's own client, whose standard streams are the control channel.

`ssh:NAME` is what `ssh NAME` reaches without asking anything: hosts, users, ports and keys are the user's own
configuration (or the file that `ZMQ_INTEROP_SSH_CONFIG` names). A peer's program, or its Python sources, are copied
there once, into `~/.cache/zmq-interop`, named by the digest of what is in them; Python comes from that machine, with
pyzmq. The other machine must be a Linux with this one's architecture, and let this one reach the ports that its peers
bind.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.errors import SetupFault, Unsupported
from harness.peers.manifest import Manifest
from harness.places.face import LOCAL, LOOPBACK, Family
from harness.places.local import MARK, LocalProcess

NAME: Final = "ssh"
CONFIG: Final = "ZMQ_INTEROP_SSH_CONFIG"
"""Environment variable that names a configuration file for ssh, in place of the user's own."""

PYTHON: Final = "ZMQ_INTEROP_SSH_PYTHON"
"""Environment variable that names the other machine's Python; default: this one's path if it is there, or python3."""

DEADLINE: Final = 60.0
"""Seconds that a command on the other machine may take beside the peers themselves."""

_CACHE: Final = ".cache/zmq-interop"
_MARKED: Final = "for p in /proc/[0-9]*; do grep -qs {mark} $p/environ && {do}; done; true"


class SshProcess(LocalProcess):
    """The client of a peer on another machine, and the peer's own process and what it started, by their mark."""

    def __init__(self, place: SshPlace, folder: str, command: str) -> None:
        self._place = place
        self._far = f"{MARK}={uuid.uuid4().hex}"
        super().__init__(
            [*place.client, f"exec env --chdir={shlex.quote(folder)} {self._far} {command}"], Path.cwd(), os.environ
        )

    def _marked(self, do: str) -> str:
        return self._place.ask(_MARKED.format(mark=self._far, do=do))

    def signal(self, number: int) -> None:
        """Send a signal to the peer; one that is to stop has done so then, as far as its own state tells."""
        stop = number == getattr(signal, "SIGSTOP", 0)
        wait = " && timeout 10 sh -c 'until grep -q ^State:.T $1/status; do :; done' sh $p" if stop else ""
        self._marked(f"kill -{int(number)} ${{p#/proc/}}{wait}")

    def kill(self) -> None:
        """End the peer there, and the client here."""
        self._marked("kill -9 ${p#/proc/}")
        super().kill()

    def survivors(self) -> list[str]:
        """Name what the peer started there and what outlived it, and end that."""
        names = self._marked("cat $p/comm && kill -9 ${p#/proc/}").split()
        return [f"{name} (on {self._place.target})" for name in names] + super().survivors()


class SshPlace:
    """Another machine, by its name for ssh."""

    name = NAME

    def __init__(self, target: str) -> None:
        if not target:
            raise Unsupported("the place ssh needs a machine: ssh:NAME, where `ssh NAME` must need no password")
        program = shutil.which("ssh")
        if program is None:
            raise Unsupported("the place ssh needs OpenSSH's client: apt-get install openssh-client")
        self.target = target
        config = os.environ.get(CONFIG)
        self.client = [
            program,
            "-T",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=20",
            *(["-F", config] if config else []),
        ]
        self.client += ["--", target]
        self._there: dict[str, str] = {}
        try:
            connection, system, machine, self._home = self.ask(
                "echo $SSH_CONNECTION; uname -s; uname -m; pwd"
            ).splitlines()
        except (SetupFault, ValueError) as error:
            raise Unsupported(f"`ssh {target}` does not work without asking: {error}") from None
        if (system, machine) != (platform.system(), platform.machine()):
            raise Unsupported(f"{target} is a {system} on {machine}: peers built on this machine do not run there")
        self._client_address, _, self._own_address, _ = connection.split()
        loopback = ipaddress.ip_address(self._own_address).is_loopback
        self.network = self.files = LOCAL if loopback else f"{NAME}:{target}"

    def ask(self, command: str, given: bytes = b"") -> str:
        """Run a shell command there and return what it prints. SetupFault says what it says."""
        try:
            done = subprocess.run(
                [*self.client, command], input=given, capture_output=True, timeout=DEADLINE, check=False
            )
        except subprocess.TimeoutExpired:
            raise SetupFault(f"{self.target} did not answer within {DEADLINE:g} s") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise SetupFault(f"{self.target}: {said[-1] if said else f'exit code {done.returncode}'}")
        return done.stdout.decode("utf-8", "replace")

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return the manifest: what is built for this machine is copied there."""
        return manifest

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> SshProcess:
        """Start a peer's command there, after copying what it needs."""
        if command[0] == sys.executable:
            home = self._copied({str(one.relative_to(folder)): one for one in sorted(folder.rglob("*.py"))})
            program = self._python()
        else:
            home = self._copied({Path(command[0]).name: Path(command[0])})
            program = f"{home}/{Path(command[0]).name}"
            self._complete(program)
        words = [word.replace(str(folder), home) for word in command[1:]]
        added = [f"{name}={value}" for name, value in env.items() if os.environ.get(name) != value and name != "PATH"]
        return SshProcess(self, home, " ".join(map(shlex.quote, [*added, program, *words])))

    def _python(self) -> str:
        if "python" not in self._there:
            wanted = os.environ.get(PYTHON) or sys.executable
            found = self.ask(f"command -v {shlex.quote(wanted)} || command -v python3 || true").strip()
            if not found or self.ask(f"{shlex.quote(found)} -c 'import zmq' 2>&1 || echo no") != "":
                raise Unsupported(f"{found or 'python3'} on {self.target} has no pyzmq: pip install pyzmq there")
            self._there["python"] = found
        return self._there["python"]

    def _complete(self, program: str) -> None:
        if program not in self._there:
            missing = [
                line.split()[0]
                for line in self.ask(f"ldd {program} 2>/dev/null || true").splitlines()
                if "not found" in line
            ]
            if missing:
                raise Unsupported(f"{', '.join(missing)} is missing on {self.target}: install it there")
            self._there[program] = ""

    def _copied(self, files: Mapping[str, Path]) -> str:
        """Return the folder there with these files in it, copying them if it is not there yet."""
        digest = hashlib.sha256()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, path in files.items():
                content = path.read_bytes()
                digest.update(f"{name}:{len(content)}:".encode() + content)
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o755
                tar.addfile(entry, io.BytesIO(content))
        home = f"{self._home}/{_CACHE}/{digest.hexdigest()[:16]}"
        if home not in self._there:
            new = shlex.quote(f"{home}.{uuid.uuid4().hex[:8]}")
            self.ask(
                f"test -d {home} && cat > /dev/null || "
                f"{{ mkdir -p {new} && tar -xf - -C {new} && {{ mv -T {new} {home} 2>/dev/null || rm -rf {new}; }}; }}",
                packed.getvalue(),
            )
            self._there[home] = ""
        return home

    def address(self, family: Family) -> str:
        """Return the address under which this machine has reached the other one."""
        return self._only(self._own_address, family)

    def gateway(self, family: Family) -> str:
        """Return the address under which the other machine knows this one."""
        return self._only(self._client_address, family)

    def _only(self, address: str, family: Family) -> str:
        if self.network == LOCAL:
            return LOOPBACK[family]
        if (":" in address) != (family == "tcp6"):
            raise Unsupported(f"{self.target} and this machine know each other by {address} alone: no {family}")
        return address

    def outward(self, host: str, port: int) -> tuple[str, int]:
        """Return the same."""
        return host, port

    def close(self) -> None:
        """Leave the other machine: peers end with their clients; what was copied stays, for the next run."""
