"""What a visit may see: the memories its agent would recall, the lines it would, and what it asked
itself."""

from collections.abc import Sequence
from typing import Any

from skill_agent.conversations.client_context import kept_instructions
from skill_agent.errors import NotFound, UsageError
from skill_agent.mcp_server.visit import Visit
from skill_agent.values import (
    ClientContext,
    Memory,
    MemoryFilter,
    Message,
    Session,
)

from .shown import in_a_line, sees

_LONGEST_REF = 200
_BACK = 40
"""Messages before a page among which the beginning of its first turn is looked for."""
_WINDOW = 200
_MOST = 100_000
_SPOKEN = ("user", "assistant")


def user_of(visit: Visit) -> str:
    return visit.station.settings.general.user


def nothing_like(what: str, ref: str, hint: str) -> NotFound:
    """The same whether there is none, or one that the visit may not see."""
    return NotFound(f"no {what} {in_a_line(ref, 60)!r}", hint=hint)


def is_ref(ref: str) -> bool:
    return bool(ref.strip()) and len(ref) <= _LONGEST_REF and ref.isprintable()


# -- memories ------------------------------------------------------------------------------------


def sees_memory(visit: Visit, memory: Memory) -> bool:
    return sees(memory, visit.agent, user_of(visit))


async def memory_of(visit: Visit, ref: str) -> Memory:
    """By id or unambiguous prefix; raises NotFound, also for another's."""
    ref, missing = ref.strip(), nothing_like("memory", ref, "search_memory gives the ids")
    if not is_ref(ref):
        raise missing
    try:
        found = await visit.station.memory.get(ref)
    except UsageError:  # several begin like that: which ones is not told
        raise missing from None
    if not sees_memory(visit, found):
        raise missing
    return found


async def seen_now(visit: Visit, **wanted: Any) -> list[Memory]:
    """What it may see as it stands now, the newest first."""
    asked = MemoryFilter(agent=visit.agent, user=user_of(visit), **{"limit": _MOST, **wanted})
    found = await visit.station.memory.list(asked)
    return [one for one in found if sees_memory(visit, one)]


# -- conversations -------------------------------------------------------------------------------


def mark(visit: Visit) -> ClientContext:
    """Stands beside every message that a program sends: the agent knows who asks, and the program
    finds its own talks again."""
    said = f"A program ({visit.agent}) wrote this message; the user did not type it."
    return ClientContext(instructions=kept_instructions(said))


def asked(visit: Visit, message: Message) -> bool:
    """Whether the visit's own agent sent this message through a program."""
    context = message.client_context
    if message.role != "user" or context is None:
        return False
    return context.instructions == mark(visit).instructions


def seen_lines(visit: Visit, messages: Sequence[Message]) -> list[Message]:
    """Of consecutive messages what the visit may read: what recall would show its agent, and whole
    turns that it asked for."""
    own = {one.turn for one in messages if asked(visit, one)}
    return [
        one
        for one in messages
        if one.role in _SPOKEN and (one.turn in own or one.agent in (None, visit.agent))
    ]


async def conversation_of(visit: Visit, ref: str) -> Session:
    """By id, beginning of it or title; raises NotFound, also for one of which it may read nothing.

    One that was deleted, or in which a task was done, stands on no list and is not found.
    """
    missing = nothing_like("conversation", ref, "search_conversations gives the ids")
    if not is_ref(ref):
        raise missing
    try:
        found = await visit.station.conversations.find(ref)
    except UsageError:
        raise missing from None
    if found.archived or not (await page_of(visit, found.id, after=-1, limit=1))[0]:
        raise missing
    return found


async def page_of(
    visit: Visit, session: str, *, after: int, limit: int
) -> tuple[list[Message], int | None]:
    """The next lines it may read after a position, and where to go on; None at the end."""
    while True:
        most = max(4 * limit, _WINDOW) + _BACK
        start = max(-1, after - _BACK)
        messages = await visit.station.conversations.messages(session, after=start, limit=most)
        seen = [one for one in seen_lines(visit, messages) if one.position > after]
        if len(seen) > limit:
            return seen[:limit], seen[limit - 1].position
        end = len(messages) < most
        if seen or end:
            return seen, None if end else messages[-1].position
        after = messages[-1].position


async def began(visit: Visit, session: str) -> bool:
    """Whether it began the conversation itself."""
    first = await visit.station.conversations.messages(session, limit=1)
    return bool(first) and asked(visit, first[0])


async def title_for(visit: Visit, session: Session) -> str:
    """A title is made of the first words; who may not read those is not told it."""
    first = await visit.station.conversations.messages(session.id, limit=1)
    return in_a_line(session.title, 120) if seen_lines(visit, first) else ""


async def turn_seen(visit: Visit, message: Message) -> bool:
    """Whether it may read a message that was found by itself."""
    if message.role not in _SPOKEN:
        return False
    if message.agent in (None, visit.agent) or asked(visit, message):
        return True
    start = max(-1, message.position - _BACK - 1)
    before = await visit.station.conversations.messages(
        message.session, after=start, limit=_BACK + 1
    )
    return any(one.id == message.id for one in seen_lines(visit, before))


async def newest_conversations(visit: Visit, most: int, among: int) -> list[Session]:
    """Those with something for it to read at their beginning, of the newest so many."""
    found: list[Session] = []
    for one in await visit.station.conversations.list(limit=among):
        first = await visit.station.conversations.messages(one.id, limit=2)
        if seen_lines(visit, first):
            found.append(one)
    return found[:most]
