"""What a visit may see: the memories its agent would recall, the lines it would, and what it asked
itself."""

from typing import Any

from skill_agent.errors import NotFound, UsageError
from skill_agent.mcp_server.visit import Visit
from skill_agent.values import Memory, MemoryFilter, Message, Requester, Session

from .shown import in_a_line, sees

_LONGEST_REF = 200
_WINDOW = 400
"""Messages of a conversation that are looked at together."""
_RUNNING = 500
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


def asker(visit: Visit) -> Requester:
    """In whose name a visit has agents answer: its API key's, or a name for programs of this
    machine, by which its talks are found again."""
    return visit.requester or Requester(
        key=f"mcp:{visit.agent}", name=visit.agent, scopes=frozenset({"read", "chat", "memory"})
    )


async def line_seen(visit: Visit, message: Message) -> bool:
    """Whether it may read a line: those that recall would show its agent, and turns that it asked
    for itself."""
    if message.role not in _SPOKEN:
        return False
    if message.agent in (None, visit.agent):
        return True
    return await visit.station.turns.requester(message.turn) == asker(visit).key


async def began(visit: Visit, session: str) -> bool:
    """Whether it began the conversation itself."""
    first = await visit.station.conversations.messages(session, limit=1)
    if not first:
        return False
    return await visit.station.turns.requester(first[0].turn) == asker(visit).key


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
    own = await began(visit, session)
    while True:
        messages = await visit.station.conversations.messages(session, after=after, limit=_WINDOW)
        seen = [
            one
            for one in messages
            if (own and await line_seen(visit, one)) or _of_its_agent(visit, one)
        ]
        if len(seen) > limit:
            return seen[:limit], seen[limit - 1].position
        end = len(messages) < _WINDOW
        if seen or end:
            return seen, None if end else messages[-1].position
        after = messages[-1].position


def _of_its_agent(visit: Visit, message: Message) -> bool:
    return message.role in _SPOKEN and message.agent in (None, visit.agent)


async def title_for(visit: Visit, session: Session) -> str:
    """A title is made of the first words; who may not read those is not told it."""
    first = await visit.station.conversations.messages(session.id, limit=1)
    return in_a_line(session.title, 120) if first and await line_seen(visit, first[0]) else ""


async def newest_conversations(visit: Visit, most: int, among: int) -> list[Session]:
    """Of the newest so many those whose first line it may read."""
    found: list[Session] = []
    for one in await visit.station.conversations.list(limit=among):
        first = await visit.station.conversations.messages(one.id, limit=1)
        if len(found) < most and first and await line_seen(visit, first[0]):
            found.append(one)
    return found


async def running_questions(visit: Visit) -> int:
    """How many turns that it asked for have not ended."""
    states = await visit.station.turns.list(limit=_RUNNING)
    running = [one.id for one in states if one.state == "running"]
    key = asker(visit).key
    return sum([await visit.station.turns.requester(one) == key for one in running])
