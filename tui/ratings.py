"""What the person thinks of replies, as the screen needs it; keeping and using it is the core's."""

from typing import TYPE_CHECKING

from skill_agent.values import Rating

if TYPE_CHECKING:
    from skill_agent.values import FeedbackResult


def in_words(rating: Rating, result: "FeedbackResult") -> str:
    """What a rating did to the memories that went into the reply."""
    said = "Noted as good" if rating == "up" else "Noted as not good"
    if result.repeated:
        return f"{said} before; nothing changes"
    changed, used = len(result.changed), len(result.memories)
    if not used:
        return f"{said}; no memory had gone into it"
    if not changed:
        return f"{said}; none of its {_memories(used)} moved"
    flagged = f", {len(result.flagged)} to review" if result.flagged else ""
    return f"{said}: {_memories(changed)} {'raised' if rating == 'up' else 'lowered'}{flagged}"


def _memories(count: int) -> str:
    return f"{count} {'memory' if count == 1 else 'memories'}"
