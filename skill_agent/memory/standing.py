"""What a memory may become whose words are not the person's alone.

It is found like any other. What stands in every prompt (identity, profile, the team's, pins) is a
person's to give: they do so by pinning or correcting it, and vouch for its words by that.
"""

from dataclasses import replace

from skill_agent.values import Memory, MemoryType

GIVEN: tuple[MemoryType, ...] = ("identity", "user_profile", "shared")
"""Types that only a person gives to a memory."""
MOST = 8
"""The importance up to which it rises by itself; from 9 on a memory is hot."""


def within_bounds(memory: Memory) -> Memory:
    """The memory as it may stand; one of the person's own words is left as it is."""
    if not memory.origins:
        return memory
    given = memory.memory_type in GIVEN
    return replace(
        memory,
        memory_type="semantic" if given else memory.memory_type,
        pinned=False,
        importance=min(memory.importance, MOST),
        tier="warm" if memory.tier == "hot" else memory.tier,
    )


def vouched(memory: Memory) -> Memory:
    """Taken over by a person: its words count as theirs."""
    return replace(memory, origins=())
