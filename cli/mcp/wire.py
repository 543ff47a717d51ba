"""A WebSocket to the home's own socket: one message of the protocol a frame."""

import json
import os
from pathlib import Path
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.mcp_server.relay import Lost

RELAY = "/v1/mcp/relay"
_CONNECT_S = 5.0
_CLOSE_S = 0.3
_CLOSING, _MISSING = 503, 404


class SocketWire:
    """An open way to a host."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except (ConnectionClosed, OSError) as error:
            raise Lost from error

    async def receive(self) -> str:
        try:
            told = await self._connection.recv()
        except (ConnectionClosed, OSError) as error:
            raise Lost from error
        return told if isinstance(told, str) else told.decode()

    async def close(self) -> None:
        await self._connection.close()


async def connected(path: Path, *, sees_as: str, read_only: bool) -> SocketWire:
    """A way to the host that listens there; raises Lost where none does any more, and what the
    host refuses in its words."""
    asked = {name: value for name, value in
             (("as", sees_as), ("read_only", "1" if read_only else "")) if value}  # fmt: skip
    try:
        return SocketWire(
            await unix_connect(
                str(path),
                f"ws://localhost{RELAY}?{urlencode(asked)}",
                additional_headers={"X-Ska-Client": f"mcp/{os.getpid()}"},
                compression=None,
                max_size=None,
                open_timeout=_CONNECT_S,
                close_timeout=_CLOSE_S,
                ping_interval=None,
            )
        )
    except InvalidStatus as error:
        raise _refused(error.response.status_code, bytes(error.response.body or b"")) from error
    except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
        raise Lost from error


def _refused(status: int, body: bytes) -> Exception:
    if status == _CLOSING:
        return Lost()
    try:
        told = json.loads(body)
        message, hint = str(told["message"]), str(told.get("details", {}).get("hint", ""))
    except (ValueError, KeyError, AttributeError, TypeError):
        return SkillAgentError(
            f"the host of this home does not serve MCP clients (it answered {status})",
            hint="it is of another version: ska status; end it with ska down, then try again",
        )
    return (NotFound if status == _MISSING else SkillAgentError)(message, hint=hint)
