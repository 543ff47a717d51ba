"""What the index is told of a message or a memory; the index itself is not known here.

The ledger has what was said as it was said; nobody finds a credential by searching for it.
"""

from skill_agent.memory.recall.links import said_beside
from skill_agent.text.clock import local, said_at
from skill_agent.text.redaction import masked
from skill_agent.values import IndexItem, Message

from .records import Record, memory_value


def turn_item(message: Message, seq: int, agent: str, owner: str) -> IndexItem:
    """A message as the index holds it; `agent` is its session's."""
    agent = message.agent or agent
    return IndexItem(
        id=message.id,
        kind="turn",
        seq=seq,
        text=masked(message.content),
        created_at=said_at(message),
        speaker="user" if message.role == "user" else agent,
        session=message.session,
        position=message.position,
        agent=agent,
        user=owner,
    )


def memory_item(record: Record, seq: int, places: dict[str, int]) -> IndexItem:
    """A memory as the index holds it; `places` knows those that take their session's order."""
    memory = memory_value(record)
    stated = memory.metadata.get("position")
    place = stated if type(stated) is int else places.get(memory.id, 0)
    return IndexItem(
        id=memory.id,
        kind="memory",
        seq=seq,
        text=masked(memory.content),
        created_at=local(memory.created_at),
        speaker=memory.speaker,
        session=memory.source.session,
        position=place,
        agent=memory.agent,
        user=memory.user,
        memory_type=memory.memory_type,
        subject=memory.subject,
        status=memory.status,
        tier=memory.tier,
        importance=memory.importance,
        pinned=memory.pinned,
        expires_at=memory.expires_at,
        related_to=said_beside(memory),
    )
