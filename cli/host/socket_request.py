"""One plain request through a home's socket, for commands that must never become host themselves.

The standard library only. What attaches for work goes through `skill_agent.attach`.
"""

import contextlib
import http.client
import json
import socket
from pathlib import Path
from typing import Any

PATIENCE_S = 5.0

NOBODY = 0
"""Stands for the status where nobody answers."""


def request(path: Path, method: str, target: str, body: Any = None) -> tuple[int, Any]:
    """The status and the decoded answer, None for an empty one; `NOBODY` and None where nobody
    answers, or not in JSON."""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        return _requested(path, method, target, body)
    return NOBODY, None


def _requested(path: Path, method: str, target: str, body: Any) -> tuple[int, Any]:
    connection = _OverSocket(path)
    sent = None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, target, body=sent, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    return answer.status, json.loads(content) if content else None


class _OverSocket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
