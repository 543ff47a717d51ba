"""Turns that wait for a person: questions of models, approvals that are kept, and revised."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fakes import OpenRuntime, StepClock

from skill_agent.access.confined import Confined
from skill_agent.errors import Conflict, NotFound, UsageError
from skill_agent.events import ApprovalAnswered, ApprovalAsked, Event, ToolFinished
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import (
    ModelAbility,
    NewQuestion,
    Purge,
    Question,
    Requester,
    ToolCall,
    TurnRequest,
)

ASK = ToolCall(id="q", name="ask_person", arguments={"question": "Delete the old drafts?"})
ON = "[features]\ndelegation_by_models = true\n"
SECRET = "sk-proj-Zk3v9QmT7wXyB2nLr8PdE5hJ4gFaUcVs1Oi6Yt0RqWe"
FETCH = ToolCall(id="c", name="http_get", arguments={"url": f"http://a.invalid/?key={SECRET}"})


async def waits(runtime: Runtime) -> Question:
    async with asyncio.timeout(20):
        while not (found := await runtime.questions.list()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found[0]


@asynccontextmanager
async def able(
    open_runtime: OpenRuntime, home: Home, model: ScriptedModel
) -> AsyncIterator[Runtime]:
    async with open_runtime(ScriptedModel()):
        pass
    home.config.write_text(ON, encoding="utf-8")
    async with open_runtime(model) as runtime:
        proved = ModelAbility(id=model.info.name, able=True, right=9, of=9)
        runtime._team.offering.abilities.keep(model.info, proved)
        yield runtime


async def events_of(runtime: Runtime, text: str, **more: Any) -> list[Event]:
    return [one async for one in runtime.turns.ask(TurnRequest(text, agent="kyra", **more))]


def result(events: list[Event]) -> str:
    return next(one.result for one in events if isinstance(one, ToolFinished))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("yes", "the person says yes"),
        ("no, they are mine", "the person says no: no, they are mine"),
        ("change: only those of 2020", "different: only those of 2020"),
    ],
)
async def test_a_model_asks_and_reads_the_answer(
    open_runtime: OpenRuntime, home: Home, said: str, told: str
) -> None:
    model = ScriptedModel([[ASK], "Well."])
    async with able(open_runtime, home, model) as runtime:
        turn = asyncio.create_task(events_of(runtime, "tidy up", interactive=False))
        one = await waits(runtime)
        assert (one.text, one.source, one.agent) == ("Delete the old drafts?", "tool", "kyra")
        assert one.origins == ("agent",) and one.about == one.turn
        await runtime.questions.answer(one.id, said)
        assert told in result(await turn)
        assert told in model.requests[-1].messages[-1].content


async def test_time_over_is_no_yes(open_runtime: OpenRuntime, home: Home, clock: StepClock) -> None:
    async with able(open_runtime, home, ScriptedModel([[ASK], "Well."])) as runtime:
        turn = asyncio.create_task(events_of(runtime, "tidy up", interactive=False))
        await waits(runtime)
        clock.advance(days=2)
        assert await runtime.questions.list() == []
        assert "nobody answered in time: do not do it" in result(await turn)


async def test_a_turn_that_is_stopped_asks_no_more(open_runtime: OpenRuntime, home: Home) -> None:
    async with able(open_runtime, home, ScriptedModel([[ASK], "Well."])) as runtime:
        turn = asyncio.create_task(events_of(runtime, "tidy up"))
        one = await waits(runtime)
        await runtime.turns.cancel(one.turn)
        await turn
        assert (await runtime.questions.get(one.id)).state == "withdrawn"


async def test_a_model_is_not_asked_to_ask_unless_it_proved_able(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(otherwise="Yes.")
    async with open_runtime(model) as runtime:
        await events_of(runtime, "Hello")
        assert "ask_person" not in {one.name for one in model.requests[-1].tools}


# -- approvals -----------------------------------------------------------------------------------


async def rows(runtime: Runtime, kind: str) -> list[Any]:
    return [one.new for one in await runtime.ledger.log(kinds=(kind,))]


@asynccontextmanager
async def fetching(runtime: Runtime) -> AsyncIterator[tuple[ApprovalAsked, "asyncio.Task[Any]"]]:
    """A turn that waits for an approval."""
    with runtime.turns.subscribe() as events:
        turn = asyncio.create_task(events_of(runtime, "look at the news for me"))
        async for event in events:
            if isinstance(event, ApprovalAsked):
                yield event, turn
                return


async def test_an_approval_is_kept_masked_before_it_is_shown(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([[FETCH], "Then not."])
    async with open_runtime(model) as runtime:
        async with fetching(runtime) as (asked, turn):
            (kept,) = await rows(runtime, "approval")
            assert kept["state"] == "waiting" and "http_get" in kept["what"]
            assert SECRET not in str(kept)
            assert await runtime.approvals.answer(asked.approval, "deny", words="ask Luke")
        events = await turn
        assert "the person wants something else instead: ask Luke" in result(events)
        answered = next(one for one in events if isinstance(one, ApprovalAnswered))
        assert (answered.choice, answered.words) == ("deny", "ask Luke")
        assert [one["state"] for one in await rows(runtime, "approval")] == ["waiting", "deny"]
        assert not await runtime.approvals.answer(asked.approval, "deny", words="late")


async def test_words_go_with_a_denial_only(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel([[FETCH], "Then not."])) as runtime:
        async with fetching(runtime) as (asked, turn):
            for choice in ("once", "always"):
                with pytest.raises(UsageError, match="denied"):
                    await runtime.approvals.answer(asked.approval, choice, words="but quickly")
            with pytest.raises(UsageError, match="characters"):
                await runtime.approvals.answer(asked.approval, "deny", words="x" * 4_001)
            await runtime.approvals.answer(asked.approval, "deny")
        assert "denied this call" in result(await turn)


async def test_one_that_waited_when_the_home_closed_is_withdrawn_and_told(
    open_runtime: OpenRuntime,
) -> None:
    async with (
        open_runtime(ScriptedModel([[FETCH]])) as runtime,
        fetching(runtime) as (asked, _turn),
    ):
        assert [one.id for one in await runtime.approvals.waiting()] == [asked.approval]
    for _ in range(2):  # once, however often it is opened
        async with open_runtime(ScriptedModel()) as runtime:
            states = [one["state"] for one in await rows(runtime, "approval")]
            assert states == ["waiting", "withdrawn"]
            (item,) = await rows(runtime, "inbox.item")
            assert "http_get" in item["text"] and "Nothing was done" in item["text"]
            assert SECRET not in str(item)
            assert await runtime.approvals.waiting() == []


async def test_one_of_a_turn_that_was_stopped_is_not_told(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel([[FETCH]])) as runtime:
        async with fetching(runtime) as (asked, turn):
            await runtime.turns.cancel(asked.turn)
        await turn
        assert [one["state"] for one in await rows(runtime, "approval")] == [
            "waiting",
            "withdrawn",
        ]
    async with open_runtime(ScriptedModel()) as runtime:
        assert await rows(runtime, "inbox.item") == []


async def test_a_call_nobody_could_allow_leaves_no_row(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel([[FETCH], "Then not."])) as runtime:
        await events_of(runtime, "look at the news for me", interactive=False)
        assert await rows(runtime, "approval") == []


async def test_a_purge_takes_what_was_asked(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel([[FETCH], "Then not."])) as runtime:
        async with fetching(runtime) as (asked, turn):
            await runtime.approvals.answer(asked.approval, "deny", words="try the walrus")
        await turn
        await runtime.settle()
        await runtime.ledger.purge(Purge(sessions=(asked.session,), actor="person"))
        assert "walrus" not in str(await rows(runtime, "approval"))
        assert (await runtime.memory.verify()).problems == ()


# -- keys ----------------------------------------------------------------------------------------


async def test_a_key_sees_and_answers_what_its_own_work_asks(open_runtime: OpenRuntime) -> None:
    def key(name: str, *scopes: str) -> Requester:
        return Requester(key=name, name=f"key {name}", scopes=frozenset(scopes))

    async with open_runtime(ScriptedModel()) as runtime:
        asks = [
            asyncio.create_task(runtime.asks.ask(NewQuestion(text=f"Of {name}?", asker=name)))
            for name in ("one", "two", None)
        ]
        async with asyncio.timeout(20):
            while len(every := await runtime.questions.list()) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        of = {one.text: one for one in every}
        mine, other = Confined(runtime, key("one", "chat")), Confined(runtime, key("two", "read"))
        admin = Confined(runtime, key("boss", "admin"))
        assert [one.text for one in await mine.questions.list()] == ["Of one?"]
        assert len(await admin.questions.list()) == 3
        for theirs in ("Of two?", "Of None?"):
            with pytest.raises(NotFound):
                await mine.questions.get(of[theirs].id)
            with pytest.raises(NotFound):
                await mine.questions.answer(of[theirs].id, "yes")
        with pytest.raises(NotFound):
            await other.questions.get(of["Of one?"].id)
        done = await mine.questions.answer(of["Of one?"].id, "yes", by="the person")
        assert done.by == "key one", "a key answers in its own name"
        assert (await admin.questions.answer(of["Of None?"].id, "no")).by == "key boss"
        with pytest.raises(Conflict):
            await admin.questions.answer(of["Of one?"].id, "no")
        asks[1].cancel()
        await asyncio.gather(*asks, return_exceptions=True)
