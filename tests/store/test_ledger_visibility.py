"""Which memories an agent may see, over every type, owner and user."""

from itertools import product

import pytest

from skill_agent.values import MEMORY_TYPES, MemoryFilter

AGENTS = (None, "kyra", "luke")
USERS = (None, "me", "sarah")
UNSCOPED = ("semantic", "episodic")


def visible(memory_type: str, owner: str | None, about: str | None, user: str | None) -> bool:
    """The rule in words of its own: what Kyra sees when she works for `user`."""
    if user is not None and about not in (None, user):
        return False
    if memory_type in ("shared", "user_profile"):
        return True
    return owner == "kyra" or (owner is None and memory_type in UNSCOPED)


@pytest.mark.parametrize("user", [None, "me"])
async def test_an_agent_sees_its_own_the_teams_and_the_unscoped(ledger, make, user):
    every = list(product(MEMORY_TYPES, AGENTS, USERS))
    await ledger.write_memories(
        [make.created(f"{t}/{a}/{u}", memory_type=t, agent=a, user=u) for t, a, u in every]
    )
    seen = await ledger.memories(MemoryFilter(agent="kyra", user=user, limit=1000))
    expected = {f"{t}/{a}/{u}" for t, a, u in every if visible(t, a, u, user)}
    assert {memory.content for memory in seen} == expected
    assert len(await ledger.memories(MemoryFilter(limit=1000))) == len(every)


async def test_the_person_sees_everything_of_theirs(ledger, make):
    await ledger.write_memories(
        [make.created(str(u), memory_type="agent_private", agent="luke", user=u) for u in USERS]
    )
    seen = await ledger.memories(MemoryFilter(user="me"))
    assert {memory.content for memory in seen} == {"None", "me"}
