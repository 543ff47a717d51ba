"""Which replies hold what was told to one agent alone, and so are not for the ears of others."""

from collections.abc import Sequence

from skill_agent.ports import Ledger
from skill_agent.values import Memory, MemoryFilter, Message

from .words.phrases import Finder

_MOST = 1_000


async def not_aloud(
    ledger: Ledger, messages: Sequence[Message], *, reader: str | None = None
) -> frozenset[str]:
    """Ids of the replies that were made of a private memory of another agent than the reader, or
    repeat one; without a reader those of any agent's. All messages are of one conversation."""
    if not messages:
        return frozenset()
    named = list(dict.fromkeys(key for one in messages for key in one.recalled))
    known = await ledger.memories_by_id(named) if named else {}
    recalled = {one.id for one in known.values() if _is_hidden(one, reader)}
    made_of = {one.turn for one in messages if not recalled.isdisjoint(one.recalled)}
    here = MemoryFilter(session=messages[0].session, memory_types=("agent_private",), limit=_MOST)
    told = [one for one in await ledger.memories(here) if _is_hidden(one, reader)]
    hidden = [*(known[key] for key in recalled), *told]
    repeats = Finder([one.content for one in hidden])
    return frozenset(
        one.id
        for one in messages
        if one.role == "assistant" and (one.turn in made_of or (hidden and repeats(one.content)))
    )


def _is_hidden(memory: Memory, reader: str | None) -> bool:
    return memory.memory_type == "agent_private" and (reader is None or memory.agent != reader)
