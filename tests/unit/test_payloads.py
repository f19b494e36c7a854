"""Payload classes are what their names say."""

from __future__ import annotations

import pytest

from harness.model.frames import frame
from harness.model.payloads import PAYLOADS, Body, Payload

ROWS = pytest.mark.parametrize("row", PAYLOADS.values(), ids=list(PAYLOADS))
QUICK = pytest.mark.parametrize("row", [row for row in PAYLOADS.values() if not row.slow], ids=lambda row: row.name)


def sizes(body: Body) -> list[int]:
    return [frame(part).size for part in body]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty", [0]),
        ("1-byte", [1]),
        ("255-bytes", [255]),
        ("256-bytes", [256]),
        ("64k-minus-1", [65_535]),
        ("64k", [65_536]),
        ("1m", [1_048_576]),
        ("64m", [67_108_864]),
        ("empty-front", [0, 2, 1]),
        ("empty-middle", [2, 0, 1]),
        ("empty-end", [2, 1, 0]),
        ("all-bytes", [256]),
    ],
)
def test_a_class_has_the_frame_sizes_of_its_name(name: str, expected: list[int]) -> None:
    assert sizes(PAYLOADS[name].body(0)) == expected
    assert sizes(PAYLOADS[name].body(1)) == expected


def test_multipart_has_several_frames() -> None:
    assert len(PAYLOADS["multipart"].body(0)) > 1


def test_1000_frames_are_1000_different_frames() -> None:
    assert len({frame(part) for part in PAYLOADS["1000-frames"].body(0)}) == 1000


def test_all_bytes_holds_each_byte_once() -> None:
    for number in (0, 1, 255, 256):
        [body] = PAYLOADS["all-bytes"].body(number)
        assert isinstance(body, bytes)
        assert sorted(body) == list(range(256))


def test_utf8_goes_beyond_ascii_and_into_four_bytes() -> None:
    texts = "".join(str(part) for number in range(4) for part in PAYLOADS["utf8"].body(number))
    assert {len(sign.encode()) for sign in texts} == {1, 2, 3, 4}


@QUICK
def test_messages_of_one_burst_differ_where_the_class_lets_them(row: Payload) -> None:
    one, other = ([frame(part) for part in row.body(number)] for number in (0, 1))
    assert (one != other) is (row.name != "empty")


@QUICK
def test_no_message_is_much_larger_than_its_class_says(row: Payload) -> None:
    assert sum(sizes(row.body(1))) <= max(1.5 * row.size, 256)


@ROWS
def test_a_class_says_why_it_is_there(row: Payload) -> None:
    assert row.why
    assert PAYLOADS[row.name] is row


@ROWS
def test_a_name_fits_into_a_cell_id(row: Payload) -> None:
    assert not set("/>[]* ") & set(row.name)


def test_only_large_messages_are_slow() -> None:
    assert [row.name for row in PAYLOADS.values() if row.slow] == ["64m"]
