"""What Linux tells of the machine, in /proc, /sys and /etc. An empty text means that it does not tell."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Final

from harness.host import NOT_HERE

_ROOT: Final = Path("/")
_CONTAINERS: Final = {".dockerenv": "Docker", "run/.containerenv": "Podman", "dev/.lxc": "LXC"}


def build(root: Path = _ROOT) -> str:
    """Return the distribution and the kernel."""
    name = re.search(r'^PRETTY_NAME="?([^"\n]*)', _text(root / "etc/os-release"), re.MULTILINE)
    return f"{name[1] if name else platform.system()}, kernel {platform.release()} {platform.machine()}"


def processor(root: Path = _ROOT) -> str:
    """Return the processor's model."""
    model = re.search(r"^(?:model name|Model|Processor)\s*:\s*(.*)", _text(root / "proc/cpuinfo"), re.MULTILINE)
    return model[1] if model else platform.processor()


def container(root: Path = _ROOT) -> str:
    """Return what kind of container this is, as far as it leaves a trace; "" if none does."""
    for file, kind in _CONTAINERS.items():
        if (root / file).exists():
            return kind
    named = re.search(r"(?:^|\0)container=([^\0]+)", _text(root / "proc/1/environ"))
    if named:
        return named[1]
    found = re.search(r"docker|kubepods|containerd|lxc", _text(root / "proc/1/cgroup"))
    return found[0] if found else ""


def virtual_machine(root: Path = _ROOT) -> str:
    """Return the maker and name of the machine where there is a hypervisor, else that there is none."""
    if not re.search(r"^flags\s*:.*\bhypervisor\b", _text(root / "proc/cpuinfo"), re.MULTILINE):
        return "no hypervisor tells of itself"
    dmi = root / "sys/class/dmi/id"
    told = " ".join(part for name in ("sys_vendor", "product_name") if (part := _text(dmi / name).strip()))
    return told or "a hypervisor without a name"


def power_plan(root: Path = _ROOT) -> str:
    """Return the governor of the first core."""
    return _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()


def clock_source(root: Path = _ROOT) -> str:
    """Return what the kernel reads the time from."""
    return _text(root / "sys/devices/system/clocksource/clocksource0/current_clocksource").strip()


def timer_resolution(root: Path = _ROOT) -> str:
    """Return how late a timer of this process may come."""
    slack = _text(root / "proc/self/timerslack_ns").strip()
    return f"{int(slack) / 1000:g} µs of slack" if slack.isdigit() else ""


def defender() -> str:
    """Return that there is none."""
    return NOT_HERE


def registry(key: str, name: str) -> str:
    """Return that there is none."""
    return NOT_HERE


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
