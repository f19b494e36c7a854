"""A planted fault shows in the record of its cell, and a recorder changes nothing but that there is a record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import judge
from harness.model.frames import frame
from harness.model.matrix import Cell, Selection, select
from harness.model.payloads import PAYLOADS
from harness.model.verdicts import Verdict
from harness.peers.pool import Pool
from harness.wire import text
from harness.wire.record import Flow
from harness.wire.zmtp import Command, Event, Frame, Greeting, encode
from tests.interop import test_pipeline, test_publish_subscribe, test_request_reply
from tests.proofs.test_faults import KNOWN, faulty_pool
from tests.proofs.test_whole_run import run
from tests.proofs.whole import command

_push_pull = test_pipeline.test_pull_gets_every_message_once_and_in_order
_pub_sub = test_publish_subscribe.test_subscriber_gets_what_begins_with_its_prefix_and_nothing_else
_req_rep = test_request_reply.test_a_reply_goes_back_to_its_requester


def page_of(outcome: judge.Outcome) -> str:
    assert outcome.wire is not None
    return "\n".join(text.lines(outcome.wire.recordings))


# What a fault leaves in the record.


def test_a_flipped_frame_is_named_in_the_record() -> None:
    with faulty_pool("flip") as pool:
        outcome = judge.recorded(Cell.parse("push-pull/tcp4/faulty>pyzmq/left-binds/all-bytes"), pool, _push_pull, {})
    assert outcome.verdict is Verdict.FAIL
    received = re.search(r"At index 0 diff: \[(<256 bytes .*?…>)\]", outcome.reason)
    assert received, outcome.reason
    page = page_of(outcome)
    line = next(row for row in page.splitlines() if row.endswith(received[1]))
    assert re.search(r"faulty > pyzmq +message 0 frame 0 +long +256 ", line)
    # What should have come is nowhere on the wire, so the fault lies before it.
    assert repr(frame(PAYLOADS["all-bytes"].body(0)[0])) not in page


def test_a_dropped_message_is_missing_in_the_record() -> None:
    with faulty_pool("drop") as pool:
        outcome = judge.recorded(Cell.parse("push-pull/tcp4/faulty>pyzmq/left-binds/1-byte"), pool, _push_pull, {})
    assert outcome.verdict is Verdict.FAIL
    bodies = re.findall(r"faulty > pyzmq +message (\d) frame 0 +\d+  (.*)", page_of(outcome))
    # Of the first three, which are sent in one call, the second one is swallowed.
    sent = [repr(frame(PAYLOADS["1-byte"].body(number)[0])) for number in range(2)]
    assert bodies[:2] == [("0", sent[0]), ("1", sent[1])]
    assert "between 0" not in page_of(outcome)


@pytest.mark.parametrize("which", ["failures", "all"])
def test_a_run_files_the_record_of_a_failed_cell(tmp_path: Path, which: str) -> None:
    cell = "req-rep/tcp4/faulty>pyzmq/right-binds/multipart"
    finished = run(tmp_path, "flip", "--cell", cell, "--record", which, "-n", "1")
    assert (finished.code, finished.verdicts) == (1, {cell: "fail"})
    wire = finished.results["cells"][0]["evidence"]["wire"]
    again = "run again under the recorder" if which == "failures" else "run under the recorder"
    assert wire["about"][0].startswith(f"{again} it ended as fail: ")
    page, capture = (tmp_path / "reports" / "latest" / name for name in wire["files"])
    assert "faulty > pyzmq" in page.read_text(encoding="utf-8")
    assert capture.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
    said = command("explain", str(tmp_path / "reports" / "latest"), cell)
    assert (said.returncode, "faulty > pyzmq" in said.stdout) == (0, True)


# The recorder changes nothing.


def slice_of(implementations: list[str]) -> list[tuple[Cell, Callable[..., None]]]:
    """Return a slice of the matrix that meets each recorded transport, with both ways of binding."""
    transports = frozenset({"tcp4", "tcp6", "ipc", "ipc-abstract"})
    found: list[tuple[Cell, Callable[..., None]]] = []
    for pattern, check in (("push-pull", _push_pull), ("pub-sub", _pub_sub), ("req-rep", _req_rep)):
        cells = select([pattern], Selection(transports=transports), implementations)
        found += [(cell, check) for cell in cells if not cell.slow]
    return found


def test_a_slice_of_the_matrix_has_the_same_verdicts_under_the_recorder(pool: Pool) -> None:
    cells = slice_of([*pool.manifests])
    assert len(cells) > 300
    unlike = []
    for cell, check in cells:
        verdicts = []
        raced = False
        for record in (judge.Record.NONE, judge.Record.ALL):
            outcome = judge.judge(cell, pool, check, {}, KNOWN, record)
            raced |= outcome.issue is not None and outcome.issue.sometimes
            verdicts.append(outcome.verdict)
        # A race of the library's may hide what the cell shows else, with or without a recorder.
        same = all(verdict.expected for verdict in verdicts) if raced else verdicts[0] is verdicts[1]
        if not same:
            unlike.append(f"{cell.id}: {verdicts[0]}, and {verdicts[1]} under the recorder: {outcome.reason}")
    assert unlike == []


@pytest.mark.parametrize("transport", ["tcp4", "tcp6", "ipc", "ipc-abstract"])
@pytest.mark.parametrize("pair", ["go-zeromq>pyzmq", "pyzmq>go-zeromq", "go-zeromq>go-zeromq", "pebbe>pyzmq-asyncio"])
def test_what_the_libraries_say_is_decoded_and_encoded_to_the_same_bytes(pool: Pool, pair: str, transport: str) -> None:
    for pattern, check, what in (
        ("push-pull", _push_pull, "multipart"),
        ("push-pull", _push_pull, "256-bytes"),
        ("pub-sub", _pub_sub, "utf8"),
        ("req-rep", _req_rep, "64k"),
    ):
        cell = Cell.parse(f"{pattern}/{transport}/{pair}/right-binds/{what}")
        outcome = judge.judge(cell, pool, check, {}, KNOWN, judge.Record.ALL)
        assert outcome.verdict in (Verdict.PASS, Verdict.KNOWN), outcome.reason
        assert outcome.wire is not None
        connections = [one for recording in outcome.wire.recordings for one in recording.connections]
        assert connections
        for connection in connections:
            for flow in (connection.forth, connection.back):
                told = said(flow)
                assert isinstance(told[0], Greeting)
                assert isinstance(told[1], Command)
                assert told[1].name == b"READY"


def said(flow: Flow) -> list[Event]:
    """Return what was said in a direction, and see that nothing in it is broken and that it is what the bytes were."""
    events = [event for _, event in flow.events()]
    told: list[Event] = [event for event in events if isinstance(event, Greeting | Frame)]
    assert told == events
    assert encode(told) == b"".join(chunk.data for chunk in (*flow.head, *flow.tail))
    return told


def test_a_run_of_64_mib_is_recorded_with_what_was_cut(pool: Pool) -> None:
    cell = Cell.parse("push-pull/tcp4/pyzmq>pyzmq/right-binds/64m")
    outcome = judge.recorded(cell, pool, _push_pull, {})
    assert outcome.verdict is Verdict.PASS, outcome.reason
    page = page_of(outcome)
    assert " not kept " in page
    assert re.search(r"message \d frame 0 +long +67108864 ", page)


def test_a_plain_run_leaves_no_record(tmp_path: Path) -> None:
    cell = "req-rep/tcp4/pyzmq>pyzmq/right-binds/multipart"
    finished = run(tmp_path, "flip", "--cell", cell, "-n", "1")
    assert finished.verdicts == {cell: "pass"}
    assert not (tmp_path / "reports" / "latest" / "wire").exists()
    assert "wire" not in json.dumps(finished.results["cells"][0].get("evidence", {}))
