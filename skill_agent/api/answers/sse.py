"""Server-sent events as an answer: each piece as soon as it is there, a comment in long silence.

What the events say is not decided here.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from skill_agent.workstation import wire

KEEP_ALIVE_S = 15.0
"""Seconds of silence after which a comment tells both sides that the other is there."""
_KEEP_ALIVE = b": alive\n\n"
_UNBUFFERED = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}

Item = TypeVar("Item")


class EventStream(Response):
    """Pieces as server-sent events; the generator is closed when the client hangs up.

    `farewell` is the piece that ends a stream which a closing host cuts short.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        *,
        farewell: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code, self.background = 200, None
        self.init_headers({**_UNBUFFERED, **(headers or {})})
        self._pieces, self._farewell = pieces, farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(until_gone(self._pieces, receive, quiet_s=KEEP_ALIVE_S)) as pieces:
            head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(head)
            try:
                async for piece in pieces:
                    await send(_body(piece or _KEEP_ALIVE))
            except (ClientDisconnect, OSError):
                return
            except asyncio.CancelledError:
                if self._farewell:
                    await send(_body(self._farewell))
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def until_gone(
    items: AsyncGenerator[Item, None], receive: Receive, *, quiet_s: float | None = None
) -> AsyncGenerator[Item | None, None]:
    """The items while the client listens, None whenever there was none for `quiet_s`.

    Raises ClientDisconnect when it hangs up; in any case the generator is closed before this ends,
    outside of whatever cancels the caller.
    """
    gone = asyncio.create_task(_hung_up(receive))
    coming: asyncio.Task[list[Item]] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_upcoming(items))
            await asyncio.wait((coming, gone), timeout=quiet_s, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ClientDisconnect
            if not coming.done():
                yield None
                continue
            if not (came := coming.result()):
                return
            coming = None
            yield came[0]
    finally:
        await asyncio.shield(asyncio.create_task(_closed(items, gone, coming)))


def server_sent(kind: str, value: object) -> bytes:
    """A value as one event."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), wire.encode(value))


async def _upcoming(items: AsyncGenerator[Item, None]) -> list[Item]:
    """The next item alone; empty at the end."""
    async for item in items:
        return [item]
    return []


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _closed(items: AsyncGenerator[Item, None], *tasks: "asyncio.Task[Any] | None") -> None:
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await items.aclose()


def _body(piece: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": True}
