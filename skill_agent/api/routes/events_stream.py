"""The event stream as server-sent events: one response per listener, for as long as it listens.

What a listener missed is given again by number; nothing is kept here, and a client that does not
read stops only its own stream.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from skill_agent.bus import Gap, Subscription
from skill_agent.event_journal import Entry
from skill_agent.events import type_name

KEEP_ALIVE_S = 15.0
"""Seconds of silence after which a comment tells both sides that the other is there."""
_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_ALIVE = b": alive\n\n"


class Heard(Protocol):
    """What has events to be listened to; a runtime."""

    @property
    def epoch(self) -> str: ...

    def subscribe(
        self, *, session: str | None = None, turn: str | None = None, after: int | None = None
    ) -> Subscription: ...


def event_response(
    heard: Heard,
    *,
    session: str | None = None,
    turn: str | None = None,
    last_event_id: str | None = None,
) -> Response:
    """The stream of a session's, a turn's or all events, from the one after `last_event_id` on.

    Each has the id `EPOCH.SEQ`, its type and its JSON. An id of another epoch, or older than the
    journal, is answered by a `gap` first: then a turn is told from its beginning, everything else
    from now on. A closing host ends the stream with `closing`.
    """
    return _EventStream(heard, session, turn, last_event_id)


class _EventStream(Response):
    """Streams until the client leaves or the host closes."""

    media_type = "text/event-stream"

    def __init__(
        self, heard: Heard, session: str | None, turn: str | None, last_event_id: str | None
    ) -> None:
        self.status_code, self.background = 200, None
        self.init_headers(_HEADERS)
        self._heard = heard
        self._wanted = (session, turn)
        self._since = last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        after, gap = _position(self._since, self._heard.epoch)
        session, turn = self._wanted
        with self._heard.subscribe(session=session, turn=turn, after=after) as events:
            leaving = asyncio.create_task(_left(receive))
            first = b": here\n"
            if after is None and turn is None:  # who leaves before the first event can go on too
                first += b"id: %b.%d\n" % (self._heard.epoch.encode(), events.at)
            first += b"\n" + (_told((gap,), self._heard.epoch) if gap else b"")
            sending = asyncio.create_task(self._send(send, start, first, events))
            try:
                await asyncio.wait((leaving, sending), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                sending.cancel()
                await asyncio.gather(leaving, return_exceptions=True)
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await sending

    async def _send(
        self, send: Send, start: dict[str, object], first: bytes, events: Subscription
    ) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for body in _bodies(events, self._heard.epoch):
            await send({"type": "http.response.body", "body": body, "more_body": True})
        body = b"event: closing\ndata: {}\n\n"
        await send({"type": "http.response.body", "body": body, "more_body": False})


async def _bodies(events: Subscription, epoch: str) -> AsyncIterator[bytes]:
    """What waits, as often as something does, and a comment in long silence."""
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                batch = await events.batch()
        except TimeoutError:
            yield _ALIVE
            continue
        if not batch:
            return
        yield _told(batch, epoch)


async def _left(receive: Receive) -> None:
    """Returns once the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _told(batch: Iterable[Entry | Gap], epoch: str) -> bytes:
    return b"".join(
        b'event: gap\ndata: {"reason":"%b"}\n\n' % one.reason.encode()
        if isinstance(one, Gap)
        else b"id: %b.%d\nevent: %b\ndata: %b\n\n"
        % (epoch.encode(), one.seq, type_name(type(one.event)).encode(), one.data)
        for one in batch
    )


def _position(last_event_id: str | None, epoch: str) -> tuple[int | None, Gap | None]:
    """The number to go on after, or the gap that there is."""
    if not last_event_id:
        return None, None
    of, dot, number = last_event_id.rpartition(".")
    known = dot and of == epoch and number.isascii() and number.isdigit() and len(number) < 19
    return (int(number), None) if known else (None, Gap("epoch"))
