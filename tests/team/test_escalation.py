"""What an agent may not do goes to the one it names, unasked or after the person agreed."""

import asyncio
from dataclasses import dataclass

import pytest
from fakes import OpenRuntime
from team_talk import Chooses, begun, lead, none_of, one, said

from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Choice,
    Event,
    HandedOff,
    TurnFinished,
    TurnStarted,
)
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import MemoryFilter, TurnRequest

SHY = {
    "name": "Shy",
    "boundaries": {"cannot_do": ["recipes"], "escalates_to": "luke", "max_autonomy": "suggest"},
}
RECIPE = "give me a recipe for bread"


@dataclass
class Answers:
    """A person who gives every question this answer."""

    choice: Choice
    asked: ApprovalAsked | None = None

    async def to(self, runtime: Runtime, text: str, session: str) -> list[Event]:
        heard: list[Event] = []
        async for event in runtime.turns.ask(TurnRequest(text, session=session)):
            heard.append(event)
            if isinstance(event, ApprovalAsked):
                self.asked = event
                await runtime.approvals.answer(event.approval, self.choice)
        return heard


async def shy_talk(runtime: Runtime) -> str:
    await runtime.agents.new("shy", SHY)
    session = one(await said(runtime, "hello", agent="shy"), TurnStarted).session
    Chooses(agent="luke", escalated_from="shy").put_into(runtime)
    return session


async def test_what_an_agent_may_not_do_goes_over_by_itself(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        Chooses(agent="luke", escalated_from="kyra").put_into(runtime)
        events = await said(runtime, RECIPE, session=session)
        told = one(events, HandedOff)
        assert (told.came_from, told.agent, told.reason) == ("kyra", "luke", "Kyra may not do this")
        assert none_of(events, ApprovalAsked)
        assert one(events, TurnFinished).agent == "luke"
        assert await lead(runtime, session) == "luke"
        (kept,) = await runtime.memory.list(MemoryFilter(memory_types=("episodic",)))
        assert kept.content == "Kyra handed over to Luke because: Kyra may not do this"


async def test_in_a_new_conversation_too(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        Chooses(agent="luke", escalated_from="kyra").put_into(runtime)
        events = await said(runtime, RECIPE)
        assert one(events, HandedOff).came_from == "kyra"
        session = one(events, TurnStarted).session
        assert await lead(runtime, session) == "luke"
        assert (await runtime.seats.go_back(session)).to_agent == "kyra"


@pytest.mark.parametrize("choice", ["once", "always"])
async def test_an_agent_that_may_do_nothing_by_itself_asks_first(
    open_runtime: OpenRuntime, choice: Choice
) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        session, person = await shy_talk(runtime), Answers(choice)
        events = await person.to(runtime, RECIPE, session)
        asked = person.asked
        assert asked is not None and asked.reason.startswith("Shy may not do this; shall Luke")
        assert (asked.tool, asked.arguments, asked.agent) == ("handoff", {"to": "luke"}, "shy")
        kinds = [type(event) for event in events[:4]]
        assert kinds == [TurnStarted, ApprovalAsked, ApprovalAnswered, HandedOff]
        assert {event.agent for event in events[3:]} == {"luke"}
        assert "You are Luke" in model.requests[-1].messages[0].content
        reply = (await runtime.conversations.messages(session))[-1]
        assert reply.agent == await lead(runtime, session) == "luke"
        stored = ["shy handoff:luke"] if choice == "always" else []
        assert await runtime.approvals.rules() == stored
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        (moment,) = await runtime.seats.history(session)
        assert moment.turn == events[0].turn


async def test_denied_it_answers_itself(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        session, person = await shy_talk(runtime), Answers("deny")
        events = await person.to(runtime, RECIPE, session)
        assert person.asked is not None and none_of(events, HandedOff)
        assert one(events, TurnFinished).agent == await lead(runtime, session) == "shy"
        assert "You are Shy" in model.requests[-1].messages[0].content
        assert await runtime.seats.history(session) == []
        assert await runtime.memory.list(MemoryFilter(memory_types=("episodic",))) == []


async def test_where_nobody_is_there_it_answers_itself(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await shy_talk(runtime)
        events = await said(runtime, RECIPE, session=session, interactive=False)
        assert one(events, ApprovalAnswered).choice == "deny"
        assert one(events, TurnFinished).agent == "shy"


async def test_a_turn_that_is_stopped_while_it_asks_changes_nothing(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await shy_talk(runtime)
        with runtime.turns.subscribe(session=session) as events:
            submitted = await runtime.turns.submit(TurnRequest(RECIPE, session=session))
            async for event in events:
                if isinstance(event, ApprovalAsked):
                    break
        assert await runtime.turns.cancel(submitted.turn)
        assert await runtime.approvals.waiting() == []
        assert await lead(runtime, session) == "shy"
        assert (await runtime.turns.get(submitted.turn)).state == "failed"


async def test_what_was_recalled_for_who_took_over_stays_with_that_one(
    open_runtime: OpenRuntime,
) -> None:
    """The message was for the one, and the block beside it is the other's."""
    secret = "Remember this, between us: the bread is for Edwin"
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        await said(runtime, f"@luke {secret}")
        session = await shy_talk(runtime)
        await Answers("once").to(runtime, "who is the bread for?", session)
        assert "Edwin" in str(model.requests[-1].messages)
        await runtime.seats.go_back(session)
        await said(runtime, "hello again", session=session, agent="shy")
    sent = str(model.requests[-1].messages)
    assert "Edwin" not in sent and "who is the bread for?" in sent


async def test_whoever_is_named_answers_whatever_it_may(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session, chooses = await begun(runtime), Chooses(agent="luke", escalated_from="kyra")
        chooses.put_into(runtime)
        for wishes in ({"text": f"@kyra {RECIPE}"}, {"text": RECIPE, "agent": "kyra"}):
            events = await said(runtime, session=session, **wishes)
            assert one(events, TurnFinished).agent == "kyra" and none_of(events, HandedOff)
        assert chooses.asked == []


async def test_one_that_cannot_be_talked_to_takes_nothing_over(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        await runtime.agents.set_status("luke", "paused")
        Chooses(agent="luke", escalated_from="kyra").put_into(runtime)
        events = await asyncio.wait_for(said(runtime, RECIPE, session=session), 30)
        assert one(events, TurnFinished).agent == "kyra" and none_of(events, HandedOff)
