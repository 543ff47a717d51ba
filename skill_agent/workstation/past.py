"""A conversation as it was, with what became of each of its turns; asked of a workstation."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from skill_agent.errors import NotFound
from skill_agent.values import (
    AgentTask,
    Collaboration,
    Compaction,
    Memory,
    MemoryFilter,
    Message,
    Rating,
    SeatMoment,
    TurnState,
)

if TYPE_CHECKING:
    from .interface import Workstation

_MOST_SAVED = 1_000
_MOST_TASKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What there was to be seen of a conversation, but for what models thought."""

    messages: Sequence[Message] = ()
    """In order."""
    turns: Mapping[str, TurnState] = field(default_factory=dict)
    """How they ended, by turn."""
    saved: Mapping[str, Memory] = field(default_factory=dict)
    """What they put into memory, by id, as far as it is still there."""
    summed_up: Sequence[Compaction] = ()
    """The oldest first."""
    tasks: Sequence[AgentTask] = ()
    """What its turns gave to agents, the oldest first."""
    together: Sequence[Collaboration] = ()
    """What agents did together in it, the oldest first."""
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    """By message."""
    seats: Sequence[SeatMoment] = ()
    """Who was invited, left and was given the conversation, the oldest first."""

    def seats_in(self, turn: str) -> list[SeatMoment]:
        """What changed of that in a turn."""
        return [one for one in self.seats if one.turn == turn]

    def seats_beside(self) -> list[SeatMoment]:
        """What changed in no turn, as far back as the messages go."""
        begun = self.messages[0].created_at if self.messages else None
        return [one for one in self.seats if not one.turn and begun and one.at >= begun]

    def by_turn(self) -> list[list[Message]]:
        """The messages of each turn; what was asked while another ran comes after it."""
        turns: dict[str, list[Message]] = {}
        for message in self.messages:
            turns.setdefault(message.turn, []).append(message)
        return list(turns.values())


async def past_of(
    station: "Workstation",
    session: str,
    *,
    last: int = 0,
    before: Message | None = None,
    but: Collection[str] = (),
) -> Past:
    """Of a session's messages, `last` > 0 of them from the end, or from one of them backwards, but
    for those of some turns. With `last`, it begins with a whole turn."""
    page = _page(last, before)
    messages, turns, summed_up, given, seats = await asyncio.gather(
        _messages(station, session, page, before),
        station.turns.of_session(
            session,
            newest=page.get("last", 0),
            beyond=page.get("after", -1),
            most=page.get("limit", 0),
        ),
        station.summaries.list(session),
        station.tasks.list(conversation=session, limit=_MOST_TASKS),
        station.seats.history(session),
    )
    messages = [one for one in messages if one.turn not in but]
    shown = {one.turn for one in messages}
    states = {one.id: one for one in turns if one.id in shown}
    replies = [one.id for one in messages if one.role == "assistant"]
    return Past(
        messages=messages,
        turns=states,
        saved=await _saved(station, session, states.values()),
        summed_up=[one for one in summed_up if not before or one.at < before.created_at],
        tasks=[one for one in reversed(given) if one.parent_task is None],
        together=await _together(station, given),
        seats=[one for one in seats if not before or one.at < before.created_at],
        ratings=await station.feedback.of(replies) if replies else {},
    )


class _Page(TypedDict, total=False):
    """Which messages of a conversation are read."""

    last: int
    after: int
    limit: int


def _page(last: int, before: Message | None) -> _Page:
    if before is None:
        return {"last": last}
    return {"after": max(before.position - last, 0) - 1, "limit": last}


async def _messages(
    station: "Workstation", session: str, page: _Page, before: Message | None
) -> list[Message]:
    found = await station.conversations.messages(session, **page)
    if before is not None:
        found = [one for one in found if one.position < before.position]
    is_part = page.get("last", 0) > 0 or page.get("limit", 0) > 0
    return _from_whole_turn(found) if is_part else found


def _from_whole_turn(messages: list[Message]) -> list[Message]:
    """Without the rest of a turn that began before them; all, where there is nothing else."""
    if not messages or messages[0].position <= 0 or messages[0].role == "user":
        return messages
    cut = messages[0].turn
    return [one for one in messages if one.turn != cut] or messages


async def _together(
    station: "Workstation", tasks: Collection[AgentTask]
) -> Sequence[Collaboration]:
    found: list[Collaboration] = []
    for name in dict.fromkeys(one.collaboration for one in tasks if one.collaboration):
        with suppress(NotFound):
            found.append(await station.collaborations.get(name))
    return sorted(found, key=lambda one: (one.created_at, one.id))


async def _saved(
    station: "Workstation", session: str, turns: Collection[TurnState]
) -> dict[str, Memory]:
    wanted = dict.fromkeys(one for turn in turns for one in turn.saved)
    if not wanted:
        return {}
    listed = await station.memory.list(MemoryFilter(session=session, limit=_MOST_SAVED))
    found = {one.id: one for one in listed if one.id in wanted}
    for memory_id in wanted:
        if memory_id not in found:  # it was known before, from elsewhere
            try:
                found[memory_id] = await station.memory.get(memory_id)
            except NotFound:
                continue
    return found
