"""One plain request through a home's socket, for commands that must never become host themselves.

The standard library only. What attaches for work goes through `skill_agent.attach`.
"""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

PATIENCE_S = 5.0


def knock(
    path: Path, method: str, target: str, body: Any = None, *, patience_s: float = PATIENCE_S
) -> tuple[int, Any]:
    """The status and the decoded answer, None for an empty one.

    Raises OSError or http.client.HTTPException where nobody answers, ValueError for an answer that
    is no JSON.
    """
    connection = _OverSocket(path, patience_s)
    sent = None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, target, body=sent, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    return answer.status, json.loads(content) if content else None


class _OverSocket(http.client.HTTPConnection):
    def __init__(self, path: Path, patience_s: float) -> None:
        super().__init__("localhost", timeout=patience_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
