"""The place `docker`: a host made of containers, through the Docker SDK, on whatever engine the SDK finds.

`DOCKER_HOST` and contexts are honoured. A host is a container that does nothing but hold a network; each peer is a
container of its own that shares it, so that all peers of a side have one address. `docker` lies on a bridge of the
run's own, `docker:host` on this machine's network, and `docker:published` is reached through published ports alone: so
is an engine on another machine. Peers in containers end as everywhere, with their stdin, and the engine removes what
has ended; networks carry a label with their owner's process, and the next start sweeps what a killed run left.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import docker
import docker.errors
import docker.types

from harness.errors import SetupFault, Unsupported
from harness.peers import build
from harness.peers import manifest as manifests
from harness.peers.manifest import Manifest
from harness.places import images
from harness.places.containers import DockerProcess, connect, engine_machine, owner, sweep
from harness.places.face import LOCAL, LOOPBACK, Family
from harness.places.lan import LINKS, Namespace, free_subnets, run

NAME: Final = "docker"

PORTS: Final = range(20_000, 20_048)
"""The ports of a host whose ports are published: the only ones that its system gives out."""

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
_HOLDER: Final = _ROOT / "peers" / "go" / "go-zeromq.peer.toml"
"""The peer that holds a network, as it needs no library and waits for ever: nobody ever asks it anything."""

_WAYS: Final = ("host", "published")
_CPU: Final = 1_000_000_000
"""The engine's unit of one processor's time."""

_numbers = itertools.count(1)


def parsed(how: str) -> tuple[str, dict[str, Any]]:
    """Return the way to reach a host, "" for a bridge, and its peers' limits, from what follows `docker:`; ValueError.

    `memory=64` are MiB (6 or more) for each peer, and no swap beyond; `cpus=0.5` is half of one processor's time.
    """
    way, limits = "", dict[str, Any]()
    for word in filter(None, how.split(":")):
        name, _, value = word.partition("=")
        if word in _WAYS and not way:
            way = word
        elif name == "memory" and value.isdecimal() and int(value) >= 6:
            limits["mem_limit"] = limits["memswap_limit"] = int(value) << 20
        elif name == "cpus" and value.replace(".", "", 1).isdecimal() and float(value) >= 0.01:
            limits["nano_cpus"] = round(float(value) * _CPU)
        else:
            raise ValueError(
                f"docker:{how}: {word} is none of host, published, memory=MIB (from 6), cpus=SHARE (from 0.01)"
            )
    return way, limits


class Bridge:
    """A network of the run's own on the engine; this machine is its gateway. Namespaces can be plugged in, too."""

    def __init__(self, client: docker.DockerClient) -> None:
        number = next(_numbers)
        self._hosts = itertools.count(2)
        self._guests = itertools.count(130)
        self.link = f"{LINKS}{os.getpid():x}-d{number}"
        self.name = f"zmq-interop-{os.getpid()}-{number}"
        self._plugged: list[str] = []
        with free_subnets() as self.subnets:
            first = self.subnets.address(1)
            pools = [
                docker.types.IPAMPool(subnet=str(self.subnets.v4), gateway=first["tcp4"]),
                docker.types.IPAMPool(subnet=self.subnets.v6, gateway=first["tcp6"]),
            ]
            self.network = client.networks.create(
                self.name,
                driver="bridge",
                ipam=docker.types.IPAMConfig(pool_configs=pools),
                enable_ipv6=True,
                labels=owner(),
                options={"com.docker.network.bridge.name": self.link},
            )
        # The engine leaves this machine's address unusable until it has made sure that nobody else has it.
        again = f"address {{}} {first['tcp6']}/64 dev {self.link}"
        run("ip", "-batch", "-", given=f"{again.format('delete')}\n{again.format('add')} nodad\n")

    def host(self) -> int:
        """Return the number of a new host."""
        return next(self._hosts)

    def plug(self, host: Namespace) -> int:
        """Give a namespace a link `eth0` to this network, still without address; returns the host's number."""
        number = next(self._guests)
        port = f"{self.link}-{number}"
        run(*f"ip link add {port} type veth peer name eth0 netns {host.pid}".split())
        run(*f"ip link set {port} master {self.link} up".split())
        return number

    def spare(self) -> int:
        """Return the number of a host that is not plugged in: an address to move to."""
        return next(self._guests)

    def close(self) -> None:
        """Remove it."""
        with contextlib.suppress(docker.errors.APIError):
            self.network.remove()


class DockerPlace:
    """A host made of containers. `how` is its way and its limits, as `parsed` reads them."""

    name = NAME

    def __init__(self, client: docker.DockerClient, bridge: Bridge | None, how: str = "") -> None:
        how, limits = parsed(how)
        self._client = client
        self._bridge = bridge
        self._how = how
        self._limits = limits
        self._processes: list[DockerProcess] = []
        self._published: dict[int, tuple[str, int]] = {}
        self._holder: DockerProcess | None = None
        self._number = 0
        self._away = False
        self.lasting = False
        """Whether the containers of peers that start from now on can be restarted."""
        self._returned: DockerProcess | None = None
        self.network = LOCAL if how == "host" else f"{NAME}-{next(_numbers)}-{os.getpid()}"
        self.files = f"{NAME}-{next(_numbers)}-{os.getpid()}"  # every container has its own
        if how == "host" and engine_machine(client):
            raise Unsupported("docker:host shares the network of the engine's machine, which is not this one")
        if how != "host":
            self._hold()

    def _hold(self) -> None:
        """Start the container that holds the network."""
        program = build.command(manifests.load(_HOLDER), _ROOT / ".build" / "peers")
        box = images.boxed(self._client, program, Path("/"))
        config: dict[str, Any] = {"auto_remove": True}
        more: dict[str, Any] = {}
        if self._bridge is not None:
            self._number = self._bridge.host()
            config["network_mode"] = self._bridge.name
            more["networking_config"] = {"EndpointsConfig": {self._bridge.name: self._endpoint()}}
        if self._how == "published":
            more["ports"] = list(PORTS)
            outside = (engine_machine(self._client) and "0.0.0.0") or LOOPBACK["tcp4"]
            config["port_bindings"] = dict.fromkeys(PORTS, (outside, None))
            config["sysctls"] = {"net.ipv4.ip_local_port_range": f"{PORTS.start} {PORTS.stop - 1}"}
        self._holder = DockerProcess(self._client, self._create(box, config, **more))
        if self._how == "published":
            told = self._client.api.inspect_container(self._holder.container)["NetworkSettings"]["Ports"]
            host = engine_machine(self._client) or LOOPBACK["tcp4"]
            for port in PORTS:
                self._published[port] = (host, int(told[f"{port}/tcp"][0]["HostPort"]))

    def _endpoint(self) -> dict[str, Any]:
        assert self._bridge is not None
        own = self._bridge.subnets.address(self._number)
        return dict(self._client.api.create_endpoint_config(ipv4_address=own["tcp4"], ipv6_address=own["tcp6"]))

    def _create(self, box: images.Boxed, config: Mapping[str, Any], **more: Any) -> str:
        made = self._client.api.create_container(
            box.image,
            list(box.command),
            name=f"zmq-interop-{os.getpid()}-{next(_numbers)}",
            stdin_open=True,
            working_dir=box.folder,
            labels=owner(),
            host_config=self._client.api.create_host_config(**config),
            **more,
        )
        return str(made["Id"])

    def adapt(self, manifest: Manifest) -> Manifest:
        """Return the manifest: what is built for this machine is put into an image when it starts."""
        return manifest

    def start(self, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> DockerProcess:
        """Start a peer's command in a container of its own. What the environment adds to this process's goes along.

        After `restart` the next one is what runs in the container that has been restarted.
        """
        if self._returned is not None:
            process, self._returned = self._returned, None
            return process
        box = images.boxed(self._client, command, folder)
        mode = f"container:{self._holder.container}" if self._holder is not None else "host"
        config = {"network_mode": mode, "auto_remove": not self.lasting, **self._limits}
        added = {name: value for name, value in env.items() if os.environ.get(name) != value and name != "PATH"}
        try:
            made = self._create(box, config, environment=added)
            process = DockerProcess(self._client, made, lasting=self.lasting)
        except docker.errors.APIError as error:
            raise SetupFault(f"image {box.image}: no container starts: {error.explanation or error}") from None
        self._processes = [*(one for one in self._processes if one.poll() is None), process]
        return process

    def address(self, family: Family) -> str:
        """Return this host's address."""
        if self._how == "host":
            return LOOPBACK[family]
        if self._how == "published":
            if family == "tcp6":
                raise Unsupported("docker:published publishes ports of IPv4 alone")
            return "0.0.0.0"
        assert self._bridge is not None
        return self._bridge.subnets.address(self._number)[family]

    def gateway(self, family: Family) -> str:
        """Return this machine's address on the bridge."""
        if self._how == "host":
            return LOOPBACK[family]
        if self._bridge is None:
            raise Unsupported("a container on another machine's engine does not reach this one: let it bind")
        return self._bridge.subnets.address(1)[family]

    def outward(self, host: str, port: int) -> tuple[str, int]:
        """Return where a port is published; without that, the same."""
        return self._published.get(port, (host, port)) if self._published else (host, port)

    # Faults.

    def cut(self, direction: Literal["both", "in", "out"] = "both") -> None:
        """Disconnect the host from its network, until `heal`. Unsupported: one direction alone."""
        if direction != "both" or self._bridge is None or self._holder is None or self._how:
            raise Unsupported(
                "the engine disconnects a container on a bridge of the run's own, both ways, or not at all"
            )
        if not self._away:
            self._bridge.network.disconnect(self._holder.container)
            self._away = True

    def heal(self) -> None:
        """Connect the host again, under the same address."""
        if self._away and self._bridge is not None and self._holder is not None:
            own = self._bridge.subnets.address(self._number)
            self._bridge.network.connect(self._holder.container, ipv4_address=own["tcp4"], ipv6_address=own["tcp6"])
            self._away = False

    def move(self) -> None:
        """Take another address; the old one is gone at once."""
        assert self._bridge is not None
        self.cut()
        self._number = self._bridge.host()
        self.heal()

    def pause(self) -> None:
        """Freeze every process of every peer here, until `resume`."""
        for one in self._alive():
            self._client.api.pause(one.container)

    def resume(self) -> None:
        """Let them go on."""
        for one in self._alive():
            self._client.api.unpause(one.container)

    def restart(self, pid: int) -> None:
        """Have the engine restart a peer's container, which is `lasting`: its program is killed and begins anew.

        What runs there then is the peer that is started next, which must be of the same implementation.
        """
        self._returned = self._of(pid).restart()
        self._processes.append(self._returned)

    def counters(self, pid: int) -> dict[str, int]:
        """Return what the engine counts of a peer's container.

        `threads`, memory in bytes as `rss` (without files, which the kernel keeps or drops), `throttled` periods in
        which it was denied a processor, and `memory_limit` in bytes. Unsupported where the engine counts nothing.
        """
        told = self._client.api.stats(self._of(pid).container, stream=False, one_shot=True)
        memory, threads = told["memory_stats"], told["pids_stats"].get("current")
        if not memory.get("stats") or threads is None:
            raise Unsupported("this engine counts no memory or threads: its system needs those cgroup controllers")
        stats = memory["stats"]  # of cgroups version 2, or of version 1
        return {
            "threads": int(threads),
            "rss": int(stats["anon"] if "anon" in stats else stats["total_rss"]),
            "throttled": int(told["cpu_stats"]["throttling_data"]["throttled_periods"]),
            "memory_limit": int(memory["limit"]),
        }

    def _of(self, pid: int) -> DockerProcess:
        found = next((one for one in self._alive() if one.pid == pid), None)
        if found is None:
            raise SetupFault(f"no container of this host has the process {pid}")
        return found

    def _alive(self) -> list[DockerProcess]:
        return [one for one in self._processes if one.poll() is None]

    def close(self) -> None:
        """End every container of this host."""
        for one in self._alive():
            one.kill()
        if self._holder is not None:
            self._holder.close()
        self._processes.clear()
        self._holder = None


@contextlib.contextmanager
def engine() -> Iterator[tuple[docker.DockerClient, Bridge | None]]:
    """Yield a client and a bridge, swept before and removed after; None where the engine's bridges are out of reach."""
    client = connect()
    with contextlib.closing(client):
        sweep(client)
        if sys.platform != "linux" or os.geteuid() != 0 or engine_machine(client) or shutil.which("ip") is None:
            yield client, None
            return
        bridge = Bridge(client)
        try:
            yield client, bridge
        finally:
            bridge.close()
