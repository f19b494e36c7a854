"""The ZMTP codec: what each revision looks like, what breaks it, and that no bytes and no slicing can upset it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.wire import commands
from harness.wire.commands import (
    Error,
    Group,
    Hello,
    Malformed,
    Opaque,
    Ping,
    Pong,
    Ready,
    Subscription,
    Welcome,
)
from harness.wire.zmtp import (
    COMMAND,
    LONG,
    MORE,
    Broken,
    Command,
    Decoder,
    Event,
    Frame,
    Greeting,
    Identity,
    OldGreeting,
    encode,
    revision,
)

NULL = encode([Greeting(0)])
PUSH = b"\x0bSocket-Type\x00\x00\x00\x04PUSH"


def decoded(data: bytes, *, against: int | None = None, ended: bool = False, keep: int | None = None) -> list[Event]:
    decoder = Decoder(against, keep)
    return [*decoder.feed(data), *(decoder.end() if ended else ())]


def sliced(data: bytes, cuts: Iterable[int]) -> list[Event]:
    """Decode data that comes in pieces."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    decoder = Decoder()
    events = [event for start, end in itertools.pairwise(places) for event in decoder.feed(data[start:end])]
    return events + decoder.end()


def after_greeting(data: bytes, *, ended: bool = False) -> list[Event]:
    """Decode what comes behind a greeting of 3.1, with offsets that begin there."""
    greeting, *events = decoded(NULL + data, ended=ended)
    assert isinstance(greeting, Greeting)
    return events


# Greetings.


def test_a_greeting_tells_version_mechanism_and_role() -> None:
    (greeting,) = decoded(encode([Greeting(0, (3, 0), b"CURVE".ljust(20, b"\0"), 1)]))
    assert isinstance(greeting, Greeting)
    assert (greeting.version, greeting.mechanism, greeting.as_server) == ((3, 0), "CURVE", 1)


def test_a_greeting_is_64_octets_and_nothing_is_told_before_the_last() -> None:
    assert len(NULL) == 64
    assert decoded(NULL[:63]) == []
    assert decoded(NULL) == [Greeting(0)]


@pytest.mark.parametrize(
    ("first", "found"),
    [
        (b"", None),
        (b"\xff", None),
        (b"\xff" + bytes(8), None),
        (b"\xff" + bytes(8) + b"\x7f", None),
        (b"\x01\x00", 0),
        (b"\xff" + bytes(7) + b"\x01\x00", 0),
        (b"\xff" + bytes(8) + b"\x7f\x01", 1),
        (NULL[:11], 3),
    ],
    ids=repr,
)
def test_the_first_octets_tell_the_revision(first: bytes, found: int | None) -> None:
    assert revision(first) == found


def test_zmtp_2_introduces_itself_with_socket_type_and_identity() -> None:
    said = b"\xff" + bytes(8) + b"\x7f\x01\x05" + b"\x00\x02me" + b"\x01\x01a" + b"\x02" + bytes(7) + b"\x01b"
    greeting, identity, *frames = decoded(said)
    assert isinstance(greeting, OldGreeting)
    assert greeting.socket_type == "DEALER"
    assert isinstance(identity, Identity)
    assert identity.body == b"me"
    assert frames == [Frame(16, MORE, False, 1, b"a"), Frame(19, LONG, True, 1, b"b")]
    assert encode([greeting, identity, *frames]) == said


def test_zmtp_3_against_2_speaks_as_2_does() -> None:
    said = b"\xff" + bytes(8) + b"\x7f\x03\x07" + b"\x00\x00"
    assert decoded(said, against=1) == [OldGreeting(0, 3, 7), Identity(12, 0, False, 0, b"")]


def test_zmtp_1_begins_with_an_identity_and_counts_the_flags() -> None:
    said = b"\x03\x00me" + b"\x02\x01a" + b"\x01\x00"
    events = decoded(said)
    assert events == [Identity(0, 0, False, 2, b"me"), Frame(4, MORE, False, 1, b"a"), Frame(7, 0, False, 0, b"")]
    assert encode(events) == said


def test_a_signature_is_a_long_identity_to_zmtp_1() -> None:
    said = b"\xff" + bytes(7) + b"\x03\x7fme" + b"\x01\x00"
    events = decoded(said, against=0)
    assert events == [Identity(0, 0x7F, True, 2, b"me"), Frame(12, 0, False, 0, b"")]
    assert encode(events) == said


def test_a_frame_of_length_0_cannot_be_zmtp_1() -> None:
    events = decoded(b"\x01\x00" + b"\x00" + b"\x02\x00a", ended=True)
    assert events[1:] == [Broken(2, "a frame of length 0, which has not even flags (13/ZMTP)")]


# Frames.


@pytest.mark.parametrize("size", [0, 1, 255, 256, 70_000])
def test_frames_are_long_from_256_bytes_on(size: int) -> None:
    body = bytes(size)
    octets = encode([Frame.of(body, more=True)])
    assert octets[0] == MORE | (LONG if size > 255 else 0)
    (frame,) = after_greeting(octets)
    assert isinstance(frame, Frame)
    assert (frame.body, frame.size, frame.more, frame.long) == (body, size, True, size > 255)


def test_a_short_frame_in_long_form_stays_one() -> None:
    octets = NULL + b"\x02" + bytes(7) + b"\x01x"
    assert encode(decoded(octets)) == octets


def test_a_limit_keeps_the_beginning_of_a_body_and_counts_the_rest() -> None:
    octets = NULL + encode([Frame.of(b"abcdef"), Frame.of(b"xy")])
    assert decoded(octets, keep=4)[1:] == [Frame(64, 0, False, 6, b"abcd"), Frame(72, 0, False, 2, b"xy")]
    with pytest.raises(ValueError, match="only 4 of a frame's 6 bytes"):
        encode(decoded(octets, keep=4))


# Commands.


@pytest.mark.parametrize(
    ("name", "data", "meaning"),
    [
        (b"READY", PUSH + b"\x01X\x00\x00\x00\x00", Ready((("Socket-Type", b"PUSH"), ("X", b"")))),
        (b"READY", b"", Ready(())),
        (b"INITIATE", PUSH, Ready((("Socket-Type", b"PUSH"),))),
        (b"ERROR", b"\x02no", Error(b"no")),
        (b"SUBSCRIBE", b"a", Subscription(b"a")),
        (b"CANCEL", b"", Subscription(b"")),
        (b"JOIN", b"g", Group(b"g")),
        (b"LEAVE", b"g", Group(b"g")),
        (b"PING", b"\x00\x0ahey", Ping(10, b"hey")),
        (b"PONG", b"hey", Pong(b"hey")),
        (b"HELLO", b"\x02me\x06secret", Hello(b"me", b"secret")),
        (b"WELCOME", b"", Welcome()),
        (b"MADE-UP", b"anything", Opaque()),
    ],
)
def test_a_command_means_something(name: bytes, data: bytes, meaning: commands.Meaning) -> None:
    command = Command.make(name, data)
    (found,) = after_greeting(encode([command]))
    assert isinstance(found, Command)
    assert (found.name, found.data, found.meaning) == (name, data, meaning)
    assert found.flags & COMMAND


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        (b"READY", b"\x0bSocket", "a property's name of 11 bytes, of which 6 are there"),
        (b"READY", b"\x01X\x00\x00", "the value of X has no size"),
        (b"READY", b"\x01X\x00\x00\x00\x09abc", "the value of X of 9 bytes, of which 3 are there"),
        (b"READY", b"\x00\x00\x00\x00\x00", "a property without a name"),
        (b"READY", b"\x01 \x00\x00\x00\x00", "other than letters"),
        (b"ERROR", b"", "the reason has no size"),
        (b"ERROR", b"\x01no", "1 bytes behind the reason"),
        (b"PING", b"\x00", "no time to live"),
        (b"PING", bytes(19), "a context of 17 bytes"),
        (b"PONG", bytes(17), "a context of 17 bytes"),
        (b"HELLO", b"\x02me", "the password has no size"),
        (b"HELLO", b"\x00\x00more", "4 bytes behind the password"),
        (b"WELCOME", b"x", "1 bytes where there are none"),
    ],
)
def test_a_command_that_breaks_its_grammar_is_told_and_the_next_frame_is_read(
    name: bytes, data: bytes, says: str
) -> None:
    octets = encode([Command.make(name, data), Frame.of(b"next")])
    command, broken, frame = after_greeting(octets)
    assert isinstance(command, Command)
    assert isinstance(command.meaning, Malformed)
    assert isinstance(broken, Broken)
    assert says in broken.reason
    assert (broken.offset, broken.fatal) == (64, False)
    assert isinstance(frame, Frame)
    assert frame.body == b"next"


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x05PI"], ids=repr)
def test_a_command_without_a_whole_name_is_told(body: bytes) -> None:
    events = after_greeting(bytes([COMMAND, len(body)]) + body)
    assert Broken(64, "a command without a name", fatal=False) in events


def test_what_a_mechanism_encrypts_is_not_read() -> None:
    greeting = Greeting(0, mechanism_octets=b"CURVE".ljust(20, b"\0"))
    _, command = decoded(encode([greeting, Command.make(b"READY", b"\xff\xff\xff")]))
    assert isinstance(command, Command)
    assert command.meaning == Opaque()


def test_the_names_of_metadata_have_no_case() -> None:
    assert Ready((("sOcket-tYpe", b"PUB"),)).get("Socket-Type") == b"PUB"
    assert Ready(()).get("Socket-Type") is None


# What breaks it.


@pytest.mark.parametrize(
    ("octets", "broken"),
    [
        (b"\x08", "reserved flags are set: 0x08"),
        (b"\x02\x80" + bytes(7), "a frame of 9223372036854775808 bytes; 2^63 - 1 is the most"),
    ],
)
def test_after_a_header_that_cannot_be_nothing_more_is_read(octets: bytes, broken: str) -> None:
    good = encode([Frame.of(b"x")])
    assert after_greeting(good + octets + good, ended=True) == [Frame(64, 0, False, 1, b"x"), Broken(67, broken)]


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"\x00", "ends within a frame's header, after 1 bytes of it"),
        (b"\x00\x05ab", "ends within a frame: 3 of a frame's 5 bytes are missing"),
        (b"\x01\x00", "ends within a message: its last frame promised more"),
    ],
)
def test_an_end_in_the_middle_is_told(octets: bytes, says: str) -> None:
    last = after_greeting(octets, ended=True)[-1]
    assert isinstance(last, Broken)
    assert last.reason == says


def test_an_end_within_the_greeting_is_told() -> None:
    assert decoded(NULL[:20], ended=True) == [Broken(0, "ends within the greeting, after 20 bytes of it")]
    assert decoded(b"", ended=True) == []


def test_oddities_of_a_greeting_are_told_and_harm_nothing() -> None:
    greeting = Greeting(0, mechanism_octets=b"null".ljust(20, b"\0"), as_server=7, footer=0x01)
    events = decoded(encode([greeting, Frame.of(b"x")]))
    assert [event.offset for event in events if isinstance(event, Broken) and not event.fatal] == [9, 12, 32]
    assert events[-1] == Frame(64, 0, False, 1, b"x")


def test_a_command_with_more_is_told() -> None:
    octets = bytearray(encode([Command.make(b"PING", b"\0\0")]))
    octets[0] |= MORE
    assert Broken(64, "a command with the MORE flag", fatal=False) in after_greeting(bytes(octets))


def test_what_is_broken_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="cannot be encoded: odd"):
        encode([Broken(0, "odd")])


# Any bytes, any slicing.


def frame_of(body: bytes, more: bool, long: bool) -> Frame:
    long = long or len(body) > 255
    return Frame(0, MORE * more | LONG * long, long, len(body), body)


def damage(data: bytes, hits: list[tuple[int, int]]) -> bytes:
    """Overwrite some octets."""
    octets = bytearray(data)
    for at, octet in hits:
        octets[at % len(octets)] = octet
    return bytes(octets)


frames = st.builds(frame_of, st.binary(max_size=300), st.booleans(), st.booleans())
said = st.builds(
    Command.make,
    st.sampled_from([b"READY", b"ERROR", b"PING", b"PONG", b"SUBSCRIBE", b"HELLO", b"WELCOME", b"MADE-UP"]),
    st.binary(max_size=300) | st.just(PUSH),
)
greetings = st.builds(
    Greeting,
    st.just(0),
    st.tuples(st.integers(3, 255), st.integers(0, 255)),
    st.sampled_from([b"NULL", b"PLAIN", b"CURVE", b"\xff odd"]).map(lambda name: name.ljust(20, b"\0")),
    st.integers(0, 255),
    st.binary(min_size=8, max_size=8),
    st.integers(0, 127).map(lambda octet: 2 * octet + 1),
    st.binary(min_size=31, max_size=31),
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Event]:
    return [draw(greetings), *draw(st.lists(frames | said, max_size=8))]


hits = st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4)
damaged = st.builds(damage, conversations().map(encode), hits)
anything = st.binary(max_size=400) | st.binary(max_size=400).map(lambda rest: NULL + rest) | damaged


@settings(deadline=None)
@given(anything, st.lists(st.integers(0), max_size=12))
def test_any_bytes_give_the_same_events_however_they_are_sliced(data: bytes, cuts: list[int]) -> None:
    whole = sliced(data, [])
    assert sliced(data, cuts) == whole
    assert sliced(data, range(len(data))) == whole


@settings(deadline=None)
@given(conversations())
def test_what_is_encoded_is_decoded_and_encoded_again(events: list[Event]) -> None:
    octets = encode(events)
    told = [event for event in decoded(octets) if not isinstance(event, Broken)]
    assert [type(event) for event in told] == [type(event) for event in events]
    assert encode(told) == octets


@settings(deadline=None)
@given(anything, st.sampled_from([None, 0, 1, 3]))
def test_whatever_is_not_broken_encodes_to_the_bytes_it_came_from(data: bytes, against: int | None) -> None:
    events = list(itertools.takewhile(lambda event: not isinstance(event, Broken), decoded(data, against=against)))
    assert data.startswith(encode(events))


@settings(deadline=None)
@given(anything, st.integers(0, 64))
def test_a_limit_changes_bodies_and_nothing_else(data: bytes, keep: int) -> None:
    def outline(events: list[Event]) -> list[object]:
        return [
            (event.offset, event.flags, event.size, event.body[:keep]) if isinstance(event, Frame) else event
            for event in events
            if not isinstance(event, Broken) or event.fatal
        ]

    assert outline(decoded(data, keep=keep)) == outline(decoded(data))


def test_a_copied_decoder_goes_on_by_itself() -> None:
    decoder = Decoder()
    decoder.feed(NULL + b"\x00\x04ab")
    twin = copy.deepcopy(decoder)
    assert twin.feed(b"cd") == [Frame(64, 0, False, 4, b"abcd")]
    assert decoder.feed(b"xy") == [Frame(64, 0, False, 4, b"abxy")]
