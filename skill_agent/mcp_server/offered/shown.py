"""What a home holds, made fit to be given to a program: clean, masked, bounded."""

from datetime import datetime
from typing import Any

from skill_agent.memory.recall.recaller import may_see
from skill_agent.text.gate import tamed
from skill_agent.text.printing import printable
from skill_agent.text.redaction import masked
from skill_agent.text.shaping import one_line
from skill_agent.values import Memory, Message, Scope

CONTENT = 2_000
"""Characters of one memory or message in a list."""
WHOLE = 20_000
"""Of one that was asked for by itself."""
LINE = 300
"""Of one in the short text for a model."""
_TEAM = ("shared", "user_profile")


def shown(text: str, most: int = CONTENT) -> str:
    """Text of whatever origin: no credential, no control character, no template's token."""
    # What is far behind the end is not worth looking at, but a secret across it is.
    near = text[: 2 * most + 4_000]
    clean = tamed(printable(masked(near)))
    return clean if len(clean) <= most else f"{clean[: most - 1].rstrip()}…"


def in_a_line(text: str, most: int = LINE) -> str:
    return one_line(shown(text, 2 * most), most)


def moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def memory_row(memory: Memory, most: int = CONTENT) -> dict[str, Any]:
    """A memory as tools give it; `shapes.MEMORY` says what stands in it."""
    told = memory.metadata.get("client")
    private = memory.agent is not None and memory.memory_type not in _TEAM
    return {
        "id": memory.id,
        "content": shown(memory.content, most),
        "memory_type": memory.memory_type,
        "subject": in_a_line(memory.subject) if memory.subject else None,
        "importance": memory.importance,
        "status": memory.status,
        "pinned": memory.pinned,
        "private": private,
        "agent": memory.agent if private else None,
        "created_at": moment(memory.created_at),
        "updated_at": moment(memory.updated_at),
        "version": memory.version,
        "superseded_by": memory.superseded_by,
        "conversation": memory.source.session,
        "origins": [*memory.origins],
        "client": _client(told) if isinstance(told, dict) else None,
    }


def _client(told: dict[str, Any]) -> dict[str, str]:
    return {name: in_a_line(str(told.get(name, "")), 80) for name in ("name", "version")}


def memory_line(memory: Memory) -> str:
    """The same for a model to read."""
    when = memory.created_at.date().isoformat()
    wrote = f", from {', '.join(memory.origins)}" if memory.origins else ""
    standing = "" if memory.status == "active" else f", {memory.status}"
    about = f"{memory.memory_type}, {when}{standing}{wrote}"
    return f"- {in_a_line(memory.content)} ({about}; {memory.id})"


def message_row(message: Message, most: int = CONTENT) -> dict[str, Any]:
    """A message as tools give it; `shapes.LINE` says what stands in it."""
    return {
        "id": message.id,
        "position": message.position,
        "role": message.role,
        "agent": message.agent,
        "at": moment(message.created_at),
        "text": shown(message.content, most),
        "origins": [*message.origins],
    }


def message_line(message: Message) -> str:
    who = "user" if message.role == "user" else message.agent or "assistant"
    return f"{who}: {in_a_line(message.content)}"


def lines(head: str, found: list[str]) -> str:
    """A heading and its lines."""
    return "\n".join([head, *found])


def sees(memory: Memory, agent: str, user: str) -> bool:
    """Whether an agent may see a memory: the rule of recall, for one that did not come from it."""
    return may_see(memory, Scope(agent=agent, user=user))
