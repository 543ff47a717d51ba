"""Which tier a memory belongs in: hot, warm or cold; pure.

Hot is what prompts want at once, warm is the rule, cold is found only when asked for. Nothing is
ever deleted by a tier.
"""

from datetime import datetime, timedelta

from skill_agent.values import Access, Memory, Tier

HOT_WINDOW = timedelta(days=7)
HOT_ACCESSES = 10
"""More than so many prompts within the window make a memory hot."""
HOT_IMPORTANCE = 9
COLD_IMPORTANCE = 3
COLD_ACCESSES = 2
COLD_AGE = timedelta(days=90)
KEPT_IMPORTANCE = 8
"""From here on a memory neither cools down nor expires by age."""


def protected(memory: Memory) -> bool:
    """Whether no rule of age may touch it."""
    return memory.pinned or memory.memory_type == "identity" or memory.importance >= KEPT_IMPORTANCE


def fading(memory: Memory, access: Access, now: datetime) -> bool:
    """Unimportant, hardly ever used and old."""
    return (
        not protected(memory)
        and memory.importance < COLD_IMPORTANCE
        and access.count < COLD_ACCESSES
        and now - memory.created_at > COLD_AGE
    )


def tier_of(memory: Memory, access: Access, now: datetime) -> Tier:
    """Where it belongs now; `access.recent` counts the prompts within HOT_WINDOW.

    What is hot without a reason left becomes warm; what is cold stays so until it is pinned, used
    or raised in importance.
    """
    if memory.status in ("superseded", "archived"):
        return "cold"
    wanted = (
        memory.pinned
        or memory.memory_type == "identity"
        or memory.importance >= HOT_IMPORTANCE
        or access.recent > HOT_ACCESSES
    )
    if wanted:
        return "hot"
    if fading(memory, access, now):
        return "cold"
    return "cold" if memory.tier == "cold" else "warm"
