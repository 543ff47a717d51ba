"""Links between memories: found by code, shown, never in the way of a comparison."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import StepClock
from memory_home import MemoryHome, memory_home

from skill_agent.memory import life
from skill_agent.memory.contradictions.comparing import Near
from skill_agent.memory.contradictions.judge import comparable
from skill_agent.memory.contradictions.links import MOST, linked
from skill_agent.memory.recall.links import links_of, said_beside
from skill_agent.values import Memory, NewMemory, Source


@pytest.fixture
async def home(tmp_path: Path, clock: StepClock) -> AsyncIterator[MemoryHome]:
    async with memory_home(tmp_path, clock) as opened:
        yield opened


async def added(home: MemoryHome, content: str, **fields: object) -> Memory:
    memory = await home.book.add(NewMemory(content, **fields))  # type: ignore[arg-type]
    await home.projector.settle()
    await home.reconciler.catch_up()
    return await home.book.get(memory.id)


async def test_what_names_the_same_is_linked(home: MemoryHome) -> None:
    first = await added(home, "The ferry to Lundby leaves the pier at nine")
    second = await added(home, "The ferry to Lundby leaves with bicycles on board")
    assert links_of(second) == {first.id: "they name the same"}
    assert second.related_to == (first.id,) and said_beside(second) == ()
    other = await added(home, "Oatmeal needs salt")
    assert other.related_to == ()


async def test_what_came_of_one_message_is_linked(home: MemoryHome) -> None:
    source = Source(session="s", message_ids=("m",))
    first = await added(home, "The boat is blue and needs paint", source=source)
    second = await added(home, "The boat is old and needs a mast", source=source)
    assert links_of(second) == {first.id: "said in the same message"}


async def test_a_link_keeps_nothing_from_being_compared(home: MemoryHome) -> None:
    first = await added(home, "I live in Lundby", subject="user.location")
    second = await added(home, "My home is in Norrby", subject="user.location")
    if first.id in second.related_to:
        assert comparable(second, first, "me")
    third = await added(home, "Now I live in Sandby instead", subject="user.location")
    told = {(one.older.id, one.newer.id) for one in await home.book.updates()}
    gone = {one.id for one in await home.book.list() if one.superseded_by}
    assert gone or any(newer == third.id for _, newer in told)


async def test_there_are_few_and_none_across_what_agents_keep_to_themselves(
    home: MemoryHome,
) -> None:
    now = home.clock()

    def of(number: int, **fields: object) -> Memory:
        values = {"id": f"m{number}", "content": f"We met Lundby {number}", "created_at": now}
        return Memory(**{**values, "updated_at": now, "subject": "project.x", **fields})  # type: ignore[arg-type]

    others = {one.id: one for one in (of(number) for number in range(9))}
    near = [Near(id=one, cosine=0.6) for one in others]
    assert len(linked(of(99), near, others).related_to) == MOST
    private = {one: of(0, id=one, memory_type="agent_private", agent="ada") for one in others}
    assert linked(of(99), near, private).related_to == ()
    assert linked(of(99, agent="luke"), near, private).related_to == ()


async def test_both_true_is_a_persons_word(home: MemoryHome) -> None:
    first = await added(home, "The ferry to Lundby leaves the pier at nine")
    second = await added(home, "The ferry to Lundby leaves with bicycles on board")
    assert comparable(second, first, "me")
    (one, other) = life.coexisting([first, second], now=home.clock(), actor="me", reason="")
    assert not comparable(other.memory, one.memory, "me")
    assert links_of(other.memory) == {}
