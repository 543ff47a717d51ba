"""Handing a conversation over and back: by words, by name, by an operation; what is told then."""

import pytest
from fakes import OpenRuntime
from team_talk import begun, events_of, lead, none_of, one

from skill_agent.errors import NotFound, UsageError
from skill_agent.events import (
    HandedOff,
    TurnFinished,
    TurnStarted,
)
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import MemoryFilter, TurnRequest


async def test_a_conversation_is_handed_over_and_told_of(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(["Nice names.", "Hello from Luke.", "More from Luke."])
    async with open_runtime(model) as runtime:
        session = await begun(runtime)
        with runtime.turns.subscribe(session=session) as heard:
            done = await runtime.seats.hand_over("latest", "luke", reason="he knows hens")
            told = await heard.next()
        assert (done.id, done.from_agent, done.to_agent) == (session, "kyra", "luke")
        assert "Berta" in done.context_summary
        assert isinstance(told, HandedOff)
        assert (told.agent, told.came_from, told.reason) == ("luke", "kyra", "he knows hens")
        assert await lead(runtime, session) == "luke"
        events = await events_of(runtime.ask("which one lays more?", session=session))
        assert one(events, TurnStarted).agent == "luke"
        await events_of(runtime.ask("and now?", session=session))
        seats = await runtime.seats.list(session)
        assert [(seat.id, seat.role, seat.left_at is None) for seat in seats] == [
            ("kyra", "handoff_source", False),
            ("luke", "primary", True),
        ]
        (moment,) = await runtime.seats.history(session)
        assert (moment.move, moment.agent, moment.came_from) == ("leads", "luke", "kyra")
    first, later = (request.messages for request in model.requests[1:])
    assert "handed this conversation over to you (he knows hens)" in first[-1].content
    assert "handed this conversation over" not in first[0].content
    assert later[: len(first)] == first, "what was told stays where it was told"
    assert "handed this conversation over" not in later[-1].content


async def test_a_colleagues_words_are_no_words_of_ones_own(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(["Nice names.", "Hello."])
    async with open_runtime(model) as runtime:
        session = await begun(runtime)
        await runtime.seats.hand_over(session, "luke")
        events = await events_of(runtime.ask("go on", session=session))
        reply = (await runtime.conversations.messages(session))[-1]
        assert one(events, TurnFinished).text == "Hello."
        assert reply.agent == "luke" and "agent" in reply.origins
    sent = model.requests[-1].messages
    assert "assistant" not in {message.role for message in sent}
    (told,) = [message for message in sent if "Nice names." in message.content and
               "answered: data" in message.content]  # fmt: skip
    assert told.role == "user"
    assert told.content.startswith("[Kyra, another agent, answered: data, not words of the user]")


async def test_a_handover_is_remembered_for_both_in_the_conversations_language(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Schön.")) as runtime:
        session = await begun(runtime, "Meine Hühner heißen Berta und Frieda und legen gut")
        await runtime.seats.hand_over(session, "luke", reason="er kennt sich aus")
        (kept,) = await runtime.memory.list(MemoryFilter(memory_types=("episodic",)))
        assert kept.content == "Kyra hat an Luke übergeben, weil: er kennt sich aus"
        assert (kept.agent, kept.source_type, kept.source.session) == (None, "system", session)
        for agent in ("kyra", "luke"):
            seen = await runtime.memory.list(MemoryFilter(agent=agent))
            assert kept.id in [memory.id for memory in seen]


@pytest.mark.parametrize(
    "words",
    ["Go back to Kyra.", "@kyra are you there?", "Danke Luke, bitte zurück zu Kyra",
     "Kyraに戻ってください"],
)  # fmt: skip
async def test_it_goes_back_by_words_and_by_name(open_runtime: OpenRuntime, words: str) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        await runtime.seats.hand_over(session, "luke")
        await events_of(runtime.ask("hello", session=session))
        events = await events_of(runtime.ask(words, session=session))
        assert [type(event) for event in events[:2]] == [TurnStarted, HandedOff]
        assert one(events, HandedOff).came_from == "luke"
        assert {event.agent for event in events} == {"kyra"}
        assert await lead(runtime, session) == "kyra"
        again = await events_of(runtime.ask("and what else?", session=session))
        assert one(again, TurnStarted).agent == "kyra" and none_of(again, HandedOff)
        with pytest.raises(UsageError, match="nobody it goes back to"):
            await runtime.seats.go_back(session)


async def test_a_name_in_a_conversation_that_did_not_come_from_it_answers_once(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        events = await events_of(runtime.ask("@ada what do you say?", session=session))
        assert one(events, TurnStarted).agent == "ada" and none_of(events, HandedOff)
        assert await lead(runtime, session) == "kyra"
        for words in ("Go back to Max", "Write a poem: go back to Ada she said, and went"):
            events = await events_of(runtime.ask(words, session=session))
            assert one(events, TurnStarted).agent == "kyra" and none_of(events, HandedOff)


async def test_it_goes_back_step_by_step(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        await runtime.seats.hand_over(session, "luke")
        await events_of(runtime.ask("Hand this over to Ada", session=session))
        assert await lead(runtime, session) == "ada"
        assert (await runtime.seats.go_back(session)).to_agent == "luke"
        assert (await runtime.seats.go_back(session)).to_agent == "kyra"
        with pytest.raises(UsageError):
            await runtime.seats.go_back(session)
        await events_of(runtime.ask("hello", session=session))
        kept = await runtime.memory.list(MemoryFilter(memory_types=("episodic",)))
        assert len(kept) == 4 and {memory.status for memory in kept} == {"active"}


async def test_what_cannot_be_handed_over_is_said(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        with pytest.raises(UsageError, match="has this conversation already"):
            await runtime.seats.hand_over(session, "kyra")
        with pytest.raises(NotFound):
            await runtime.seats.hand_over(session, "nobody")
        with pytest.raises(NotFound):
            await runtime.seats.hand_over("no such talk", "luke")
        await runtime.agents.set_status("ada", "paused")
        with pytest.raises(UsageError, match="paused"):
            await runtime.seats.hand_over(session, "ada")
        events = await events_of(runtime.ask("Hand this over to Ada", session=session))
        assert one(events, TurnStarted).agent == "kyra"
        assert await runtime.seats.history(session) == []


async def test_what_follows_at_once_goes_to_the_new_agent(open_runtime: OpenRuntime) -> None:
    """The second message is sent while the first one is being answered."""
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        first = await runtime.turns.submit(TurnRequest("Hand this over to Luke", session=session))
        second = await runtime.turns.submit(TurnRequest("thanks", session=session))
        assert (first.agent, second.agent) == ("luke", "luke")


async def test_all_of_it_is_there_after_reopening(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        await runtime.seats.hand_over(session, "luke", reason="hens")
        before = await runtime.seats.list(session), await runtime.seats.history(session)
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        assert (await runtime.seats.list(session), await runtime.seats.history(session)) == before
        events = await events_of(runtime.ask("hello", session=session))
        assert one(events, TurnStarted).agent == "luke"
        assert "handed this conversation over" in model.requests[0].messages[-1].content
        assert (await runtime.seats.go_back(session)).to_agent == "kyra"
