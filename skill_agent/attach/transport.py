"""One HTTP connection pool to a host: requests, streams, and what counts as "nobody is there".

Knows no operation and no value; imports httpx.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.models.wire.proxies import is_loopback

from .remote_errors import HostGone, error_of
from .sse_reader import Frame, frames

# httpx without its own command line, which would load rich and pygments: a third of its time.
# httpx itself goes without where those are not installed.
_COMMAND_LINE = "httpx._main"
sys.modules.setdefault(_COMMAND_LINE, None)  # type: ignore[arg-type]
import httpx  # noqa: E402

if sys.modules[_COMMAND_LINE] is None:
    del sys.modules[_COMMAND_LINE]

CONNECT_S = 2.0
ANSWER_S = 600.0
"""Longest silence before an answer over the network; on a socket death is noticed at once."""
ALIVE_S = 45.0
"""Longest silence of a stream over the network, which says every 15 s that it is there."""
KEPT_S = 2.0
"""A connection unused for so long is not used again: servers close theirs after five seconds."""
_MOST_WAITS, _LONGEST_WAIT_S = 3, 20.0

Query = list[tuple[str, str]]


class Line:
    """Requests to one host; `at` names it for people."""

    def __init__(
        self,
        *,
        socket: Path | None = None,
        url: str = "",
        key: str = "",
        name: str = "ska",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Over the Unix socket, or to a URL with an API key; `name` says what attaches. Raises
        UsageError for a URL that cannot be one."""
        self.local = socket is not None
        self.at = str(socket) if socket else url
        headers = {"User-Agent": name, "X-Ska-Client": f"{name}/{os.getpid()}"}
        if self.local:
            headers["Accept-Encoding"] = "identity"
        if key:
            headers["Authorization"] = f"Bearer {key}"
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=8, keepalive_expiry=KEPT_S
        )
        if transport is None and socket is not None:
            transport = httpx.AsyncHTTPTransport(uds=str(socket), verify=False, limits=limits)
        self._client = httpx.AsyncClient(
            base_url="http://localhost" if self.local else _checked(url),
            headers=headers,
            limits=limits,
            transport=transport,
            verify=url.startswith("https:"),
            trust_env=not (self.local or is_loopback(url)),
            timeout=httpx.Timeout(None, connect=CONNECT_S),
        )

    async def call(
        self,
        verb: str,
        path: str,
        *,
        query: Query | None = None,
        body: bytes | None = None,
        key: str = "",
        patience_s: float | None = None,
    ) -> bytes:
        """The body of the answer. Raises the error it tells of, HostGone where there is none.

        `patience_s` is how long the answer may take, without end on a socket.
        """
        request = self._request(verb, path, query, body, key)
        patience = patience_s or (None if self.local else ANSWER_S)
        request.extensions["timeout"] = httpx.Timeout(patience, connect=CONNECT_S).as_dict()
        answer = await self._sent(request)
        _check(answer, answer.content)
        return answer.content

    @asynccontextmanager
    async def stream(
        self,
        verb: str,
        path: str,
        *,
        query: Query | None = None,
        body: bytes | None = None,
        key: str = "",
        after: str = "",
    ) -> AsyncGenerator[AsyncIterator[Frame], None]:
        """Server-sent events of a request; raises as `call` does, also while they are read."""
        request = self._request(verb, path, query, body, key)
        request.headers["Accept"] = "text/event-stream"
        if after:
            request.headers["Last-Event-ID"] = after
        silence = None if self.local else ALIVE_S
        request.extensions["timeout"] = httpx.Timeout(silence, connect=CONNECT_S).as_dict()
        answer = await self._sent(request, stream=True)
        try:
            if answer.status_code >= 300:
                with gone_when_cut():
                    content = await answer.aread()
                _check(answer, content)
            yield frames(_pieces(answer))
        finally:
            await answer.aclose()

    async def _sent(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """The answer; a few times later, where the host says that this was too often."""
        for _ in range(_MOST_WAITS):
            with gone_when_cut():
                answer = await self._client.send(request, stream=stream)
            if answer.status_code != 429:
                return answer
            await answer.aclose()
            await asyncio.sleep(min(_wait_of(answer) or 1.0, _LONGEST_WAIT_S))
        with gone_when_cut():
            return await self._client.send(request, stream=stream)

    def _request(
        self, verb: str, path: str, query: Query | None, body: bytes | None, key: str
    ) -> httpx.Request:
        params = httpx.QueryParams(tuple(query)) if query else None
        request = self._client.build_request(verb, path, params=params, content=body)
        if body is not None:
            request.headers["Content-Type"] = "application/json"
        if key:
            request.headers["Idempotency-Key"] = key
        return request

    async def close(self) -> None:
        await self._client.aclose()


@contextmanager
def gone_when_cut() -> Iterator[None]:
    """Turns every failure of the wire into HostGone."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise HostGone(_said(error), sent=False) from error
    except (httpx.TransportError, OSError) as error:
        raise HostGone(_said(error), sent=True) from error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    with gone_when_cut():
        async for piece in answer.aiter_bytes():
            yield piece


def _check(answer: httpx.Response, content: bytes) -> None:
    if answer.status_code >= 400:
        raise error_of(answer.status_code, content, retry_after=_wait_of(answer))
    if answer.status_code >= 300:
        raise SkillAgentError(
            f"{answer.url} leads elsewhere ({answer.status_code})",
            hint="give the address of the API itself",
        )


def _wait_of(answer: httpx.Response) -> float | None:
    try:
        return float(answer.headers.get("Retry-After", ""))
    except ValueError:
        return None


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(f"{url!r} is no address: {error}", hint="http://HOST:PORT") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError(f"{url!r} is no address", hint="http://HOST:PORT")
    return url.rstrip("/").removesuffix("/v1")
