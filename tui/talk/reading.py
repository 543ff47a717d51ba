"""Reads a conversation for the screen, with all that is told of its turns."""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from skill_agent.errors import NotFound
from skill_agent.values import Memory, MemoryFilter, TurnState

from .history import SHOWN, Past

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_MOST_SAVED = 1_000


async def past_of(runtime: "Workstation", session: str, *, but: Collection[str] = ()) -> Past:
    """Its newest messages and what became of their turns, but for those turns."""
    messages, turns, summed_up = await asyncio.gather(
        runtime.conversations.messages(session, last=SHOWN),
        runtime.turns.of_session(session),
        runtime.summaries.list(session),
    )
    messages = [one for one in messages if one.turn not in but]
    shown = {one.turn for one in messages}
    states = {one.id: one for one in turns if one.id in shown}
    replies = [one.id for one in messages if one.role == "assistant"]
    return Past(
        messages=messages,
        turns=states,
        saved=await _saved(runtime, session, list(states.values())),
        summed_up=summed_up,
        ratings=await runtime.feedback.of(replies) if replies else {},
    )


async def _saved(runtime: "Workstation", session: str, turns: list[TurnState]) -> dict[str, Memory]:
    """What the turns put into memory, by id, as far as it is still there."""
    wanted = dict.fromkeys(one for turn in turns for one in turn.saved)
    if not wanted:
        return {}
    listed = await runtime.memory.list(MemoryFilter(session=session, limit=_MOST_SAVED))
    found = {one.id: one for one in listed if one.id in wanted}
    for memory_id in wanted:
        if memory_id not in found:  # it was known before, from elsewhere
            try:
                found[memory_id] = await runtime.memory.get(memory_id)
            except NotFound:
                continue
    return found
