"""What the engine can do to a container: pause, disconnect and restart it, and deny it memory and processor time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness import judge
from harness.errors import PeerFault, Unsupported
from harness.judge import Crowd
from harness.measure import leaks
from harness.model.frames import Recipe
from harness.model.matrix import Cell
from harness.model.patterns import Pattern
from harness.model.verdicts import Verdict
from harness.peers.sockets import Link, Peer, until
from harness.places import containers
from harness.places.docker import DockerPlace
from tests.interop.recovery import opened
from tests.places.conftest import MakePool
from tests.places.test_fault_scenarios import ANSWERED, SOME, parted, settle, traffic
from tests.proofs.test_faults import faulty_pool

BOXED = ("docker>docker",)
LIMITED = "docker:memory=64:cpus=0.2>local"
_MIB = 1 << 20
CYCLES = 20


def box(peer: Peer) -> DockerPlace:
    """Return the host of containers that a peer runs on; Unsupported elsewhere."""
    if not isinstance(peer.place, DockerPlace):
        raise Unsupported(f"the place {peer.place.name} is no container: use docker")
    return peer.place


@pytest.mark.scenario("container-restarted", *ANSWERED, pairs=SOME, binds=("right-binds",), places=BOXED)
def test_a_flow_runs_again_when_its_listeners_container_was_restarted(
    peers: Crowd, left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP: "if the connection is broken, [sockets] SHOULD reconnect after a suitable delay".
    box(right).lasting = True
    try:
        goner = peers.fresh("right")
    finally:
        box(right).lasting = False
    flowing, listener = traffic(left, goner, link, pattern, figures)
    box(goner).restart(goner.client.pid)
    with pytest.raises(PeerFault):
        goner.client.call("hello")
    goner.client.kill()
    successor = peers.fresh("right")
    successor.client.patience = goner.client.patience
    assert successor.client.pid != goner.client.pid, "the container was to be restarted"
    flowing.replace(listener, opened(successor, pattern.right, bind=listener.endpoint))
    flowing.run()


@pytest.mark.scenario("container-disconnected", *ANSWERED, pairs=SOME, binds=("right-binds",), places=BOXED)
def test_what_was_queued_while_a_container_was_off_its_network_comes_when_it_is_back(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 23/ZMTP runs over TCP, whose connections outlive an interface that goes and comes back with its address.
    flowing, _ = traffic(left, right, link, pattern, figures)
    try:
        box(right).cut()
        parted(flowing, 1, figures)
    finally:
        box(right).heal()
    settle(flowing, figures)
    flowing.run()


@pytest.mark.scenario("container-paused", "push-pull", pairs=SOME, binds=("right-binds",), places=BOXED)
def test_what_was_sent_to_a_paused_container_comes_when_it_goes_on(
    left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # 30/PIPELINE: a PULL that takes nothing loses nothing; what is on its way waits in queues and in TCP.
    flowing, _ = traffic(left, right, link, pattern, figures)
    box(right).pause()
    try:
        parted(flowing, 1, figures)
    finally:
        box(right).resume()
    settle(flowing, figures)
    flowing.run()


def leaking(left: Peer, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]) -> list[leaks.Finding]:
    """Open, talk and close again and again; return what the engine has seen grow in the left peer's container."""
    place, pid = box(left), left.client.pid

    def count() -> dict[str, int]:
        # The engine counts no goroutines; that there are some says that threads may be pooled.
        also = left.client.call("stats", {"collect": True})
        counted = place.counters(pid)
        return {"threads": counted["threads"], "rss": counted["rss"]} | (
            {"goroutines": int(also["goroutines"])} if "goroutines" in also else {}
        )

    def cycle() -> None:
        one, other = link.open((left, pattern.left), (right, pattern.right))
        one.send("news")
        assert other.recv() == ["news"]
        one.close()
        other.close()

    for _ in range(5):
        cycle()
    warm, samples = count(), list[tuple[float, leaks.Counters]]()
    for number in range(1, CYCLES + 1):
        cycle()
        if number % 2 == 0:
            samples.append((number, count()))
    settled = count()
    for pause in until(left.wait_ms):
        if leaks.back(warm, settled):
            break
        left.client.start("stats").done(pause)
        settled = count()
    course = leaks.Course(warm, settled, CYCLES, tuple(samples))
    figures |= leaks.figures(course)
    return leaks.findings(course)


@pytest.mark.scenario(
    "container-leaks",
    "push-pull",
    pairs="go-zeromq>pyzmq|pebbe>pyzmq|pyzmq>pyzmq|pyzmq-asyncio>pyzmq",
    binds=("right-binds",),
    places=("docker>local",),
)
def test_a_container_holds_no_more_after_its_sockets_are_closed(
    peers: Crowd, right: Peer, link: Link, pattern: Pattern, figures: dict[str, float]
) -> None:
    # zmq_close(3) releases "any resources associated with" a socket; here the engine counts, not the peer.
    found = leaking(peers.fresh("left"), right, link, pattern, figures)
    assert not found, f"the container leaks: {', '.join(map(str, found))}"


def judged(check: Callable[..., None], cell: str, fault: str = "drop") -> judge.Outcome:
    with faulty_pool(fault) as pool:
        pool.patience = 1.5
        return judge.attempt(Cell.parse(cell), pool, check, {})


@pytest.fixture
def _engine() -> None:
    try:
        containers.connect().close()
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")


PLANTED: tuple[tuple[str, Callable[..., None], str, str], ...] = (
    (
        "lose-on-restart",
        test_a_flow_runs_again_when_its_listeners_container_was_restarted,
        "push-pull/tcp4/faulty>pyzmq/right-binds/container-restarted@docker>docker",
        "messages came within",
    ),
    (
        "double",
        test_what_was_queued_while_a_container_was_off_its_network_comes_when_it_is_back,
        "push-pull/tcp4/faulty>pyzmq/right-binds/container-disconnected@docker>docker",
        "came twice",
    ),
    (
        "double",
        test_what_was_sent_to_a_paused_container_comes_when_it_goes_on,
        "push-pull/tcp4/faulty>pyzmq/right-binds/container-paused@docker>docker",
        "came twice",
    ),
    (
        "leak-thread",
        test_a_container_holds_no_more_after_its_sockets_are_closed,
        "push-pull/tcp4/faulty>pyzmq/right-binds/container-leaks@docker>local",
        "threads grew",
    ),
    (
        "grow=65536",
        test_a_container_holds_no_more_after_its_sockets_are_closed,
        "push-pull/tcp4/faulty>pyzmq/right-binds/container-leaks@docker>local",
        "bytes a cycle",
    ),
)


@pytest.mark.usefixtures("_engine")
@pytest.mark.parametrize(
    ("fault", "check", "cell", "says"), PLANTED, ids=[f"{fault}-{cell.split('/')[4]}" for fault, _, cell, _ in PLANTED]
)
def test_a_fault_in_a_container_is_caught(fault: str, check: Callable[..., None], cell: str, says: str) -> None:
    outcome = judged(check, cell, fault)
    assert outcome.verdict is Verdict.FAIL, outcome.reason
    assert says in outcome.reason


IDLE: tuple[tuple[str, Callable[..., None], str], ...] = (
    (
        "cut",
        test_what_was_queued_while_a_container_was_off_its_network_comes_when_it_is_back,
        "push-pull/tcp4/pyzmq>pyzmq/right-binds/container-disconnected@docker>docker",
    ),
    (
        "pause",
        test_what_was_sent_to_a_paused_container_comes_when_it_goes_on,
        "push-pull/tcp4/pyzmq>pyzmq/right-binds/container-paused@docker>docker",
    ),
    (
        "restart",
        test_a_flow_runs_again_when_its_listeners_container_was_restarted,
        "push-pull/tcp4/pyzmq>pyzmq/right-binds/container-restarted@docker>docker",
    ),
)


@pytest.mark.usefixtures("_engine")
@pytest.mark.parametrize(("name", "check", "cell"), IDLE, ids=[name for name, _, _ in IDLE])
def test_an_engine_that_does_nothing_is_noticed(
    name: str, check: Callable[..., None], cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (name, *(("resume",) if name == "pause" else ())):
        monkeypatch.setattr(DockerPlace, one, lambda self, *given: None)
    outcome = judged(check, cell)
    assert outcome.verdict is Verdict.FAIL, outcome.reason


@pytest.mark.usefixtures("_engine")
def test_a_container_gets_the_memory_and_processor_that_its_place_names(new_pool: MakePool) -> None:
    pool = new_pool()
    held = {}
    for places in (LIMITED, "docker>local"):
        peer = pool.start("pyzmq", slot="left", places=places)
        held[places] = box(peer).counters(peer.client.pid)
        assert peer.client.stop() == []
    assert held[LIMITED]["memory_limit"] == 64 * _MIB < held["docker>local"]["memory_limit"]
    # To import a library is work enough to be denied the processor four fifths of the time, and is never otherwise.
    assert held[LIMITED]["throttled"] > 0 == held["docker>local"]["throttled"]


def send_much(client: Peer, server: Peer) -> None:
    """Have a peer queue 200 MiB in one message."""
    one, other = Link("tcp4", "right-binds").open((client, "PUSH"), (server, "PULL"))
    one.send(Recipe(200 * _MIB, 1), timeout=60_000)
    other.recv(timeout=60_000)


@pytest.mark.usefixtures("_engine")
def test_a_peer_that_needs_more_memory_than_its_container_may_have_is_a_crash(new_pool: MakePool) -> None:
    pool = new_pool()
    for places in ("docker>local", LIMITED):
        left = pool.start("pyzmq", slot="left", places=places)
        right = pool.start("pyzmq", slot="right", places=places)
        if places == LIMITED:
            with pytest.raises(PeerFault, match="signal 9"):
                send_much(left, right)
            left.client.kill()
        else:
            send_much(left, right)
            assert left.client.stop() == []
        right.client.kill()
