"""Places by name: what options and ids say, and how endpoints are spelled between networks."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from harness.errors import SetupFault, Unsupported
from harness.model.matrix import Cell, Selection, scenario
from harness.places import docker, quarters
from harness.places.face import LOCAL, LOOPBACK, Family
from harness.places.local import LocalPlace
from harness.places.quarters import Quarters
from harness.places.routes import Book, Route
from harness.wire.recorder import Recorder

CELL = "push-pull/tcp4/one>two/left-binds/64k"


class Elsewhere(LocalPlace):
    """A place with a network of its own."""

    network = files = "elsewhere"

    def __init__(self) -> None:
        self.ports: dict[int, tuple[str, int]] = {}

    def address(self, family: Family) -> str:
        return {"tcp4": "198.18.0.2", "tcp6": "fd5a::2"}[family]

    def gateway(self, family: Family) -> str:
        return {"tcp4": "198.18.0.1", "tcp6": "fd5a::1"}[family]

    def outward(self, host: str, port: int) -> tuple[str, int]:
        return self.ports.get(port, (host, port))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], ""),
        (["left=local"], ""),
        (["left=docker"], "docker>local"),
        (["right=ssh:box", "left=netns"], "netns>ssh:box"),
    ],
)
def test_sides_that_are_not_named_run_here(options: list[str], said: str) -> None:
    assert quarters.pair(options) == said


@pytest.mark.parametrize(
    "option",
    [
        *("docker", "up=docker", "left=", "left=moon", "left=ssh:a/b", "left=ssh:a>b"),
        *("left=docker:moon", "left=docker:memory=5", "left=docker:memory=64m", "left=docker:cpus=0"),
    ],
)
def test_what_names_no_place_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match="--place"):
        quarters.pair([option])


def test_a_container_has_the_limits_that_its_place_names() -> None:
    assert docker.parsed("published:memory=64:cpus=0.5") == (
        "published",
        {"mem_limit": 64 << 20, "memswap_limit": 64 << 20, "nano_cpus": 500_000_000},
    )


def test_all_places_stand_on_either_side_of_this_machine() -> None:
    found = quarters.several("all")
    assert found[0] == ""
    assert {"netns>local", "local>netns", "docker>local", "local>ssh"} <= set(found)


def test_an_id_tells_the_places_of_its_cell() -> None:
    cell = Cell.parse(f"{CELL}@docker>ssh:me@box")
    assert (cell.places, cell.name, cell.id) == ("docker>ssh:me@box", CELL, f"{CELL}@docker>ssh:me@box")
    assert cell.control("one").places == cell.places


@pytest.mark.parametrize("where", ["@", "@docker", "@>docker"])
def test_an_id_names_two_places_or_none(where: str) -> None:
    with pytest.raises(ValueError, match="two places"):
        Cell.parse(CELL + where)


def test_a_selection_runs_its_cells_in_each_of_its_places() -> None:
    selection = Selection(places=("", "netns>netns"))
    assert [cell.id for cell in selection.placed([Cell.parse(CELL)])] == [CELL, f"{CELL}@netns>netns"]


def test_a_named_cell_runs_where_its_name_says() -> None:
    selection = Selection(cells=frozenset({f"{CELL}@netns>netns"}))
    assert [cell.id for cell in selection.placed([Cell.parse(CELL)])] == [f"{CELL}@netns>netns"]


def test_a_cell_that_is_named_without_places_runs_where_the_options_say() -> None:
    selection = Selection(cells=frozenset({CELL}), places=("netns>local",))
    assert [cell.id for cell in selection.placed([Cell.parse(CELL)])] == [f"{CELL}@netns>local"]


@pytest.mark.parametrize(("chosen", "count"), [(("",), 1), (("netns>netns",), 1), (("docker>docker",), 0)])
def test_a_scenario_of_one_place_runs_there_alone(chosen: tuple[str, ...], count: int) -> None:
    cells = scenario("cut", ["push-pull"], ["one"], binds=("left-binds",), places=("netns>netns",))
    assert len(Selection(places=chosen).placed(cells)) == count


def routes(here: LocalPlace, there: LocalPlace) -> tuple[Route, Route]:
    book = Book()
    return Route(here, there, book), Route(there, here, book)


def test_on_this_machine_every_endpoint_stands_for_itself() -> None:
    route, _ = routes(LocalPlace(), LocalPlace())
    for step in (route.inside, route.outside, route.resolve, route.reach, route.back):
        assert step("tcp://127.0.0.1:5555") == "tcp://127.0.0.1:5555"


@pytest.mark.parametrize(
    ("endpoint", "bound"),
    [
        ("tcp://127.0.0.1:*", "tcp://198.18.0.2:*"),
        ("tcp://[::1]:*", "tcp://[fd5a::2]:*"),
        ("ws://127.0.0.1:*", "ws://198.18.0.2:*"),
        ("tcp://0.0.0.0:*", "tcp://0.0.0.0:*"),
        ("ipc://*", "ipc://*"),
        ("inproc://a:1", "inproc://a:1"),
    ],
)
def test_who_binds_to_loopback_elsewhere_binds_to_the_places_address(endpoint: str, bound: str) -> None:
    assert routes(Elsewhere(), LocalPlace())[0].inside(endpoint) == bound


def test_this_machine_binds_where_its_partner_reaches_it() -> None:
    assert routes(LocalPlace(), Elsewhere())[0].inside("tcp://127.0.0.1:*") == "tcp://198.18.0.1:*"


def test_an_endpoint_that_the_check_has_chosen_stays_its_own() -> None:
    there, here = routes(Elsewhere(), LocalPlace())
    real = there.inside("tcp://127.0.0.1:5555")
    assert (real, there.outside(real)) == ("tcp://198.18.0.2:5555", "tcp://127.0.0.1:5555")
    assert here.resolve("tcp://127.0.0.1:5555") == real
    assert there.inside("tcp://127.0.0.1:5555") == real  # to unbind it


def test_a_published_port_is_reached_where_it_is_published_and_unbound_where_it_is() -> None:
    place = Elsewhere()
    place.ports = {20_000: ("127.0.0.1", 49_153)}
    there, _ = routes(place, LocalPlace())
    shown = there.outside("tcp://0.0.0.0:20000")
    assert (shown, there.inside(shown)) == ("tcp://127.0.0.1:49153", "tcp://0.0.0.0:20000")


def test_a_listener_that_is_not_there_yet_will_be_the_partners() -> None:
    _, here = routes(Elsewhere(), LocalPlace())
    assert here.resolve("tcp://127.0.0.1:1") == "tcp://198.18.0.2:1"


def test_what_one_check_has_named_the_next_does_not_know() -> None:
    there, here = routes(Elsewhere(), LocalPlace())
    there.inside("tcp://127.0.0.1:2")
    there.forget()
    assert here.back("tcp://198.18.0.2:2") == "tcp://198.18.0.2:2"


def test_a_relay_that_failed_is_told_and_no_peer_is_blamed() -> None:
    book = Book()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        book.relays["", ""] = Recorder(f"tcp://127.0.0.1:{listener.getsockname()[1]}", keep=0)
        book.relays["", ""].recording.notes.append("it failed")
        with pytest.raises(SetupFault, match=r"relay .*\(it failed\): run the last cell again"):
            book.clear()
    book.clear()


@pytest.mark.parametrize(
    ("transport", "reason"), [("ipc", "a file system that both share"), ("ipc-abstract", "network namespace")]
)
def test_a_transport_that_leads_nowhere_is_unsupported(
    transport: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: Callable[..., object] = lambda *names: (Elsewhere(), LocalPlace())  # noqa: E731
    monkeypatch.setattr(quarters, "open_pair", opened)
    with pytest.raises(Unsupported, match=reason):
        Quarters(LocalPlace()).admit(Cell.parse(f"{CELL.replace('tcp4', transport)}@netns>local"))


def test_a_refusal_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(*names: object) -> None:
        asked.append(names)
        raise Unsupported("install it")

    monkeypatch.setattr(quarters, "open_pair", refuse)
    rooms = Quarters(LocalPlace())
    for _ in range(2):
        with pytest.raises(Unsupported, match="install it"):
            rooms.room("netns>local", "left")
    assert len(asked) == 1


def test_loopback_is_this_machines_address() -> None:
    assert (LocalPlace().network, LocalPlace().address("tcp6")) == (LOCAL, LOOPBACK["tcp6"])
