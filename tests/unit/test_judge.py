"""The judge: each way in which a check can end has its verdict, and the right one is blamed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from packaging.specifiers import SpecifierSet

from harness import judge
from harness.errors import ContractBreach, PeerCrash, PeerFault, PeerHang, SetupFault, Unsupported
from harness.judge import Crowd, Outcome
from harness.model.known import Condition, KnownIssue
from harness.model.matrix import Cell
from harness.model.patterns import MIXED
from harness.model.payloads import PAYLOADS, Payload
from harness.model.verdicts import Verdict
from harness.peers.sockets import Link, Peer
from tests.unit.helpers import cell
from tests.unit.memory import MemoryPool, error, failing

Check = Callable[..., object]


def judged(check: Check, *known: KnownIssue, of: Cell | None = None, pool: MemoryPool | None = None) -> Outcome:
    return judge.judge(of or cell(), pool or MemoryPool(), check, {}, known)


def attempt(check: Check, *, of: Cell | None = None, pool: MemoryPool | None = None) -> Outcome:
    return judge.attempt(of or cell(), pool or MemoryPool(), check, {})


def raising(exception: BaseException) -> Check:
    def check(left: Peer, right: Peer) -> None:
        raise exception

    return check


def opening(left: Peer, right: Peer, link: Link) -> None:
    """Open both ends, as a good check does."""
    link.open((left, "PUSH"), (right, "PULL"))


def issue(verdict: Verdict = Verdict.FAIL, *, cells: str = "*/*/*/*/*", when: Condition | None = None) -> KnownIssue:
    return KnownIssue("an-issue", (cells,), verdict, "it breaks", "https://example.org/1", when or Condition())


# How a check ends.


def test_a_check_that_returns_is_a_pass() -> None:
    outcome = attempt(opening)
    assert (outcome.verdict, outcome.reason, outcome.error) == (Verdict.PASS, "", None)


@pytest.mark.parametrize(
    ("exception", "verdict"),
    [
        (AssertionError("wrong frame"), "fail"),
        (ValueError("wrong frame"), "fail"),
        (PeerFault("wrong frame"), "fail"),
        (ContractBreach("wrong frame"), "fail"),
        (PeerCrash("wrong frame"), "crash"),
        (PeerHang("wrong frame"), "hang"),
        (Unsupported("wrong frame"), "unsupported"),
    ],
)
def test_an_exception_has_its_verdict_and_gives_the_reason(exception: Exception, verdict: str) -> None:
    outcome = attempt(raising(exception))
    assert (outcome.verdict, outcome.reason) == (verdict, "wrong frame")
    assert outcome.error is (None if verdict == "unsupported" else exception)


def test_an_exception_without_words_is_named() -> None:
    assert attempt(raising(AssertionError())).reason == "AssertionError"


def test_an_error_that_was_expected_and_did_not_come_is_a_failure() -> None:
    pool = MemoryPool()

    def check(left: Peer) -> None:
        left.socket("PUSH")
        with pytest.raises(PeerFault):
            pass

    assert attempt(check, pool=pool).verdict is Verdict.FAIL
    assert [client.open for client in pool.started] == [set()], "its sockets are closed all the same"


def test_an_error_of_the_peer_is_a_failure_with_its_name() -> None:
    pool = MemoryPool(handlers={"two": {"open": error(-32000, name="state", text="EFSM")}})
    outcome = attempt(opening, pool=pool)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.reason == "two: open failed: state: no (EFSM)"


@pytest.mark.parametrize("fault", [SetupFault("no Go"), KeyboardInterrupt()])
def test_what_is_nobodys_fault_passes_through(fault: BaseException) -> None:
    with pytest.raises(type(fault)):
        judged(raising(fault))


def test_a_peer_that_cannot_be_built_passes_through_the_search_for_blame() -> None:
    class Unbuildable(MemoryPool):
        def start(
            self, name: str, env: Mapping[str, str] | None = None, *, slot: str = "left", places: str = ""
        ) -> Peer:
            if len(self.started) == 2:
                raise SetupFault("no Go")
            return super().start(name, env, slot=slot, places=places)

    with pytest.raises(SetupFault, match="no Go"):
        judged(raising(AssertionError()), pool=Unbuildable())


# What a check is given.


def test_a_check_is_given_what_it_asks_for_by_name() -> None:
    given: list[object] = []

    def check(cell: Cell, payload: Payload, link: Link, left: Peer, right: Peer, number: int) -> None:
        given.extend((cell, payload, link.transport.name, left.implementation, right.implementation, number))

    judge.attempt(cell(), MemoryPool(), check, {"number": 7})
    assert given == [cell(), PAYLOADS["empty"], "tcp4", "one", "two", 7]


@pytest.mark.parametrize("of", [cell(pattern="pub-sub"), cell(transport="tcp6")], ids=["socket type", "transport"])
def test_what_a_peer_does_not_list_is_unsupported_and_never_tried(of: Cell) -> None:
    pool = MemoryPool()
    outcome = attempt(opening, of=of, pool=pool)
    assert outcome.verdict is Verdict.UNSUPPORTED
    assert outcome.reason.startswith("one one-1.0 has no ")
    assert [method for client in pool.started for method, _ in client.asked if method == "open"] == []


def test_left_and_right_are_two_processes_even_of_one_implementation() -> None:
    pool = MemoryPool()
    assert attempt(opening, of=cell(right="one"), pool=pool).verdict is Verdict.PASS
    assert [client.name for client in pool.started] == ["one", "one"]


def test_both_ends_of_an_inproc_link_live_in_one_process_and_context() -> None:
    pool = MemoryPool()
    link = cell(right="one", transport="inproc")
    assert attempt(opening, of=link, pool=pool).verdict is Verdict.PASS
    [client] = pool.started
    assert [params["context"] for method, params in client.asked if method == "open"] == [link.id] * 2


def test_a_crowd_of_one_implementation_is_one_process() -> None:
    names: list[list[str]] = []

    def check(peers: Crowd) -> None:
        names.append([peer.implementation for peer in peers.right(3)])

    pool = MemoryPool("a", "b")
    attempt(check, of=cell(left=MIXED, right="b"), pool=pool)
    assert names == [["b", "b", "b"]]
    assert len(pool.started) == 1


def test_a_mixed_crowd_takes_the_implementations_in_turn() -> None:
    names: list[list[str]] = []

    def check(peers: Crowd) -> None:
        names.append([peer.implementation for peer in peers.left(3)])

    attempt(check, of=cell(left=MIXED, right="b"), pool=MemoryPool("a", "b"))
    assert names == [["a", "b", "a"]]


# Closing.


def test_every_socket_is_closed_after_a_check_however_it_ended() -> None:
    pool = MemoryPool()

    def check(left: Peer, right: Peer, link: Link) -> None:
        opening(left, right, link)
        raise AssertionError

    attempt(opening, pool=pool)
    attempt(check, pool=pool)
    assert [client.open for client in pool.started] == [set(), set()]
    assert [client.killed for client in pool.started] == [False, False], "good peers are kept for the next cell"


def test_a_peer_that_keeps_something_open_fails_the_cell_and_is_thrown_away() -> None:
    pool = MemoryPool(handlers={"two": {"stats": lambda params: {"result": {"sockets": 1, "contexts": 0}}}})
    outcome = attempt(opening, pool=pool)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.reason == "two: after closing everything the peer still has 1 sockets open"
    assert [client.killed for client in pool.started] == [True, True]
    assert pool.running() == []


@pytest.mark.parametrize(
    ("ending", "closing", "verdict"),
    [
        (None, PeerHang("in close"), "hang"),
        (None, PeerFault("in close"), "fail"),
        (AssertionError("in check"), PeerHang("in close"), "hang"),
        (AssertionError("in check"), PeerCrash("in close"), "crash"),
        (PeerHang("in check"), PeerFault("in close"), "hang"),
        (Unsupported("in check"), PeerCrash("in close"), "crash"),
    ],
)
def test_the_worse_of_check_and_closing_is_the_verdict(
    ending: Exception | None, closing: PeerFault, verdict: str
) -> None:
    def check(left: Peer, right: Peer, link: Link) -> None:
        opening(left, right, link)
        if ending is not None:
            raise ending

    pool = MemoryPool(handlers={"one": {"close": failing(closing)}})
    assert attempt(check, pool=pool).verdict == verdict
    assert all(client.killed for client in pool.started)


def test_a_wrong_message_is_reported_rather_than_its_leftovers() -> None:
    pool = MemoryPool(handlers={"two": {"stats": lambda params: {"result": {"sockets": 1, "contexts": 1}}}})
    assert attempt(raising(AssertionError("wrong frame")), pool=pool).reason == "wrong frame"


@pytest.mark.parametrize("exception", [PeerCrash("x"), PeerHang("x"), ContractBreach("x")])
def test_a_peer_that_broke_the_channel_is_thrown_away(exception: PeerFault) -> None:
    def check(left: Peer) -> None:
        left.client.call("stats")

    pool = MemoryPool(handlers={"one": {"stats": failing(exception)}})
    assert attempt(check, pool=pool).error is exception
    assert [client.killed for client in pool.started] == [True]


def test_a_known_issue_may_ask_for_the_version_of_libzmq_below_a_peer() -> None:
    def check(left: Peer, right: Peer) -> None:
        left.library, right.library = "libzmq 4.3.4", "something of its own 1.0"

    assert attempt(check).versions == {"one": "one-1.0", "one/libzmq": "4.3.4", "two": "two-1.0"}


def test_an_outcome_says_who_played_how_long_and_what_they_logged() -> None:
    outcome = attempt(raising(AssertionError()))
    assert outcome.peers == ["one one-1.0 (memory, none, any/any)", "two two-1.0 (memory, none, any/any)"]
    assert outcome.versions == {"one": "one-1.0", "two": "two-1.0"}
    assert list(outcome.logs.values()) == ["one says hello", "two says hello"]
    assert outcome.seconds > 0


def test_the_logs_of_both_sides_are_kept_even_of_one_implementation() -> None:
    outcome = attempt(raising(AssertionError()), of=cell(right="one"))
    assert list(outcome.logs.values()) == ["one says hello"] * 2


# Known issues.


def test_a_failure_that_is_expected_is_known() -> None:
    outcome = judged(raising(AssertionError("wrong frame")), issue())
    assert outcome.verdict is Verdict.KNOWN
    assert outcome.issue is not None
    assert (outcome.issue.name, outcome.reason, outcome.blame) == ("an-issue", "wrong frame", "")


def test_a_known_failure_that_passes_is_fixed() -> None:
    outcome = judged(opening, issue())
    assert outcome.verdict is Verdict.FIXED
    assert outcome.reason == "known issue 'an-issue' did not happen: remove or narrow its entry"
    assert outcome.blame == ""


def test_a_failure_of_another_kind_than_expected_is_news() -> None:
    outcome = judged(raising(PeerCrash("x")), issue(Verdict.FAIL))
    assert (outcome.verdict, outcome.issue) == (Verdict.CRASH, None)
    assert outcome.blame


def test_an_issue_of_other_cells_changes_nothing() -> None:
    assert judged(raising(AssertionError()), issue(cells="*/ipc/*/*/*")).verdict is Verdict.FAIL
    assert judged(opening, issue(cells="*/ipc/*/*/*")).verdict is Verdict.PASS


def test_an_issue_of_another_version_changes_nothing() -> None:
    when = Condition("nobody")
    assert judged(raising(AssertionError()), issue(when=when)).verdict is Verdict.FAIL


def test_what_is_unsupported_is_neither_known_nor_fixed() -> None:
    assert judged(raising(Unsupported("no such thing")), issue()).verdict is Verdict.UNSUPPORTED


def late(left: Peer) -> None:
    """Check something that takes longer than the patience with a hopeless cell."""
    assert left.client.patience > judge.KNOWN_PATIENCE, "timeout"


def test_a_hopeless_cell_is_not_waited_for_as_long_as_others() -> None:
    assert judged(late, issue()).verdict is Verdict.KNOWN


def impatient(left: Peer) -> None:
    """Check something whose answers take longer than an expected hang is waited for."""
    assert left.client.grace > 2 * judge.KNOWN_PATIENCE


@pytest.mark.parametrize(("verdict", "seen"), [(Verdict.FAIL, Verdict.FIXED), (Verdict.HANG, Verdict.FAIL)])
def test_only_an_expected_hang_shortens_the_time_for_an_answer(verdict: Verdict, seen: Verdict) -> None:
    """A slow machine must not turn another known failure into a hang."""
    pool = MemoryPool()
    pool.patience = 10
    assert judged(impatient, issue(verdict), pool=pool).verdict is seen


def test_a_cell_that_only_sometimes_fails_is_waited_for_as_ever() -> None:
    assert judged(late, replace(issue(), sometimes=True)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "when",
    [Condition(os=("elsewhere",)), Condition("nobody"), Condition("one", SpecifierSet("<1"))],
    ids=["system", "implementation", "version"],
)
def test_a_cell_is_waited_for_as_ever_where_its_issue_does_not_hold(when: Condition) -> None:
    """A message that comes late on a busy machine must not make news of a repaired library."""
    assert judged(late, issue(when=when)).verdict is Verdict.PASS


# Blame.


def fails_for(*names: str) -> Check:
    """Return a check that fails where one of these implementations plays."""

    def check(left: Peer, right: Peer) -> None:
        assert not {left.implementation, right.implementation} & set(names)

    return check


def only_together(left: Peer, right: Peer) -> None:
    assert left.implementation == right.implementation


@pytest.mark.parametrize(
    ("check", "start"),
    [
        (fails_for("one"), "one: it fails with itself too"),
        (fails_for("two"), "two: it fails with itself too"),
        (fails_for("one", "two"), "both one and two"),
        (only_together, "the combination: "),
    ],
    ids=["left", "right", "both", "combination"],
)
def test_the_one_that_fails_with_itself_is_blamed(check: Check, start: str) -> None:
    outcome = judged(check)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.blame.startswith(start)


def test_a_failure_with_itself_is_repeated_once() -> None:
    played: list[str] = []

    def check(left: Peer, right: Peer) -> None:
        played.append(f"{left.implementation}>{right.implementation}")
        assert len(played) > 1

    outcome = judged(check, of=cell(right="one"))
    assert (outcome.verdict, played) == (Verdict.FAIL, ["one>one", "one>one"])
    assert outcome.blame == "nobody yet: one passed when it was repeated"


def test_a_pass_is_not_repeated() -> None:
    played: list[Cell] = []

    def check(cell: Cell) -> None:
        played.append(cell)

    assert judged(check).blame == ""
    assert played == [cell()]


def test_a_mixed_cell_blames_nobody() -> None:
    def check(peers: Crowd) -> None:
        raise AssertionError

    outcome = judged(check, of=cell("crowd", left=MIXED), pool=MemoryPool("one", "two"))
    assert (outcome.verdict, outcome.blame) == (Verdict.FAIL, "")
