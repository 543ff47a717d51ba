"""The event stream as server-sent events: one response per listener, for as long as it listens.

What a listener missed is given again by number; nothing is kept here, and a client that does not
read stops only its own stream.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from skill_agent.api.answers.sse import EventStream
from skill_agent.events import type_name
from skill_agent.events.bus import Gap, Subscription
from skill_agent.events.journal import Entry


class Heard(Protocol):
    """What has events to be listened to; the turns of a runtime."""

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
    attending: AbstractContextManager[None] | None = None,
) -> Response:
    """The stream of a session's, a turn's or all events, from the one after `last_event_id` on.

    Each has the id `EPOCH.SEQ`, its type and its JSON. An id of another epoch, or older than the
    journal, is answered by a `gap` first: then a turn is told from its beginning, everything else
    from now on. A closing host ends the stream with `closing`. `attending` is open for as long as
    the stream is.
    """
    return _Events(heard, session, turn, last_event_id, attending or nullcontext())


class _Events(EventStream):
    """A listener's place is taken before the answer begins: whoever has its head misses nothing."""

    def __init__(
        self,
        heard: Heard,
        session: str | None,
        turn: str | None,
        last_event_id: str | None,
        attending: AbstractContextManager[None],
    ) -> None:
        super().__init__(self._told())
        self._attending = attending
        self._heard, self._session, self._turn = heard, session, turn
        self._after, self._gap = _position(last_event_id, heard.epoch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        listening = self._heard.subscribe(session=self._session, turn=self._turn, after=self._after)
        with listening as self._events, self._attending:
            await super().__call__(scope, receive, send)

    async def _told(self) -> AsyncGenerator[bytes, None]:
        epoch, first = self._heard.epoch, b": here\n"
        if self._after is None and self._turn is None:  # who leaves at once can go on, too
            first += b"id: %b.%d\n" % (epoch.encode(), self._events.at)
        yield first + b"\n" + (_told((self._gap,), epoch) if self._gap else b"")
        while batch := await self._events.batch():
            yield _told(batch, epoch)
        yield b"event: closing\ndata: {}\n\n"


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
