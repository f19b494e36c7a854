"""Frames: however a frame's content is known, equal contents are equal and different ones are told apart."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.frames import (
    BLOCK_SIZE,
    Content,
    Frame,
    Message,
    Recipe,
    first_difference,
    frame,
    message_from_wire,
    message_to_wire,
)

RECIPES = st.builds(Recipe, st.integers(0, 20_000), st.integers(0, 2**32))
CONTENTS = st.one_of(st.text(), st.binary(), RECIPES)
DIGEST = hashlib.sha256(b"abc").hexdigest()


def content_of(content: Content) -> bytes:
    if isinstance(content, str):
        return content.encode()
    return content.make() if isinstance(content, Recipe) else bytes(content)  # type: ignore[arg-type]


def digest_of(data: bytes) -> Frame:
    return Frame(size=len(data), sha256=hashlib.sha256(data).hexdigest())


@given(st.lists(st.one_of(st.text(), st.binary())))
def test_a_message_of_known_bytes_survives_the_wire(message: list[Content]) -> None:
    assert message_from_wire(message_to_wire(message)) == message


@given(st.text())
def test_valid_utf8_travels_as_text(text: str) -> None:
    assert frame(text.encode()).to_wire() == text


def test_other_bytes_travel_as_base64() -> None:
    assert frame(b"\xff\x00").to_wire() == {"base64": "/wA="}


def test_a_recipe_travels_as_a_recipe() -> None:
    assert frame(Recipe(5, 3)).to_wire() == {"size": 5, "seed": 3}


@given(CONTENTS)
def test_content_equals_itself_in_every_form(content: Content) -> None:
    data = content_of(content)
    forms = [frame(content), frame(data), digest_of(data)]
    assert all(one == other and hash(one) == hash(other) for one in forms for other in forms)
    assert all(form == content and form == data for form in forms)


@given(CONTENTS, CONTENTS)
def test_forms_are_equal_exactly_where_contents_are(one: Content, other: Content) -> None:
    expected = content_of(one) == content_of(other)
    assert (frame(one) == frame(other)) is expected
    assert (digest_of(content_of(one)) == other) is expected


def test_a_frame_equals_nothing_that_is_no_content() -> None:
    assert frame("1") != 1
    assert frame("") != None  # noqa: E711 - the comparison itself is meant


@given(st.lists(CONTENTS, max_size=4))
def test_a_message_equals_lists_and_tuples_of_its_contents(contents: list[Content]) -> None:
    message = Message(frame(content) for content in contents)
    assert message == contents
    assert message == tuple(contents)
    assert message != [*contents, ""]


def test_the_recipe_vector_of_the_contract_holds() -> None:
    # CONTRACT.md, section 2.
    assert Recipe(8, 7).make() == bytes.fromhex("f5ff61d7b533cd73")
    assert frame(Recipe(100_000, 7)).sha256 == "a688504d6d6c34ef98b79dd89db85a755c7cdc399ccf8626c51454173a1469e4"


@given(RECIPES)
def test_a_recipe_repeats_its_block_and_is_cut_to_its_size(recipe: Recipe) -> None:
    block = b"".join(hashlib.sha256(f"{recipe.seed}:{i}".encode()).digest() for i in range(129))[:4099]
    assert recipe.make() == (block * 6)[: recipe.size]


def test_swapped_chunks_change_a_recipes_digest() -> None:
    data = Recipe(1 << 17, 1).make()
    for shift in range(8, 16):
        size = 1 << shift
        swapped = data[size : 2 * size] + data[:size] + data[2 * size :]
        assert frame(swapped) != frame(data), f"chunks of {size} bytes"


@given(RECIPES, st.integers(0, 3 * BLOCK_SIZE))
def test_a_head_is_the_start_of_the_content(recipe: Recipe, size: int) -> None:
    assert frame(recipe).head(size) == recipe.make()[:size]
    assert frame(recipe.make()).head(size) == recipe.make()[:size]


def test_a_digest_from_the_wire_equals_its_content() -> None:
    assert message_from_wire([{"size": 3, "sha256": DIGEST}]) == ["abc"]
    assert message_from_wire([{"size": 4, "sha256": DIGEST}]) != ["abc"]


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (None, "must be a list"),
        ("text", "must be a list"),
        ({"base64": ""}, "must be a list"),
        ([1], "not a frame"),
        ([None], "not a frame"),
        ([["nested"]], "not a frame"),
        ([{}], "not a frame"),
        ([{"base64": 1}], "not a frame"),
        ([{"base64": "AA==", "size": 1}], "not a frame"),
        ([{"size": 3}], "not a frame"),
        ([{"size": "3", "sha256": DIGEST}], "not a frame"),
        ([{"size": 3, "seed": 1}], "not a frame"),
        ([{"base64": "A"}], "damaged"),
        ([{"base64": "####"}], "damaged"),
        ([{"base64": "AA"}], "damaged"),
    ],
)
def test_damaged_wire_is_refused_with_its_reason(wire: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        message_from_wire(wire)


@given(st.lists(CONTENTS, max_size=4), st.lists(CONTENTS, max_size=4))
def test_a_difference_is_named_exactly_where_messages_differ(one: list[Content], other: list[Content]) -> None:
    equal = [content_of(c) for c in one] == [content_of(c) for c in other]
    assert (first_difference(one, other) == "") is equal


@pytest.mark.parametrize(
    ("received", "expected", "said"),
    [
        (["a"], ["a", "b"], "1 frames received, 2 expected"),
        (["a", "b"], ["a"], "2 frames received, 1 expected"),
        (["abc"], ["abd"], "frame 0: received 'abc', expected 'abd' (first different byte: 2)"),
        (["x", "ab"], ["x", "abc"], "frame 1: received 'ab', expected 'abc' (first different byte: 2)"),
        (["x"], ["y", "z"], "1 frames received, 2 expected; frame 0: received 'x', expected 'y'"),
        ([b"\xff"], [b"\xfe"], "frame 0: received b'\\xff', expected b'\\xfe' (first different byte: 0)"),
        ([Recipe(8, 7).make()], [Recipe(8, 8)], "(first different byte: 0)"),
    ],
)
def test_the_first_difference_is_said_in_one_line(received: list[Content], expected: list[Content], said: str) -> None:
    assert said in first_difference(received, expected)
    assert "\n" not in first_difference(received, expected)


def test_a_digest_differs_without_a_byte_to_point_at() -> None:
    said = first_difference([digest_of(b"abc")], ["abd"])
    assert said.startswith("frame 0: received <3 bytes sha256 ")
    assert "first different byte" not in said


def test_long_frames_are_shown_short() -> None:
    assert len(repr(frame(b"x" * 10_000))) < 120
    assert "10000 bytes" in repr(frame(b"x" * 10_000))
    assert repr(frame("short ✓")) == "'short ✓'"
