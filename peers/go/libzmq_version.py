"""Print the version of the libzmq that peer-pebbe is built against, or say what to install and exit with 1.

pkg-config knows it where there is one. Windows has none: there the headers stand in a folder that CGO_CFLAGS names.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

REMEDY = (
    "no libzmq found: install it with headers and pkg-config (Debian: libzmq3-dev pkg-config, macOS: zeromq pkgconf), "
    "or name the folder of its zmq.h in CGO_CFLAGS as -IFOLDER (Windows: vcpkg install zeromq:x64-windows)"
)


def from_pkg_config() -> str | None:
    """Ask pkg-config, or PKG_CONFIG, which cgo calls in its place."""
    program = shutil.which(os.environ.get("PKG_CONFIG") or "pkg-config")
    if program is None:
        return None
    done = subprocess.run([program, "--modversion", "libzmq"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def include_folders(flags: str) -> list[Path]:
    """Return the folders of -I in compiler flags, in either spelling. On Windows a backslash is part of a path."""
    words = [word.strip("\"'") for word in shlex.split(flags, posix=os.name != "nt")]
    joined = [word[2:] for word in words if word.startswith("-I") and word != "-I"]
    apart = [folder for flag, folder in pairwise(words) if flag == "-I"]
    return [Path(folder.strip("\"'")) for folder in joined + apart]


def from_header(folder: Path) -> str | None:
    """Read the version macros of the folder's zmq.h."""
    try:
        text = (folder / "zmq.h").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = [re.search(rf"#define\s+ZMQ_VERSION_{part}\s+(\d+)", text) for part in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(match[1] for match in found if match) if all(found) else None


def main() -> int:
    """Print the version and return the exit code."""
    headers = (from_header(folder) for folder in include_folders(os.environ.get("CGO_CFLAGS", "")))
    version = from_pkg_config() or next((found for found in headers if found), None)
    sys.stdout.write(f"{version}\n" if version else "")
    sys.stderr.write("" if version else f"{REMEDY}\n")
    return 0 if version else 1


if __name__ == "__main__":
    sys.exit(main())
