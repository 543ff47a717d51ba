"""The way to a server over streamable HTTP."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
from mcp.client._transport import TransportStreams
from mcp.client.streamable_http import streamable_http_client

from skill_agent.errors import ToolFailed
from skill_agent.models.wire.proxies import is_loopback
from skill_agent.settings.schema import McpServer

from .limits import Limits

_CONNECT_S = 30.0


@dataclass(slots=True)
class Answers:
    """What the server's answers said by their status, which the SDK does not tell."""

    refused: int = 0
    """The status of the last one to a message of ours, where it was a refusal; else 0."""
    taken: bool = False
    """It has taken a message of ours."""

    def heard(self, status: int) -> None:
        self.refused = status if status >= 300 else 0
        self.taken = self.taken or status < 300

    @property
    def forgotten(self) -> bool:
        """It does not know any more whom it spoke to, and has done nothing."""
        return self.taken and self.refused == 404

    def problem(self) -> tuple[str, str]:
        """In words, with what to do; empty where nothing is known."""
        match self.refused:
            case 401 | 403:
                return (
                    f"it wants to know who asks (HTTP {self.refused})",
                    'name the variable that holds the credential: headers = { Authorization = "VAR"'
                    " }; its value is all of the header, e.g. `Bearer …`",
                )
            case 404 if self.taken:
                return "it has forgotten us, and was not asked", "try again"
            case 404 | 405:
                return (
                    f"there is no MCP server at that address (HTTP {self.refused})",
                    "see its url",
                )
            case 429:
                return "it is asked too often (HTTP 429)", "wait a moment"
            case status if status >= 500:
                return f"it is out of order (HTTP {status})", "try again later"
            case status if status >= 300:
                return f"it refuses (HTTP {status})", "see its url"
        return "", ""


@asynccontextmanager
async def over_http(
    server: McpServer, env: Mapping[str, str], answers: Answers, limits: Limits
) -> AsyncIterator[TransportStreams]:
    """Redirects to other places are not followed; an answer of more bytes than a message may have
    is broken off, and none is taken that unpacks to more than it is."""

    async def looked_at(response: httpx2.Response) -> None:
        if response.request.method == "POST":
            answers.heard(response.status_code)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise httpx2.DecodingError("the answer is packed, which was not asked for")
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _Bounded(response.stream, limits.message_bytes)

    client = httpx2.AsyncClient(
        headers={**headers(server, env), "Accept-Encoding": "identity"},
        timeout=httpx2.Timeout(_CONNECT_S, read=None),
        follow_redirects=False,
        trust_env=not is_loopback(server.url),
        event_hooks={"response": [looked_at]},
    )
    async with client:
        way = streamable_http_client(
            server.url, http_client=client, max_sse_event_size=limits.message_bytes
        )
        async with way as streams:
            yield streams


def headers(server: McpServer, env: Mapping[str, str]) -> dict[str, str]:
    """Raises ToolFailed for a variable that is not set."""
    missing = [variable for variable in server.headers.values() if not env.get(variable)]
    if missing:
        raise ToolFailed(
            f"not set where the host runs: {', '.join(missing)}",
            hint=f"export {missing[0]}=… there, then start the host anew: ska down",
        )
    return {name: env[variable] for name, variable in server.headers.items()}


class _Bounded(httpx2.AsyncByteStream):
    """A body of at most so many bytes."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream, self._most = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > self._most:
                raise httpx2.StreamError(f"an answer of more than {self._most:,} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
