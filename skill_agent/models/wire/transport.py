"""How litellm's requests reach a provider: past proxies where it is this machine, within the time
that is given, and with answers looked at before litellm reads them.

Imports httpx, as litellm does: import it where that is imported.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from ssl import SSLContext

import httpx

from skill_agent.models.model_json import value_in

from .answers import LARGEST, LARGEST_PAGE, chat_stream, failed, web_page
from .chunks import error_in
from .message_events import is_message, message_events
from .proxies import proxy_for, unusable

_STREAMED = re.compile(rb'(?<!\\)"stream"\s*:\s*true')
_CODED = ("content-encoding", "content-length", "transfer-encoding")


class ProviderTransport(httpx.AsyncBaseTransport):
    """One pool of connections for each proxy, and one for none."""

    def __init__(self, verify: SSLContext | bool) -> None:
        self._verify = verify
        self._ways: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises ModelError for what is no model's answer, httpx's errors for what never came."""
        way = self._way(str(request.url))
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                answer = await way.handle_async_request(request)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        return answer if answer.status_code >= 300 else await _checked(answer, request)

    async def aclose(self) -> None:
        ways, self._ways = self._ways, {}
        for way in ways.values():
            await way.aclose()

    def _way(self, url: str) -> httpx.AsyncHTTPTransport:
        proxy = proxy_for(url)
        if proxy not in self._ways:
            try:
                self._ways[proxy] = httpx.AsyncHTTPTransport(
                    verify=self._verify, proxy=proxy or None
                )
            except (ImportError, ValueError) as error:
                raise httpx.ProxyError(unusable(error)) from None
        return self._ways[proxy]


class _Body(httpx.AsyncByteStream):
    """An answer's body as it is passed on; closing it ends the provider's answer."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], answer: httpx.Response) -> None:
        self._pieces, self._answer = pieces, answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._pieces:
                yield piece
        finally:  # whoever reads leaves the connection open where reading raises
            await self.aclose()

    async def aclose(self) -> None:
        await self._answer.aclose()
        with suppress(RuntimeError):  # it is being read at this very moment, and ends by itself
            await self._pieces.aclose()


async def _checked(answer: httpx.Response, request: httpx.Request) -> httpx.Response:
    """The answer in plain form, not compressed any more."""
    where = f"{request.url.scheme}://{request.url.netloc.decode()}"
    answer.request = request
    chat = request.url.path.endswith("/chat/completions")
    if chat and request.method == "POST" and _STREAMED.search(request.content):
        body = chat_stream(answer.aiter_bytes(), where)
    else:
        body = _any_body(answer, where)
    kept = [(name, value) for name, value in answer.headers.items() if name not in _CODED]
    return httpx.Response(
        answer.status_code, headers=kept, stream=_Body(body, answer), extensions=answer.extensions
    )


async def _any_body(answer: httpx.Response, where: str) -> AsyncGenerator[bytes, None]:
    """A body of another protocol as it came; raises ModelError where it is a page or an error."""
    whole = "application/json" in answer.headers.get("content-type", "")
    head, lines = b"", _ErrorLines(where)
    known = False
    async for piece in answer.aiter_bytes():
        head += b"" if known else piece
        page = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"", b"<")
        if not known and len(head) > (LARGEST_PAGE if page else LARGEST):
            break
        if not known and (page or whole):
            continue
        told, head, known = piece if known else head, b"", True
        lines.feed(told)
        yield told
    if known:
        return
    text = head.decode("utf-8-sig", "replace").strip()
    if text.startswith("<"):
        raise web_page(where, text)
    value = value_in(text)
    if isinstance(value, dict) and "content" not in value and (error := error_in(value)):
        raise failed(where, *error)
    yield message_events(value) if is_message(value) else head


class _ErrorLines:
    """Looks for an error among the lines of a body of JSON lines."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """Raises ModelError for one."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line.lstrip().startswith(b'{"error"'):
                value = value_in(line.decode("utf-8", "replace"))
                if isinstance(value, dict) and (error := error_in(value)):
                    raise failed(self._where, *error)
