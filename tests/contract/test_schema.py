"""The schema is a valid one, and it says what CONTRACT.md says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.contract.schema import PEERS, document, wrongs

CONTRACT = (PEERS / "CONTRACT.md").read_text(encoding="utf-8")
METHODS = [
    *("hello", "open", "bind", "connect", "unbind", "disconnect", "set", "get", "send", "recv", "close"),
    *("stats", "dump", "quit"),
    *("echo", "flood", "pace", "drain", "ping", "proxy"),
    *("timer", "term", "monitor", "events", "zap", "keypair", "swarm", "share", "steer"),
    *("callers", "abandon", "tune", "beside", "runtime"),
]


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(document())


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(document())))
    assert names <= document()["$defs"].keys()


@pytest.mark.parametrize("method", METHODS)
def test_it_knows_each_method_of_the_contract(method: str) -> None:
    assert f"`{method}`" in CONTRACT
    assert document()["$defs"].keys() >= {f"params_{method}", f"request_{method}", f"result_{method}"}


def test_it_knows_no_method_that_the_contract_does_not() -> None:
    known = {name.removeprefix("params_") for name in document()["$defs"] if name.startswith("params_")}
    assert [method for method in known if f"`{method}`" not in CONTRACT] == []


def test_it_has_the_error_names_of_the_contract() -> None:
    named = re.findall(r"^\| `(\w+)` \|", CONTRACT, re.MULTILINE)
    failed = document()["$defs"]["error_failed"]["properties"]["data"]["properties"]["name"]["enum"]
    assert sorted(set(named) & set(failed)) == sorted(failed)


def test_the_hello_of_the_contract_fits() -> None:
    [example] = re.findall(r"```json\n(.*?)```", CONTRACT, re.DOTALL)
    assert wrongs("result_hello", json.loads(example)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("params_recv", {"socket": 1, "count": 1, "timeout": 0}),
        ("params_recv", {"socket": 1, "size": 10, "timeout": 2.5, "inline": 0}),
        ("params_send", {"socket": 1, "messages": [["a", {"base64": "/w=="}, {"size": 1, "seed": 2}]], "via": "x"}),
        ("params_open", {"type": "PULL", "bind": ["tcp://127.0.0.1:*"], "options": {"LINGER": 0}}),
        ("params_flood", {"socket": 1, "count": 1, "size": 24, "stamp": True}),
        ("params_pace", {"socket": 1, "count": 1, "size": 16, "rate": 1, "stamp": False}),
        ("result_callers", {"answered": 0, "errors": {"timeout": 2}, "ns": 0, "hdr": "HISTFAAAAB14"}),
        ("message_out", ["a", {"base64": "/w=="}, {"size": 1, "sha256": "0" * 64}]),
        ("failure", {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no JSON"}}),
    ],
)
def test_what_the_contract_allows_fits(name: str, value: Any) -> None:
    assert wrongs(name, value) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("params_recv", {"socket": True}),
        ("params_recv", {"socket": 1, "timeout": -1}),
        ("params_recv", {"socket": 1, "made_up": 1}),
        ("params_recv", {"count": 1}),
        ("params_send", {"socket": 1, "messages": [[{"size": 1, "sha256": "0" * 64}]]}),
        ("params_flood", {"socket": 1, "count": 1, "size": 15}),
        ("params_flood", {"socket": 1, "count": 1, "size": 23, "stamp": True}),
        ("params_pace", {"socket": 1, "count": 1, "size": 23, "rate": 1, "stamp": True}),
        ("params_ping", {"socket": 1, "count": 1, "size": 24, "stamp": True}),
        ("result_callers", {"answered": 0, "errors": {"bad": 2}, "ns": 0, "hdr": "HISTFAAAAB14"}),
        ("result_ping", {"count": 0, "wrong": 0, "ns": 0, "jitter_ns": 0, "hdr": "AAAA"}),
        ("message_out", [{"size": 1, "seed": 2}]),
        ("message_out", [{"size": 1, "sha256": "A" * 64}]),
        ("message_out", [{"base64": "_w=="}]),
        ("failure", {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "no", "data": {"name": "bad"}}}),
        ("failure", {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "no"}}),
        ("failure", {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "no"}}),
        ("success_close", {"jsonrpc": "2.0", "id": 1, "result": {"closed": 1}}),
        ("success_close", {"jsonrpc": "2.0", "id": None, "result": {}}),
    ],
)
def test_what_the_contract_forbids_does_not_fit(name: str, value: Any) -> None:
    assert wrongs(name, value) != []
