"""What a memory's `related_to` means: a person said that both are true, or code found that the two
have to do with each other, which its metadata tells."""

from skill_agent.values import Memory

LINKS = "links"
"""By id of the other memory, why code has put it into `related_to`."""


def links_of(memory: Memory) -> dict[str, str]:
    """Those of its links that code found, with the reason."""
    told = memory.metadata.get(LINKS)
    known = told if isinstance(told, dict) else {}
    return {one: str(known[one]) for one in memory.related_to if one in known}


def said_beside(memory: Memory) -> tuple[str, ...]:
    """The memories that a person said to be true beside it."""
    found = links_of(memory)
    return tuple(one for one in memory.related_to if one not in found)


def true_beside(one: Memory, other: Memory) -> bool:
    """Whether a person has said that both are true."""
    return other.id in said_beside(one) or one.id in said_beside(other)
