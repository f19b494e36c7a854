"""The small programs of the article (examples/article), each against every implementation and against each other."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest

from harness.model.matrix import Cell
from harness.peers import build
from harness.peers.manifest import Manifest
from harness.peers.sockets import Link, Peer, until
from tests.interop.programs import Program, running

ROOT: Final = Path(__file__).resolve().parents[2]
ARTICLE: Final = ROOT / "examples" / "article"
START: Final = 60.0
"""Seconds that a program may take to print a line: some start an interpreter."""

WITH_LIBZMQ: Final = ("server", "client")


def go(name: str, *arguments: str) -> AbstractContextManager[Program]:
    """Build one of the Go programs, once, and run it."""
    cgo = name in WITH_LIBZMQ
    manifest = Manifest(
        name=f"article-{name}",
        language="go",
        file=ARTICLE / "go" / "go.mod",
        sources=("**/*.go", "go.mod", "go.sum"),
        build=("go", "build", "-trimpath", "-buildvcs=false", "-o", "{output}", f"./{name}"),
        toolchain=(("go", "version"), *([("pkg-config", "--modversion", "libzmq")] if cgo else [])),
        run=("{output}",),
        env=(("CGO_ENABLED", str(int(cgo))),),
    )
    return running(name, [*build.command(manifest, ROOT / ".build" / "peers"), *arguments], START)


def python(name: str, *arguments: str) -> AbstractContextManager[Program]:
    """Run one of the Python programs."""
    return running(name, [sys.executable, str(ARTICLE / "python" / f"{name}.py"), *arguments], START)


@pytest.mark.scenario("article-server", "req-rep", pairs="*>pebbe", binds=("right-binds",))
def test_the_articles_server_answers_every_client(left: Peer) -> None:
    with go("server") as server:
        endpoint = server.line()
        asking = left.socket("REQ", connect=endpoint)
        asking.send("Hello")
        assert asking.recv() == ["OK"]
        for client in (go("client", endpoint), python("requester", endpoint)):
            with client as program:
                assert program.line() == "reply: OK"
                assert program.end() == []
        assert server.end() == ["received: Hello"] * 3


@pytest.mark.scenario("article-client", "req-rep", pairs="pebbe>*|pyzmq>*", binds=("right-binds",))
def test_the_articles_clients_understand_every_server(cell: Cell, right: Peer, link: Link) -> None:
    server = link.bind(right, "REP")
    run = go("client", server.endpoint) if cell.left == "pebbe" else python("requester", server.endpoint)
    with run as client:
        assert server.recv(timeout=START * 1000) == ["Hello"]
        server.send("OK")
        assert client.line() == "reply: OK"
        assert client.end() == []


@pytest.mark.scenario("article-publisher", "pub-sub", pairs="go-zeromq>*", binds=("left-binds",))
def test_the_articles_publisher_reaches_every_subscriber(right: Peer) -> None:
    with go("publisher") as publisher:
        endpoint = publisher.line()
        listening = right.socket("SUB", connect=endpoint)
        listening.subscribe("topic1")
        assert listening.recv_all(3) == [["topic1", "data"]] * 3
        with python("subscriber", endpoint) as subscriber:
            assert [subscriber.line() for _ in range(3)] == ["received: topic1 data"] * 3
            assert set(subscriber.end()) <= {"received: topic1 data"}
        assert publisher.end() == []


@pytest.mark.scenario("article-subscriber", "pub-sub", pairs="*>pyzmq", binds=("left-binds",))
def test_the_articles_subscriber_gets_its_topic_from_every_publisher(left: Peer, link: Link) -> None:
    publisher = link.bind(left, "PUB")
    with python("subscriber", publisher.endpoint) as subscriber:
        # Its application waits inside the library, so its subscription goes out with the connection.
        for number, pause in enumerate(until(START * 1000)):
            publisher.send_all([["topic2", str(number)], ["topic1", str(number)]])
            if subscriber.said(pause):
                break
        publisher.send("topic1", "last")
        wanted = [f"received: topic1 {word}" for word in [*range(number + 1), "last"]]
        first = subscriber.line()
        assert first in wanted[:-1]
        for following in wanted[wanted.index(first) + 1 :]:
            assert subscriber.line() == following
        assert subscriber.end() == []
