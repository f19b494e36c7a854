"""An sshd of the test's own on loopback: its own keys, its own configuration, and no port chosen in advance.

    python -m tests.places.sshd pytest -n auto --places 'local>ssh:there'

runs a command beside one. Where there can be none, the command simply runs, after a line that says why.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import Unsupported
from harness.places import ssh

NAME = "there"
"""What the configuration for the client calls it."""


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[Path]:
    """Yield the configuration for ssh that reaches it as `there`; every connection gets an sshd in inetd's manner."""
    daemon = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if daemon is None or shutil.which("ssh-keygen") is None:
        raise Unsupported("the place ssh is tested against an sshd: apt-get install openssh-server")
    if os.geteuid() != 0:
        raise Unsupported("an sshd of the test's own separates privileges: run this as root")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    config = folder / "sshd_config"
    config.write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\nAllowTcpForwarding no\nX11Forwarding no\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)  # Debian's sshd wants it; it stays, for another one may be using it
    command = [daemon, "-i", "-e", "-f", str(config)]
    sessions: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "sshd.log").open("wb") as log:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    with line:
                        ends = line.fileno()
                        sessions.append(subprocess.Popen(command, stdin=ends, stdout=ends, stderr=log))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        client = folder / "ssh_config"
        client.write_text(
            f"Host {NAME}\n  HostName 127.0.0.1\n  Port {listener.getsockname()[1]}\n  User {getpass.getuser()}\n"
            f"  IdentityFile {folder}/user\n  IdentitiesOnly yes\n  StrictHostKeyChecking accept-new\n"
            f"  UserKnownHostsFile {folder}/known\n  LogLevel ERROR\n"
        )
        try:
            yield client
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for session in sessions:
                try:
                    session.wait(10)
                except subprocess.TimeoutExpired:
                    session.kill()
                    session.wait()


def main(words: Sequence[str]) -> int:
    """Run a command beside an sshd; returns its exit code."""
    if not words:
        sys.stderr.write("usage: python -m tests.places.sshd COMMAND [ARGUMENT …]\n")
        return 2
    with contextlib.ExitStack() as stack:
        env = dict(os.environ)
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zmq-interop-sshd-")))
            env[ssh.CONFIG] = str(stack.enter_context(sshd(folder)))
        except Unsupported as reason:
            sys.stderr.write(f"sshd: {reason}\n")
        child = subprocess.Popen(words, env=env)
        for number in (signal.SIGINT, signal.SIGTERM):  # the sshd outlives the command that uses it
            signal.signal(number, lambda number, frame: child.send_signal(number))
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
