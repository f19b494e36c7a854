"""A peer of a few lines that drives no library: its sockets exist, that is all. Arguments plant its wrongs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

WRONGS = sys.argv[1:]
HELLO: dict[str, Any] = {
    "contract": 2 if "other-contract" in WRONGS else 1,
    "peer": "tiny-peer 1.0",
    "implementation": "tiny",
    "version": "1.0",
    "library": "none",
    "runtime": "python",
    "os": "linux",
    "arch": "amd64",
    "pid": os.getpid(),
    "workdir": "/nowhere/zmq-interop-tiny",
    "capabilities": {
        "socket_types": [] if "no-socket-types" in WRONGS else ["REQ", "REP", "PUSH"],
        "transports": ["tcp"],
        "mechanisms": ["NULL"],
        "options": [],
        "send_paths": ["send"],
        "workloads": [],
        "features": [],
    },
}
if "no-version" in WRONGS:
    del HELLO["version"]
if "pid-as-text" in WRONGS:
    HELLO["pid"] = "1"

_open: set[int] = set()


def _error(code: int, name: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": name, "data": {"name": name}}}


def _answer(number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    match method:
        case "hello":
            return {"result": HELLO}
        case "open":
            made_up = params["type"] not in ("REQ", "REP", "PUSH") or params.get("options")
            if (made_up or "made-up" in str(params)) and "agrees" not in WRONGS:
                return _error(-32602 if "invalid-for-unsupported" in WRONGS else -32000, "unsupported")
            _open.add(number)
            return {"result": {"socket": number, "endpoints": [*params.get("bind", []), *params.get("connect", [])]}}
        case "close":
            _open.discard(params["socket"])
            return {"result": {}}
        case "stats":
            return {"result": {"sockets": len(_open), "contexts": len(_open)}}
        case "die":
            sys.stderr.write("the end is near\n")
            sys.stderr.flush()
            os._exit(3)
        case _:
            return _error(-32601, "")


def main() -> None:
    """Answer until the end of stdin."""
    if trace := os.environ.get("TINY_PEER_TRACE"):
        Path(trace).touch()
    if "silent" in WRONGS:
        sys.stdin.read()
    for line in sys.stdin:
        request = json.loads(line)
        answer = _answer(request["id"], request["method"], request["params"])
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}) + "\n")
        sys.stdout.flush()
    sys.exit(4 if "bad-end" in WRONGS else 0)


if __name__ == "__main__":
    main()
