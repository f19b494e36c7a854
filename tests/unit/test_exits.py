"""Exit codes are said in words."""

from __future__ import annotations

import pytest

from harness.peers.client import describe_exit


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (-9, "signal 9"),
        (0xC0000135, "exit code 0xC0000135 (a DLL was not found)"),
        (0xC0001234, "exit code 0xc0001234"),
    ],
)
def test_an_exit_code_is_said_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
