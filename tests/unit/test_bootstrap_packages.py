"""What the set-up installs of the system's packages, for whom, and what it leaves to a person."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ci"))

import plans
import toolchain
from plans import Host, SetupError

# --- libzmq -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "start"),
    [
        (Host(("apt-get",), root=True), "env DEBIAN_FRONTEND=noninteractive apt-get"),
        (Host(("apt-get",), sudo=True), "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get"),
        (Host(("apt-get",), ci=True), "env DEBIAN_FRONTEND=noninteractive apt-get"),
        (Host(("brew",), ci=True), "brew install zeromq"),
        (Host(("vcpkg",), ci=True, vcpkg="C:/vcpkg/vcpkg"), "C:/vcpkg/vcpkg install zeromq:x64-windows"),
    ],
)
def test_libzmq_is_installed_where_that_is_allowed(host: Host, start: str) -> None:
    assert " ".join(plans.libzmq_plan(host, "pkg-config").install).startswith(start)


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        (Host(("apt-get", "brew")), "run: apt-get install libzmq3-dev pkg-config gcc libc6-dev"),
        (Host(("brew",)), "run: brew install zeromq pkg-config"),
        (Host(("brew",), root=True), "run: brew install zeromq pkg-config"),
        (Host(("vcpkg",)), "run: vcpkg install zeromq:x64-windows"),
        (Host(("dnf",), root=True), "run: dnf install zeromq-devel pkgconf-pkg-config gcc"),
        (Host(()), "install libzmq's development files, pkg-config and a C compiler"),
    ],
)
def test_elsewhere_one_line_says_what_is_missing_and_what_to_run(host: Host, advice: str) -> None:
    with pytest.raises(SetupError) as refused:
        plans.libzmq_plan(host, "pkg-config")
    line = str(refused.value)
    assert "there is no pkg-config; " in line
    assert line.endswith(advice)


def test_apt_refreshes_its_lists_if_the_packages_are_not_found() -> None:
    plan = plans.apt_plan(Host(("apt-get",), root=True), ["gcc"])
    assert (plan.install[-1], plan.refresh[-1]) == ("gcc", "update")


def test_vcpkgs_library_is_found_by_pattern_and_its_debug_build_is_not() -> None:
    libraries = ["libzmq-mt-gd-4_3_5.lib", "libzmq-mt-4_3_5.lib"]
    outside = {"CGO_LDFLAGS": "-s"}
    assert plans.vcpkg_flags("C:\\dev\\my vcpkg", libraries, ["libzmq-mt-4_3_5.dll"], outside) == {
        "CGO_CFLAGS": '"-IC:/dev/my vcpkg/include"',
        "CGO_LDFLAGS": '"-LC:/dev/my vcpkg/lib" -l:libzmq-mt-4_3_5.lib -s',
    }


def test_a_vcpkg_without_the_library_is_refused() -> None:
    with pytest.raises(SetupError, match="vcpkg install zeromq:x64-windows"):
        plans.vcpkg_flags("C:/vcpkg", [], [], {})


def test_on_windows_the_flags_and_the_dll_come_from_vcpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    triplet = tmp_path / "installed" / "x64-windows"
    for name in ("include/zmq.h", "lib/libzmq-mt-4_3_5.lib", "bin/libzmq-mt-4_3_5.dll"):
        (triplet / name).parent.mkdir(parents=True)
        (triplet / name).touch()
    monkeypatch.setenv("VCPKG_INSTALLATION_ROOT", str(tmp_path))
    monkeypatch.delenv("CGO_LDFLAGS", raising=False)
    go = toolchain.Toolchain("go", "1.26.8", sys.executable, Path("/go"), bundled=False, path=[])
    ready, found = toolchain.look_on_windows(go)
    assert ready is not None
    assert (found, ready.path) == ("libzmq-mt-4_3_5.dll from vcpkg", [str(triplet / "bin")])
    assert ready.env["CGO_LDFLAGS"].endswith("-l:libzmq-mt-4_3_5.lib")


def test_the_browser_is_installed_where_that_is_allowed() -> None:
    plan = plans.browser_plan(Host(("apt-get",), root=True))
    assert plan is not None
    assert plan.install[-2:] == ("chromium", "chromium-driver")


@pytest.mark.parametrize("host", [Host(("apt-get",)), Host(("brew",), ci=True), Host(()), Host(("dnf",), root=True)])
def test_elsewhere_the_browser_is_left_to_a_person(host: Host) -> None:
    assert plans.browser_plan(host) is None


@pytest.mark.parametrize(
    ("missing", "host", "installed", "left"),
    [
        (["tc", "ip", "libfaketime"], Host(("apt-get",), root=True), ["iproute2", "libfaketime"], []),
        (["nft", "dockerd"], Host(("apt-get",), root=True), ["nftables"], ["docker.io"]),
        (["sshd", "dockerd"], Host(("apt-get",), root=True, ci=True), ["openssh-server", "docker.io"], []),
        (["nft"], Host(("apt-get",), ci=True), [], ["nftables"]),
        (["nft"], Host(("dnf",), root=True), [], ["nftables"]),
        ([], Host(("apt-get",), root=True), [], []),
    ],
)
def test_root_gets_what_places_need_and_a_server_of_the_machines_own_in_ci_alone(
    missing: list[str], host: Host, installed: list[str], left: list[str]
) -> None:
    assert plans.places_packages(host, missing) == (installed, left)
