"""The runtime over a real ledger and a real index; only the model is scripted."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
from fakes import OpenRuntime

from skill_agent.errors import (
    LedgerBehind,
    ModelRejected,
    ModelUnavailable,
    NotFound,
    SkillAgentError,
    UsageError,
)
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Event,
    MemoryRecalled,
    MemorySaved,
    TextDelta,
    ToolFinished,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    type_name,
)
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.memory.recall.budget import ALREADY
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import NewMemory, ToolCall, TurnRequest

Kind = TypeVar("Kind")
DEPLOY = "Remember that I deploy on Fridays from the release branch"


async def events_of(turn: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in turn]


def one(events: list[Event], kind: type[Kind]) -> Kind:
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


async def until(runtime: Runtime, turn: str, events: AsyncIterator[Event]) -> Event:
    async for event in events:
        if event.turn == turn and isinstance(event, TurnFinished | TurnFailed):
            return event
    raise AssertionError("the turn never ended")


async def test_the_message_is_on_disk_before_the_model_is_asked(open_runtime: OpenRuntime) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([[Gate(gate), "hello"]])
    async with open_runtime(model) as runtime:
        with runtime.turns.subscribe() as events:
            submitted = await runtime.turns.submit("hi there")
            (saved,) = await runtime.conversations.messages(submitted.session)
            assert (saved.role, saved.content) == ("user", "hi there")
            gate.set()
            ended = await until(runtime, submitted.turn, events)
        assert isinstance(ended, TurnFinished)
        stored = await runtime.conversations.messages(submitted.session)
        assert [m.role for m in stored] == ["user", "assistant"]
        assert stored[1].id == ended.message_id
        assert stored[1].usage == ended.usage


async def test_what_is_remembered_is_recalled_in_another_process_and_session(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(["Noted.", "It is."])) as runtime:
        saved = one(await events_of(runtime.ask(DEPLOY)), MemorySaved)
        await events_of(runtime.ask("nice weather today", session="latest"))
    model = ScriptedModel(["On Fridays."])
    async with open_runtime(model) as runtime:
        recalled = one(await events_of(runtime.ask("When do I deploy?")), MemoryRecalled)
        assert recalled.items[0].id == saved.memory_id
        assert recalled.items[0].reason
        assert 'The user said: "I deploy on Fridays' in model.requests[0].messages[-1].content
        (found, *_) = await runtime.memory.search("deploy Fridays")
        assert found.memory is not None
        assert found.memory.id == saved.memory_id
        message = await runtime.ledger.message(found.memory.source.message_ids[0])
        assert message is not None
        assert message.content == DEPLOY
        story = [entry.kind for entry in await runtime.memory.log(saved.memory_id)]
        assert story == ["memory.created", "recalled"]


async def test_recalled_text_stands_in_the_history_and_is_not_sent_twice(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(["Noted.", "On Fridays.", "Yes."])
    async with open_runtime(model) as runtime:
        await events_of(runtime.ask(DEPLOY))
        first = await events_of(runtime.ask("When do I deploy?"))
        session = first[0].session
        second = await events_of(runtime.ask("On which day do I deploy?", session=session))
    assert [item.reason for item in one(second, MemoryRecalled).items] == [ALREADY]
    earlier, later = model.requests[1].messages, model.requests[2].messages
    assert later[: len(earlier)] == earlier
    assert "deploy on Fridays" not in later[-1].content


async def test_the_prefix_lasts_although_a_profile_memory_is_added(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(["a", "b", "c"])
    async with open_runtime(model) as runtime:
        started = await events_of(runtime.ask("hello"))
        await runtime.memory.add(NewMemory("The user lives in Oslo", memory_type="user_profile"))
        await events_of(runtime.ask("and now?", session=started[0].session))
        await events_of(runtime.ask("a new session"))
    first, second, new = (request.messages for request in model.requests)
    assert second[: len(first)] == first
    assert new[0] == first[0]
    assert "Oslo" not in str(first)
    assert "Oslo" in second[-1].content
    assert "Oslo" in new[-1].content


async def test_without_memory_nothing_is_recalled(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(["Noted.", "No idea."])
    async with open_runtime(model) as runtime:
        await events_of(runtime.ask(DEPLOY))
        events = await events_of(runtime.ask("When do I deploy?", use_memory=False))
    assert not [event for event in events if isinstance(event, MemoryRecalled)]
    assert "Fridays" not in str(model.requests[1].messages)
    assert "search_memory" not in {tool.name for tool in model.requests[1].tools}


async def test_private_things_stay_with_the_agent_they_were_told(
    open_runtime: OpenRuntime,
) -> None:
    secret = "Remember this, between us: my new job starts in May"
    model = ScriptedModel(["ok", "no idea", "in May"])
    async with open_runtime(model) as runtime:
        saved = one(await events_of(runtime.ask(secret)), MemorySaved)
        assert saved.memory_type == "agent_private"
        await events_of(runtime.ask("@luke when does my new job start?"))
        await events_of(runtime.ask("@kyra when does my new job start?"))
    luke, kyra = (str(request.messages) for request in model.requests[1:])
    assert "in May" not in luke
    assert "in May" in kyra


async def test_an_agent_is_addressed_anywhere_and_answers_as_itself(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(otherwise="ok")
    async with open_runtime(model) as runtime:
        for text, agent in [("hi", "kyra"), ("what now, @ada?", "ada"), ("@max hello", "max")]:
            events = await events_of(runtime.ask(text))
            assert one(events, TurnStarted).agent == agent
        assert model.requests[2].messages[-1].content.endswith("hello")
        assert model.requests[2].messages[0].content.startswith("You are Max")
        session = await runtime.conversations.find("latest")
        await runtime.conversations.set_agent(session.id, "luke")
        again = await events_of(runtime.ask("and you?", session="latest"))
        assert one(again, TurnStarted).agent == "luke"


async def test_cancel_keeps_the_partial_reply(open_runtime: OpenRuntime) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([["half of ", "it", Gate(gate), "never"]])
    async with open_runtime(model) as runtime:
        with runtime.turns.subscribe() as events:
            submitted = await runtime.turns.submit("tell me")
            async for event in events:
                if isinstance(event, TextDelta) and event.text == "it":
                    break
            assert await runtime.turns.cancel(submitted.turn)
            failed = await until(runtime, submitted.turn, events)
        assert isinstance(failed, TurnFailed)
        assert (failed.reason, failed.text) == ("cancelled", "half of it")
        reply = (await runtime.conversations.messages(submitted.session))[-1]
        assert (reply.content, reply.state) == ("half of it", "partial")
        assert not await runtime.turns.cancel(submitted.turn)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ModelUnavailable("no server", hint="ollama serve"), "model_unavailable"),
        (ModelRejected("bad key sk-aaaaaaaaaaaaaaaaaaaaaaaa"), "rejected"),
    ],
)
async def test_a_failing_model_ends_the_turn_in_words(
    open_runtime: OpenRuntime, problem: SkillAgentError, reason: str
) -> None:
    model = ScriptedModel([["begun ", problem], "better"])
    async with open_runtime(model) as runtime:
        events = await events_of(runtime.ask("hi"))
        failed = one(events, TurnFailed)
        assert failed.reason == reason
        assert "sk-aaaa" not in failed.message
        assert failed.text == "begun "
        assert isinstance(
            (await events_of(runtime.ask("again", session="latest")))[-1], TurnFinished
        )


async def test_a_bug_in_a_turn_is_an_event_not_a_crash(open_runtime: OpenRuntime) -> None:
    def broken(_request: object) -> str:
        raise ZeroDivisionError("oops")

    async with open_runtime(ScriptedModel([broken])) as runtime:
        failed = one(await events_of(runtime.ask("hi")), TurnFailed)
    assert failed.reason == "error"
    assert "ZeroDivisionError" in failed.message


async def test_every_turn_ends_in_exactly_one_event(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(["a", ["b", ModelUnavailable("x")], [ModelUnavailable("y")], "c"])
    async with open_runtime(model) as runtime:
        for _ in range(4):
            events = await events_of(runtime.ask("go"))
            ends = [e for e in events if isinstance(e, TurnFinished | TurnFailed)]
            assert len(ends) == 1
            assert events[-1] is ends[0]
            assert type_name(type(events[0])) == "turn_started"


async def test_turns_of_one_session_run_in_order_and_sessions_side_by_side(
    open_runtime: OpenRuntime,
) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([[Gate(gate), "first"], "other", "second"])
    async with open_runtime(model) as runtime:
        with runtime.turns.subscribe() as events:
            one_turn = await runtime.turns.submit("one")
            async for event in events:
                if isinstance(event, TurnStarted):
                    break
            queued = await runtime.turns.submit(TurnRequest("two", session=one_turn.session))
            beside = await runtime.turns.submit("elsewhere")
            await until(runtime, beside.turn, events)
            gate.set()
            await until(runtime, queued.turn, events)
        stored = await runtime.conversations.messages(one_turn.session)
        assert {m.content for m in stored} == {"one", "two", "first", "second"}
        sent = [m.content.rsplit("\n", 1)[-1] for m in model.requests[2].messages[1:]]
        assert sent == ["one", "first", "two"]


async def test_an_approval_waits_for_an_answer_and_always_is_stored(
    open_runtime: OpenRuntime,
) -> None:
    fetch = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})
    model = ScriptedModel([[fetch], "told", [fetch], "told again"])
    async with open_runtime(model) as runtime:
        with runtime.turns.subscribe() as events:
            submitted = await runtime.turns.submit("look it up")
            async for event in events:
                if isinstance(event, ApprovalAsked):
                    assert event.rule == "kyra http_get:127.0.0.1"
                    assert await runtime.approvals.answer(event.approval, "always", by="telegram")
                if isinstance(event, ApprovalAnswered):
                    assert (event.choice, event.by) == ("always", "telegram")
                    break
            await until(runtime, submitted.turn, events)
        assert await runtime.approvals.rules() == ["kyra http_get:127.0.0.1"]
        again = await events_of(runtime.ask("once more", interactive=False))
        assert not [event for event in again if isinstance(event, ApprovalAsked)]
        assert "private address" in one(again, ToolFinished).result
        await runtime.approvals.revoke("kyra http_get:127.0.0.1")
        assert await runtime.approvals.rules() == []


async def test_without_a_person_approvals_are_denied_at_once(open_runtime: OpenRuntime) -> None:
    fetch = ToolCall(id="c", name="http_get", arguments={"url": "https://example.org/"})
    model = ScriptedModel([[fetch], "I may not."])
    async with open_runtime(model) as runtime:
        events = await events_of(runtime.ask("look it up", interactive=False))
    answered = one(events, ApprovalAnswered)
    assert (answered.choice, answered.by) == ("deny", "no person present")
    assert one(events, ToolFinished).ok is False
    assert isinstance(events[-1], TurnFinished)


async def test_tools_reach_memory_and_skills(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(
        [
            [ToolCall(id="1", name="remember", arguments={"content": "Ana likes tea"})],
            [ToolCall(id="2", name="search_memory", arguments={"query": "what does Ana like"})],
            [ToolCall(id="3", name="activate_skill", arguments={"name": "weather"})],
            [ToolCall(id="4", name="activate_skill", arguments={"name": "code-review"})],
            "done",
        ]
    )
    async with open_runtime(model) as runtime:
        events = await events_of(runtime.ask("go"))
        results = [(e.ok, e.result) for e in events if isinstance(e, ToolFinished)]
        assert results[0][0]
        assert "Ana likes tea" in results[1][1]
        assert results[2][1].startswith('<skill_content name="weather"')
        assert not results[3][0]
        assert "no skill 'code-review'" in results[3][1]
        session = events[0].session
        roles = [m.role for m in await runtime.conversations.messages(session)]
        assert roles == ["user", *["assistant", "tool"] * 4, "assistant"]
        model.add("resumed")
        await events_of(runtime.ask("more", session=session))
    replayed = model.requests[-1].messages
    assert replayed[2].tool_calls[0].name == "remember"
    assert replayed[3].role == "tool"


@pytest.mark.parametrize("text", ["", "   \n\t", "x" * 10_000_001])
async def test_bad_prompts_leave_nothing_behind(open_runtime: OpenRuntime, text: str) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        with pytest.raises(UsageError):
            await runtime.turns.submit(text)
        assert await runtime.conversations.list() == []


@pytest.mark.slow
async def test_a_megabyte_of_prompt_is_kept_whole(open_runtime: OpenRuntime) -> None:
    text = "word " * 200_000
    async with open_runtime(ScriptedModel(["ok"])) as runtime:
        events = await events_of(runtime.ask(text))
        assert isinstance(events[-1], TurnFinished)
        assert (await runtime.conversations.messages(events[0].session))[0].content == text


async def test_unknown_names_are_answered_with_the_nearest(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        with pytest.raises(NotFound) as agent:
            await runtime.turns.submit(TurnRequest("hi", agent="kira"))
        assert "kyra" in agent.value.hint
        await events_of(runtime.ask("Plan the garden"))
        with pytest.raises(NotFound) as session:
            await runtime.turns.submit(TurnRequest("hi", session="Plan the gardn"))
        assert "Plan the garden" in session.value.hint
        assert len(await runtime.conversations.list()) == 1


async def test_a_paused_agent_says_how_to_wake_it(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(["ok"])) as runtime:
        runtime.directory.set_status("luke", "paused")
        with pytest.raises(UsageError) as problem:
            await runtime.turns.submit("@luke hi")
        assert problem.value.hint == "ska agents activate luke"


async def test_a_new_table_in_agents_toml_needs_no_restart(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(["ahoy"])
    async with open_runtime(model) as runtime:
        with runtime.home.agents.open("a") as file:
            file.write('\n[agents.finn]\nname = "Finn"\ntagline = "The sailor"\n')
        events = await events_of(runtime.ask("@finn hello"))
        assert one(events, TurnStarted).agent == "finn"


async def test_the_index_may_be_deleted_at_any_time(open_runtime: OpenRuntime, home: Home) -> None:
    async with open_runtime(ScriptedModel(["Noted."])) as runtime:
        await events_of(runtime.ask(DEPLOY))
    shutil.rmtree(home.index)
    async with open_runtime(ScriptedModel()) as runtime:
        assert await runtime.book.lag() > 0
        found = await runtime.memory.search("deploy Fridays")
        assert found[0].memory is not None
        assert await runtime.book.lag() == 0
        assert await runtime.memory.rebuild() >= 2
        assert (await runtime.memory.search("deploy Fridays"))[0].memory is not None


async def test_sessions_are_found_renamed_searched_and_taken_off(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="fine")) as runtime:
        await events_of(runtime.ask("Plan the garden"))
        await events_of(runtime.ask("Plan the trip"))
        garden = await runtime.conversations.find("plan the garden")
        assert (await runtime.conversations.find("latest")).title == "Plan the trip"
        assert await runtime.conversations.find(garden.id) == garden
        with pytest.raises(UsageError, match="fits 2 sessions"):
            await runtime.conversations.find("plan the")
        renamed = await runtime.conversations.rename("Plan the garden", "Roses")
        assert renamed.title == "Roses"
        assert [m.content for m in await runtime.conversations.search("GARDEN")] == [
            "Plan the garden"
        ]
        await runtime.conversations.delete("roses")
        assert [s.title for s in await runtime.conversations.list()] == ["Plan the trip"]
        assert not [
            found
            for found in await runtime.memory.search("garden")
            if "garden" in found.hit.item.text
        ]
        assert (await runtime.memory.verify()).problems == ()


async def test_usage_adds_up(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="four words are here")) as runtime:
        await events_of(runtime.ask("one"))
        await events_of(runtime.ask("two"))
        usage = await runtime.figures.usage()
    assert usage.turns == 2
    assert usage.total.completion_tokens == 2 * usage.last.completion_tokens > 0
    assert usage.today == usage.total


@pytest.mark.deep
async def test_a_thousand_concurrent_memories_lose_nothing(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:

        async def twenty(task: int) -> list[str]:
            return [(await runtime.memory.add(f"fact {task}-{n}")).id for n in range(20)]

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(twenty(task)) for task in range(50)]
        ids = {memory for task in tasks for memory in task.result()}
        assert len(ids) == 1000
        stored = {row["id"] async for row in runtime.memory.export()}
        assert stored == ids
        await runtime.memory.settle()
        (found, *_) = await runtime.memory.search("fact 37-11")
        assert found.hit.item.text == "fact 37-11"
        assert (await runtime.memory.verify()).problems == ()


async def test_closing_ends_a_running_turn_and_keeps_its_text(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with open_runtime(ScriptedModel([["some text", Gate(asyncio.Event())]])) as runtime:
        with runtime.turns.subscribe() as events:
            submitted = await runtime.turns.submit("go on")
            async for event in events:
                if isinstance(event, TextDelta):
                    break
    async with open_runtime(ScriptedModel()) as runtime:
        reply = (await runtime.conversations.messages(submitted.session))[-1]
        assert (reply.content, reply.state) == ("some text", "partial")


async def test_a_ledger_that_is_gone_beside_its_index_is_no_empty_home(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        await runtime.memory.add("the lighthouse is white")
        await runtime.memory.settle()
    ledger = home.ledger.rename(home.root / "moved away")
    with pytest.raises(LedgerBehind, match="is not there"):
        async with open_runtime(ScriptedModel()):
            pass
    assert not home.ledger.exists()
    ledger.rename(home.ledger)
    async with open_runtime(ScriptedModel()) as runtime:
        (found,) = await runtime.memory.search("lighthouse")
        assert found.hit.item.text == "the lighthouse is white"


async def test_an_earlier_reply_does_not_stand_beside_what_the_person_said(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(["So you deploy on Fridays at 3 am.", "On Fridays.", "Never met him."])
    async with open_runtime(model) as runtime:
        await events_of(runtime.ask(DEPLOY))
        await events_of(runtime.ask("On which day do I deploy?"))
    assert "deploy on Fridays from" in model.requests[1].messages[-1].content
    assert "3 am" not in model.requests[1].messages[-1].content


async def test_what_is_told_twice_is_kept_once(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        first = one(await events_of(runtime.ask(DEPLOY)), MemorySaved)
        again = one(await events_of(runtime.ask(DEPLOY.lower())), MemorySaved)
        assert again.memory_id == first.memory_id
        assert len(await runtime.memory.list()) == 1


class SlowToLoad(ScriptedModel):
    """Takes its time to be there, as one does that is read from disk or imported."""

    load_s = 0.4

    async def load(self) -> None:
        await asyncio.sleep(self.load_s)


async def test_waiting_for_the_model_is_no_part_of_what_recall_took(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(SlowToLoad(otherwise="Noted.")) as runtime:
        await events_of(runtime.ask(DEPLOY))
        begun = time.perf_counter()
        async for event in runtime.ask("When do I deploy?"):
            if isinstance(event, MemoryRecalled):
                assert event.seconds < time.perf_counter() - begun - SlowToLoad.load_s
                break
        else:
            raise AssertionError("nothing was recalled")
