"""Summaries of conversations and months: found, dated, renewed, kept apart, and gone with what
they told; over real stores."""

from collections.abc import AsyncIterator

import pytest
from fakes import OpenRuntime, StepClock

from skill_agent.host.runtime import Runtime
from skill_agent.memory.recall.summed import OF_MONTH, OF_SESSION, made_from
from skill_agent.memory.summaries.summary import by_rules, telling
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Memory, MemoryFilter, NewMemory, Search, Source

SAID = (
    "We bought a lathe from the school in Dover.",
    "The roof of the barn is leaking near the east gable.",
    "My cousin Ottilie keeps nineteen geese.",
    "We will paint the shed with linseed oil.",
)


@pytest.fixture
async def runtime(open_runtime: OpenRuntime) -> AsyncIterator[Runtime]:
    async with open_runtime(ScriptedModel(otherwise="understood")) as opened:
        yield opened


async def say(runtime: Runtime, *texts: str, session: str | None = None, agent: str) -> str:
    for text in texts:
        async for event in runtime.ask(text, session=session, agent=agent):
            session = event.session
    await runtime.settle()
    assert session is not None
    return session


async def sum_up(runtime: Runtime, clock: StepClock) -> None:
    clock.advance(hours=1)
    await runtime.upkeep.consolidate(summarise=False)


async def kept(runtime: Runtime, subject: str) -> list[Memory]:
    return await runtime.memory.list(MemoryFilter(subject=subject, statuses=("active",)))


async def test_a_conversation_that_has_ended_is_summed_up_once(
    runtime: Runtime, clock: StepClock
) -> None:
    session = await say(runtime, *SAID[:3], agent="kyra")
    await runtime.upkeep.consolidate(summarise=False)
    assert await kept(runtime, OF_SESSION) == []
    await sum_up(runtime, clock)
    (first,) = await kept(runtime, OF_SESSION)
    (month,) = await kept(runtime, OF_MONTH)
    assert first.content.startswith('2026-11-20: "')
    assert all(text in first.content for text in SAID[:3])
    assert (first.agent, first.speaker, month.metadata["of"]) == ("kyra", None, "2026-11")
    messages = await runtime.ledger.messages(session)
    assert made_from(first) == {one.id for one in messages if one.role == "user"}
    await sum_up(runtime, clock)
    assert [one.id for one in await kept(runtime, OF_SESSION)] == [first.id]
    await say(runtime, SAID[3], session=session, agent="kyra")
    await sum_up(runtime, clock)
    (second,) = await kept(runtime, OF_SESSION)
    assert SAID[3] in second.content
    assert (await runtime.memory.get(first.id)).superseded_by == second.id


async def test_it_is_found_for_a_stretch_of_time_and_crowds_out_no_detail(
    runtime: Runtime, clock: StepClock
) -> None:
    await say(runtime, *SAID, agent="kyra")
    await sum_up(runtime, clock)
    (first, *_) = await runtime.memory.search("what happened in November?")
    assert first.memory is not None
    assert first.memory.subject in (OF_SESSION, OF_MONTH)
    for text in SAID:
        (best, *_) = await runtime.memory.search(text)
        assert text.rpartition(" ")[2] in best.hit.item.text
        assert best.memory is None or not made_from(best.memory)


async def test_another_agent_never_sees_it(runtime: Runtime, clock: StepClock) -> None:
    await say(runtime, *SAID, agent="kyra")
    await sum_up(runtime, clock)
    found = await runtime.memory.search(Search("what happened in November?", agent="luke"))
    assert [one for one in found if one.memory and made_from(one.memory)] == []


async def test_what_is_forgotten_goes_from_it_at_once(runtime: Runtime, clock: StepClock) -> None:
    session = await say(runtime, *SAID, agent="kyra")
    await sum_up(runtime, clock)
    source = (await runtime.ledger.messages(session))[4]
    new = NewMemory(
        "Ottilie keeps geese.", source=Source(session=session, message_ids=(source.id,))
    )
    memory = await runtime.memory.add(new)
    assert await kept(runtime, OF_SESSION)
    await runtime.memory.forget(memory.id)
    assert await kept(runtime, OF_SESSION) == await kept(runtime, OF_MONTH) == []
    await sum_up(runtime, clock)
    (anew,) = await kept(runtime, OF_SESSION)
    assert "geese" not in anew.content


async def test_an_erased_message_takes_every_version_of_it_along(
    runtime: Runtime, clock: StepClock
) -> None:
    await say(runtime, *SAID, agent="kyra")
    session = await say(runtime, "Remember that my locker is number 4471.", agent="kyra")
    await say(runtime, SAID[0], SAID[1], session=session, agent="kyra")
    await sum_up(runtime, clock)
    before = [one for one in await runtime.memory.list() if "4471" in one.content]
    secret = next(one for one in before if not made_from(one))
    plan = await runtime.eraser.plan([secret.id])
    assert {one.id for one in before} <= {one.id for one in plan.memories}
    await runtime.eraser.erase([secret.id], expected=plan.digest)
    left = await runtime.memory.list(MemoryFilter(limit=1000))
    assert [one for one in left if "4471" in one.content] == []


def test_what_tells_most_is_told_of_every_day() -> None:
    lines = [("2026-05-01", f"the {word} stands in the yard") for word in ("elm", "oak", "ash")]
    lines += [("2026-05-02", "the gate stands open")]
    chosen = telling(lines, most=70)
    assert {lines[at][0] for at in chosen} == {"2026-05-01", "2026-05-02"}
    assert by_rules(lines[2:]) == (
        '2026-05-01: "the ash stands in the yard" 2026-05-02: "the gate stands open"'
    )
