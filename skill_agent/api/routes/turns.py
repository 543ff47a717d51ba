"""A turn that one HTTP client asked for: begun, followed, and stopped when the client hangs up.

What the events look like on the wire is not decided here.
"""

import asyncio
from collections.abc import AsyncGenerator

from skill_agent.conversations.turn_states import told
from skill_agent.events import Event, TextDelta, TurnFailed, TurnFinished
from skill_agent.values import Submitted, TurnRequest
from skill_agent.workstation import Workstation


async def begin(station: Workstation, request: TurnRequest) -> Submitted:
    """Begins the turn; raises what `submit` raises, before anything was answered.

    Cancelled meanwhile, it leaves no turn without a key behind. With a key of the client's the turn
    outlives the connection for a while, and asking again with the same one follows the same turn.
    """
    beginning = asyncio.create_task(station.turns.submit(request))
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        (begun,) = await asyncio.gather(beginning, return_exceptions=True)
        if isinstance(begun, Submitted) and not request.key:
            await station.turns.cancel(begun.turn)
        raise


async def follow(
    station: Workstation, begun: Submitted, *, key: str | None = None
) -> AsyncGenerator[Event, None]:
    """The turn's events to its end. Leaving early cancels it: at once, or with a key, by which one
    may come back, soon after."""
    ended = False
    try:
        if key and (past := await _past(station, begun.turn)):
            ended = True
            for event in past:
                yield event
            return
        with (
            station.turns.attending(turn=begun.turn),
            station.turns.subscribe(turn=begun.turn) as events,
        ):
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
