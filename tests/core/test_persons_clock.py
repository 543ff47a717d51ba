"""Whoever speaks is heard by their own clock: what is kept, what is told, what is refused."""

import pytest
from fakes import OpenRuntime, StepClock

from skill_agent.errors import UsageError
from skill_agent.events import MemorySaved
from skill_agent.models.scripted import ScriptedModel
from skill_agent.text.clock import zone_here
from skill_agent.values import TurnRequest

EAST = "Pacific/Kiritimati"


def answering() -> ScriptedModel:
    return ScriptedModel(otherwise="I see.")


async def test_a_message_is_kept_with_the_zone_it_was_written_in(open_runtime: OpenRuntime) -> None:
    async with open_runtime(answering()) as runtime:
        for request in (TurnRequest("Hello there", zone=EAST), TurnRequest("Hello again")):
            async for _ in runtime.turns.ask(request):
                pass
        zones: list[str] = []
        for session in await runtime.conversations.list():
            zones += [
                one.zone
                for one in await runtime.conversations.messages(session.id)
                if one.role == "user"
            ]
        assert sorted(zones) == sorted([EAST, zone_here()])


async def test_a_zone_nobody_knows_leaves_nothing_behind(open_runtime: OpenRuntime) -> None:
    async with open_runtime(answering()) as runtime:
        with pytest.raises(UsageError, match="time zone"):
            await runtime.turns.submit(TurnRequest("Hello", zone="Europe/Atlantis"))
        assert await runtime.conversations.list() == []


async def test_yesterday_is_spelt_out_when_it_is_to_be_remembered(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    clock.now = clock.now.replace(month=11, day=29, hour=13, minute=58)
    async with open_runtime(answering()) as runtime:
        asked = TurnRequest("Remember that I met Odile yesterday at the harbour.", zone=EAST)
        events = [event async for event in runtime.turns.ask(asked)]
        assert any(isinstance(event, MemorySaved) for event in events)
        (kept,) = [one for one in await runtime.memory.list() if one.pinned]
        assert kept.content == "I met Odile on 29 November 2026 at the harbour."
        story = await runtime.memory.story(kept.id)
        assert "yesterday" in story.sources[0].content


async def test_a_prompt_tells_the_day_of_whoever_asks(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    clock.now = clock.now.replace(month=11, day=29, hour=13, minute=58)
    model = answering()
    async with open_runtime(model) as runtime:
        await runtime.memory.add("The boiler has a green colour")
        asked = TurnRequest("Which colour has the boiler?", zone=EAST)
        async for _ in runtime.turns.ask(asked):
            pass
    sent = "\n".join(str(one.content) for one in model.requests[-1].messages)
    assert "It is Monday, 30 November 2026" in sent
    assert "2026-11-30" in sent
    assert "2026-11-29" not in sent
