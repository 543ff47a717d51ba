"""Tool calls that worked twice become a procedure of their agent; one that fails goes again."""

import itertools
from collections.abc import AsyncIterator

import pytest
from fakes import OpenRuntime

from skill_agent.host.runtime import Runtime
from skill_agent.memory.extraction.ways import KIND, SEQUENCE
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Memory, MemoryFilter, NewMemory, ToolCall

NUMBERS = itertools.count()
WISH = "Look up the deploy day and the release branch, please"
STEPS = ["search_memory(query)", "search_memory(query)"]


def looks(*queries: str, name: str = "search_memory") -> list[ToolCall]:
    return [
        ToolCall(id=f"c{next(NUMBERS)}", name=name, arguments={"query": query}) for query in queries
    ]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def runtime(open_runtime: OpenRuntime, model: ScriptedModel) -> AsyncIterator[Runtime]:
    async with open_runtime(model) as opened:
        await opened.memory.add(NewMemory("Deploys happen on Fridays from the release branch"))
        await opened.settle()
        yield opened


async def turn(
    runtime: Runtime, model: ScriptedModel, *calls: list[ToolCall], text: str = WISH
) -> str:
    """A turn in a new conversation with these calls; the id of its reply."""
    model.add(*calls, "Friday, from main")
    events = [event async for event in runtime.ask(text, agent="kyra")]
    await runtime.settle()
    return events[-1].message_id or ""  # type: ignore[union-attr]


async def ways(runtime: Runtime, status: str = "active") -> list[Memory]:
    found = await runtime.memory.list(MemoryFilter(memory_types=("procedural",)))
    return [one for one in found if SEQUENCE in one.metadata and one.status == status]


async def test_a_sequence_that_worked_twice_is_kept(runtime: Runtime, model: ScriptedModel) -> None:
    await turn(runtime, model, looks("hunter2 friday"), looks("branch"))
    assert await ways(runtime) == []
    await turn(runtime, model, looks("deploy"), looks("release"))
    (kept,) = await ways(runtime)
    assert kept.content == f'To do "{WISH}": {" → ".join(STEPS)}'
    assert "hunter2" not in str(kept), "no value of an argument"
    assert (kept.agent, kept.origins, kept.metadata[SEQUENCE]) == ("kyra", (), STEPS)
    assert (kept.metadata["times_used"], kept.metadata["success_rate"]) == (2, 1.0)
    await turn(runtime, model, looks("deploy"), looks("release"))
    (again,) = await ways(runtime)
    assert (again.id, again.metadata["times_used"]) == (kept.id, 3)
    found = await runtime.memory.search("look up the deploy day")
    assert kept.id in {one.hit.item.id for one in found}
    assert kept.id not in {one.id for one in await runtime.memory.list(MemoryFilter(agent="luke"))}


async def test_one_call_is_no_way(runtime: Runtime, model: ScriptedModel) -> None:
    for _ in range(3):
        await turn(runtime, model, looks("deploy"))
    assert await ways(runtime) == []


async def test_other_steps_are_another_way(runtime: Runtime, model: ScriptedModel) -> None:
    await turn(runtime, model, looks("deploy"), looks("release"))
    await turn(runtime, model, looks("deploy"), looks("release"), looks("day"))
    assert await ways(runtime) == []


async def test_a_reply_that_was_rated_down_does_not_count(
    runtime: Runtime, model: ScriptedModel
) -> None:
    reply = await turn(runtime, model, looks("deploy"), looks("release"))
    await runtime.feedback.rate(reply, "down")
    await turn(runtime, model, looks("deploy"), looks("release"))
    assert await ways(runtime) == []
    await turn(runtime, model, looks("deploy"), looks("release"))
    assert len(await ways(runtime)) == 1


async def test_what_fails_later_goes_out_of_use_until_it_works_again(
    runtime: Runtime, model: ScriptedModel
) -> None:
    for _ in range(2):
        await turn(runtime, model, looks("deploy"), looks("release"))
    (kept,) = await ways(runtime)
    empty = [ToolCall(id="bad", name="search_memory", arguments={"query": "  "})]
    await turn(runtime, model, looks("deploy"), empty)
    assert await ways(runtime) == []
    assert [one.id for one in await ways(runtime, "archived")] == [kept.id]
    await turn(runtime, model, looks("deploy"), looks("release"))
    assert await ways(runtime) == []
    await turn(runtime, model, looks("deploy"), looks("release"))
    assert len(await ways(runtime)) == 1


async def test_what_a_person_has_forgotten_does_not_come_back(
    runtime: Runtime, model: ScriptedModel
) -> None:
    for _ in range(2):
        await turn(runtime, model, looks("deploy"), looks("release"))
    (kept,) = await ways(runtime)
    await runtime.memory.forget(kept.id)
    for _ in range(2):
        await turn(runtime, model, looks("deploy"), looks("release"))
    assert await ways(runtime) == []


async def test_a_wish_in_confidence_is_not_written_down(
    runtime: Runtime, model: ScriptedModel
) -> None:
    for _ in range(2):
        await turn(runtime, model, looks("deploy"), looks("x"), text=f"Between us: {WISH}")
    assert await ways(runtime) == []
    assert await runtime.ledger.log(kinds=(KIND,)) == []


async def test_a_purged_conversation_leaves_nothing_of_it(
    runtime: Runtime, model: ScriptedModel
) -> None:
    for _ in range(2):
        await turn(runtime, model, looks("deploy"), looks("release"))
    plan = await runtime.user_data.plan_purge()
    await runtime.user_data.erase(expected=plan.digest)
    assert await ways(runtime) == []
    rows = await runtime.ledger.log(kinds=(KIND,))
    assert rows and all(not row.new for row in rows)
