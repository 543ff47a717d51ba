"""A question is kept before it is shown, answered once, and outlives the process."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fakes import OpenRuntime, StepClock

from skill_agent.errors import Conflict, NotFound, UsageError
from skill_agent.events import Event, InboxArrived, QuestionAnswered, QuestionAsked
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.questions.asking import Asking
from skill_agent.values import Answer, NewQuestion, Purge, Question

ASKS_AND_DIES = Path(__file__).with_name("asks_and_dies.py")
SECRET = "sk-proj-Zk3v9QmT7wXyB2nLr8PdE5hJ4gFaUcVs1Oi6Yt0RqWe"


def new(text: str = "Send the report?", **more: Any) -> NewQuestion:
    return NewQuestion(text=text, **{"timeout_s": 3600.0, **more})


async def waits(runtime: Runtime, number: int = 1) -> list[Question]:
    """Once so many questions wait."""
    while len(found := await runtime.questions.list()) < number:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return found


@asynccontextmanager
async def asked(runtime: Runtime, question: NewQuestion) -> AsyncIterator["asyncio.Task[Answer]"]:
    task = asyncio.create_task(runtime.asks.ask(question))
    try:
        await waits(runtime)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def heard(runtime: Runtime, work: Callable[[], Any], until: type[Event]) -> list[Event]:
    found: list[Event] = []
    with runtime.turns.subscribe() as events:
        task = asyncio.create_task(work())
        async for event in events:
            found.append(event)
            if isinstance(event, until):
                break
        await task
    return found


async def test_it_is_kept_before_it_is_shown_and_answered_once(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        with runtime.turns.subscribe() as events:
            async with asked(runtime, new(detail="To: Anna", agent="kyra")) as task:
                shown = await anext(events)
                assert isinstance(shown, QuestionAsked) and shown.text == "Send the report?"
                kept = await runtime.questions.get(shown.question)
                assert (kept.state, kept.detail) == ("waiting", "To: Anna")
                done = await runtime.questions.answer(shown.question[:12], "yes, please", by="tui")
                assert (done.state, done.action, done.by) == ("answered", "proceed", "tui")
                assert await task == Answer(action="proceed", by="tui")
                answered = await anext(events)
                assert isinstance(answered, QuestionAnswered) and answered.action == "proceed"
        with pytest.raises(Conflict, match="by tui"):
            await runtime.questions.answer(shown.question, "no")
        assert await runtime.questions.list() == []
        assert [one.id for one in await runtime.questions.list(waiting=False)] == [shown.question]


@pytest.mark.parametrize("said", ["", "know", "no, go on", "not yet", "?", "change it"])
async def test_what_is_not_clear_is_asked_again(open_runtime: OpenRuntime, said: str) -> None:
    async with open_runtime(ScriptedModel()) as runtime, asked(runtime, new()) as task:
        (one,) = await runtime.questions.list()
        with pytest.raises(UsageError) as problem:
            await runtime.questions.answer(one.id, said)
        assert "revise" in problem.value.hint and "proceed" in problem.value.hint
        assert not task.done() and await runtime.questions.list() == [one]
        await runtime.questions.answer(one.id, "change the title to Spring")
        assert await task == Answer(
            action="revise", words="change the title to Spring", by="person"
        )


async def test_two_answers_at_once_and_exactly_one_counts(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        for _ in range(5):
            async with asked(runtime, new()) as task:
                (one,) = await runtime.questions.list()
                both = await asyncio.gather(
                    *(
                        runtime.questions.answer(one.id, word, by=window)
                        for word, window in (("yes", "left"), ("no", "right"))
                    ),
                    return_exceptions=True,
                )
                (won,) = [found for found in both if isinstance(found, Question)]
                (lost,) = [found for found in both if isinstance(found, Conflict)]
                assert won.by in lost.message and (await task).by == won.by


async def test_its_time_is_over_by_the_clock_of_the_home(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel()) as runtime, asked(runtime, new()) as task:
        (one,) = await runtime.questions.list()
        clock.advance(hours=2)
        assert await runtime.questions.list() == []
        assert await task == Answer(action="cancel", by="time-out")
        with pytest.raises(Conflict, match="time-out"):
            await runtime.questions.answer(one.id, "yes")
        assert (await runtime.questions.get(one.id)).state == "timed_out"


async def test_time_ends_it_by_itself(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        asking = Asking(
            ledger=runtime.ledger,
            clock=clock,
            publish=lambda _: None,
            delivers=runtime.delivers,
            look_s=0.01,
        )
        task = asyncio.create_task(asking.ask(new(default="revise")))
        await waits(runtime)
        clock.advance(hours=2)
        assert await task == Answer(action="revise", by="time-out")
        await asking.end()


async def test_it_survives_a_restart(open_runtime: OpenRuntime, clock: StepClock) -> None:
    key = str(uuid4())
    async with (
        open_runtime(ScriptedModel()) as runtime,
        asked(runtime, new(key=key, timeout_s=7200)),
    ):
        before = await runtime.questions.get(key)
    clock.advance(hours=1)
    async with open_runtime(ScriptedModel()) as runtime:
        assert await runtime.questions.list() == [before], "time that is left counts on"
        async with asked(runtime, new("Another text", key=key.upper())) as task:
            await runtime.questions.answer(key, "ok")
            assert (await task).action == "proceed"
    async with open_runtime(ScriptedModel()) as runtime:
        assert await runtime.asks.ask(new(key=key)) == Answer(action="proceed", by="person")


async def test_answered_while_nobody_asked(open_runtime: OpenRuntime, clock: StepClock) -> None:
    first, second = str(uuid4()), str(uuid4())
    async with open_runtime(ScriptedModel()) as runtime:
        tasks = [asyncio.create_task(runtime.asks.ask(new(key=one))) for one in (first, second)]
        await waits(runtime, 2)
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(await runtime.questions.list()) == 2, "it goes on waiting"
    async with open_runtime(ScriptedModel()) as runtime:
        await runtime.questions.answer(first, "change: with graphs")
        clock.advance(hours=2)
        found = await runtime.asks.ask(new(key=first))
        assert (found.action, found.words) == ("revise", "with graphs")
    async with open_runtime(ScriptedModel()) as runtime:
        assert await runtime.asks.ask(new(key=second)) == Answer(action="cancel", by="time-out")


@pytest.mark.deep
def test_kill_while_waiting(home: Home) -> None:
    asyncio.run(_killed(home))


async def _killed(home: Home) -> None:
    from skill_agent.cli.opening.home import open_home

    from skill_agent.models.scripted import ScriptedGateway

    key = str(uuid4())
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, str(ASKS_AND_DIES), str(home.root), key],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    told = await asyncio.to_thread(process.stdout.readline)
    assert told.strip() == key
    process.kill()
    process.communicate()
    async with open_home(home.root, gateway=ScriptedGateway(ScriptedModel())) as runtime:
        assert isinstance(runtime, Runtime)
        assert [one.id for one in await runtime.questions.list()] == [key]
        await runtime.questions.answer(key, "yes")
        assert (await runtime.asks.ask(new(key=key))).action == "proceed"


async def test_the_one_who_asks_may_withdraw(open_runtime: OpenRuntime) -> None:
    key = str(uuid4())
    async with open_runtime(ScriptedModel()) as runtime, asked(runtime, new(key=key)) as task:
        await runtime.asks.withdraw(key)
        await runtime.asks.withdraw(key)
        assert await task == Answer(action="cancel", by="withdrawn")
        assert (await runtime.questions.get(key)).state == "withdrawn"


async def test_what_a_tool_asked_goes_with_its_turn(open_runtime: OpenRuntime) -> None:
    async with (
        open_runtime(ScriptedModel()) as runtime,
        asked(runtime, new(source="tool")) as _,
    ):
        (one,) = await runtime.questions.list()
    async with open_runtime(ScriptedModel()) as runtime:
        assert await runtime.questions.list() == []
        assert (await runtime.questions.get(one.id)).state == "withdrawn"


async def test_it_lies_in_the_inbox_once_where_nobody_is(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    present = False
    async with open_runtime(ScriptedModel()) as runtime:
        told: list[Event] = []
        asking = Asking(
            ledger=runtime.ledger,
            clock=clock,
            publish=told.append,
            delivers=runtime.delivers,
            watched=lambda: present,
            look_s=0.01,
        )

        async def ask() -> None:
            task = asyncio.create_task(asking.ask(new(key=key)))
            await waits(runtime)
            for _ in range(5):
                await asking.look()
            task.cancel()

        key = str(uuid4())
        found = await heard(runtime, ask, InboxArrived)
        assert [one.sort for one in found if isinstance(one, InboxArrived)] == ["question"]
        kinds = [one.kind async for one in _log(runtime)]
        assert kinds.count("inbox.item") == 1
        present = True
        key = str(uuid4())
        await ask()
        assert [one.kind async for one in _log(runtime)].count("inbox.item") == 1
        await asking.end()


async def _log(runtime: Runtime) -> AsyncIterator[Any]:
    for one in await runtime.ledger.log(limit=1000):
        yield one


async def test_secrets_are_masked_wherever_they_stand(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        question = new(f"Use {SECRET}?", detail=f"key = {SECRET}", chain=(f"Kyra: {SECRET}",))
        async with asked(runtime, question) as task:
            (one,) = await runtime.questions.list()
            await runtime.questions.answer(one.id, f"change it to {SECRET}")
            answer = await task
        rows = [f"{row.new}" async for row in _log(runtime)]
        found = await runtime.questions.get(one.id)
    assert not [text for text in (*rows, repr(found), repr(answer)) if SECRET in text]
    assert "change it to [" in answer.words


async def test_a_purge_takes_the_questions_of_its_conversation(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        session = [event async for event in runtime.ask("Hello")][-1].session
        async with asked(runtime, new("About the pear tree", session=session)) as task:
            (one,) = await runtime.questions.list()
            await runtime.questions.answer(one.id, "change the pear to a plum")
            await task
        async with asked(runtime, new("Elsewhere?")) as task:
            await runtime.ledger.purge(Purge(sessions=(session,), actor="person"))
            assert [left.text for left in await runtime.questions.list(waiting=False)] == [
                "Elsewhere?"
            ]
            with pytest.raises(NotFound):
                await runtime.questions.get(one.id)
            rows = [f"{row.new}" async for row in _log(runtime)]
            assert not [text for text in rows if "pear" in text]
            assert not task.done()


async def test_a_purge_while_it_waits_gives_the_safe_answer(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        session = [event async for event in runtime.ask("Hello")][-1].session
        async with asked(runtime, new(session=session)) as task:
            await runtime.ledger.purge(Purge(sessions=(session,), actor="person"))
            assert await runtime.questions.list() == []
            assert (await task).action == "cancel"


async def test_one_whose_answer_was_erased_does_not_wait_again(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        kept = await runtime.memory.add("The heron is at the door")
        async with asked(runtime, new()) as task:
            (one,) = await runtime.questions.list()
            await runtime.questions.answer(one.id, "change: The heron is at the door")
            await task
        plan = await runtime.eraser.plan([kept.id])
        await runtime.eraser.erase([kept.id], expected=plan.digest)
        assert "heron" not in str([row.new async for row in _log(runtime)])
        assert await runtime.questions.list() == []
        assert await runtime.questions.list(waiting=False) == []


@pytest.mark.parametrize(
    "wrong", [new(" "), new(key="what was it"), new(timeout_s=0), new(timeout_s=float("nan"))]
)
async def test_what_is_no_question_is_refused(
    open_runtime: OpenRuntime, wrong: NewQuestion
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        with pytest.raises(UsageError):
            await runtime.asks.ask(wrong)


async def test_the_log_does_not_grow_while_it_waits(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, asked(runtime, new()):
        before = len([one async for one in _log(runtime)])
        for _ in range(10):
            await runtime.questions.list()
        assert len([one async for one in _log(runtime)]) == before


async def test_no_note_stands_in_the_way(open_runtime: OpenRuntime) -> None:
    good = {"made": "2026-11-30T09:00:00.000000Z", "state": "waiting", "source": "job"}
    odd: list[Any] = [
        None, 7, "x", [], {}, {"made": 3}, {"made": "never"}, {"made": "9" * 27}, good,
        {**good, "default": "cancel", "expires": "soon"}, {**good, "state": "odd"},
        {**good, "default": "cancel", "expires": good["made"], "chain": 7, "origins": 3},
    ]  # fmt: skip
    async with open_runtime(ScriptedModel()) as runtime:
        for number, data in enumerate(odd):
            await runtime.ledger.note("question", f"odd{number}", actor="x", data=data)
        assert await runtime.questions.list() == []
        assert await runtime.questions.list(waiting=False) == []
        async with asked(runtime, new()) as task:
            (one,) = await runtime.questions.list()
            await runtime.questions.answer(one.id, "y")
            assert (await task).action == "proceed"
