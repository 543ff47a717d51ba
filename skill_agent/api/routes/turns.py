"""A turn that one HTTP client asked for: begun, followed, and stopped when the client hangs up.

What the events look like on the wire is not decided here.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from skill_agent.events import Event, TextDelta, TurnFailed, TurnFinished
from skill_agent.tasks import told
from skill_agent.values import Submitted
from skill_agent.workstation import Workstation

KEEP_ALIVE_S = 15.0
_KEEP_ALIVE = b": keep-alive\n\n"
_UNBUFFERED = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a client asks for."""

    text: str
    agent: str
    session: str | None = None
    model: str | None = None
    use_memory: bool = True
    interactive: bool = False
    key: str | None = None
    """With a key of the client's the turn outlives the connection, and asking again with the same
    one follows the same turn instead of beginning another."""


async def begin(station: Workstation, prompt: Prompt) -> Submitted:
    """Begins the turn; raises what `submit` raises, before anything was answered.

    Cancelled meanwhile, it leaves no turn without a key behind.
    """
    beginning = asyncio.create_task(
        station.submit(
            prompt.text,
            session=prompt.session,
            agent=prompt.agent,
            model=prompt.model,
            use_memory=prompt.use_memory,
            interactive=prompt.interactive,
            key=prompt.key,
        )
    )
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        (begun,) = await asyncio.gather(beginning, return_exceptions=True)
        if isinstance(begun, Submitted) and not prompt.key:
            await station.cancel(begun.turn)
        raise


async def follow(
    station: Workstation, begun: Submitted, *, key: str | None = None
) -> AsyncGenerator[Event, None]:
    """The turn's events to its end; leaving early cancels it, unless it has a key."""
    ended = False
    try:
        if key and (past := await _past(station, begun.turn)):
            ended = True
            for event in past:
                yield event
            return
        with station.subscribe(turn=begun.turn) as events:
            async for event in events:
                ended = isinstance(event, TurnFinished | TurnFailed)
                yield event
                if ended:
                    return
        ended = True  # the journal is closed with the host
        yield closing(begun)
    finally:
        if not ended and not key:
            await station.cancel(begun.turn)


def closing(begun: Submitted) -> TurnFailed:
    """The end of a turn whose host is closed in good order."""
    return TurnFailed(
        session=begun.session,
        turn=begun.turn,
        agent=begun.agent,
        reason="host_closed",
        message="the host of this home was closed",
        hint="ask again",
    )


async def _past(station: Workstation, turn: str) -> list[Event]:
    """What is left to tell of a turn that ended before; empty while it runs."""
    task = await station.task(turn)
    if task.state == "running":
        return []
    said = TextDelta(session=task.session, turn=turn, agent=task.agent, text=task.text)
    return [said, told(task)] if task.text else [told(task)]


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


class PieceStream(Response):
    """Pieces as server-sent events, each sent at once; ends them when the client hangs up.

    `farewell` is the piece that ends a stream which a closing host cuts short.
    """

    media_type = "text/event-stream"

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], *, farewell: bytes, headers: dict[str, str]
    ) -> None:
        self.status_code, self.background = 200, None
        self.init_headers({**_UNBUFFERED, **headers})
        self._pieces, self._farewell = pieces, farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pieces = until_gone(self._pieces, receive, quiet_s=KEEP_ALIVE_S)
        async with aclosing(pieces):
            head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(head)
            try:
                async for piece in pieces:
                    await send(_body(piece or _KEEP_ALIVE))
            except ClientDisconnect:
                return
            except asyncio.CancelledError:
                await send(_body(self._farewell))
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _body(piece: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": True}
