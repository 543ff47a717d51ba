"""A turn that one HTTP client asked for: begun, followed, and stopped when the client hangs up.

What the events look like on the wire is not decided here.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from skill_agent.conversations.turn_states import told
from skill_agent.events import Event, TextDelta, TurnFailed, TurnFinished
from skill_agent.values import ClientContext, Submitted, TurnRequest
from skill_agent.workstation import Workstation


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a client asks for."""

    text: str
    agent: str
    session: str | None = None
    model: str | None = None
    use_memory: bool = True
    interactive: bool = False
    client_context: ClientContext | None = None
    key: str | None = None
    """With a key of the client's the turn outlives the connection, and asking again with the same
    one follows the same turn instead of beginning another."""


async def begin(station: Workstation, prompt: Prompt) -> Submitted:
    """Begins the turn; raises what `submit` raises, before anything was answered.

    Cancelled meanwhile, it leaves no turn without a key behind.
    """
    beginning = asyncio.create_task(
        station.turns.submit(
            TurnRequest(
                prompt.text,
                session=prompt.session,
                agent=prompt.agent,
                model=prompt.model,
                use_memory=prompt.use_memory,
                interactive=prompt.interactive,
                key=prompt.key,
                client_context=prompt.client_context,
            ),
        )
    )
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        (begun,) = await asyncio.gather(beginning, return_exceptions=True)
        if isinstance(begun, Submitted) and not prompt.key:
            await station.turns.cancel(begun.turn)
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
        with station.turns.subscribe(turn=begun.turn) as events:
            async for event in events:
                ended = isinstance(event, TurnFinished | TurnFailed)
                yield event
                if ended:
                    return
        ended = True  # the journal is closed with the host
        yield closing(begun)
    finally:
        if not ended and not key:
            await station.turns.cancel(begun.turn)


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
    task = await station.turns.get(turn)
    if task.state == "running":
        return []
    said = TextDelta(session=task.session, turn=turn, agent=task.agent, text=task.text)
    return [said, told(task)] if task.text else [told(task)]
