"""A collaboration that asks the person between its stages."""

import asyncio
from typing import Any

import pytest
from collaborating import Came, Stage, agreeable, staged
from fakes import OpenRuntime, StepClock

from skill_agent.errors import UsageError
from skill_agent.values import Question


async def asks(stage: Stage, number: int = 1) -> list[Question]:
    """Once so many questions wait."""
    async with asyncio.timeout(20):
        while len(found := await stage.runtime.questions.list()) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


async def test_what_is_to_be_different_goes_to_the_next_stage(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock, agreeable) as stage:
        begun = await stage.start("pipeline", "luke", "ada", "kyra", ask_between=True)
        (first,) = await asks(stage)
        assert first.text.startswith("Go on after stage 1?") and "luke on stage 1" in first.detail
        assert (first.source, first.about, first.agent) == ("collaboration", begun.id, "kyra")
        now = await stage.sessions.get(begun.id)
        assert (now.status, now.current_stage) == ("active", "asks after stage 1")
        assert [one.assigned_to for one in stage.played.seen] == ["luke"]
        await stage.runtime.questions.answer(first.id, "change: name three trees")
        (second,) = await asks(stage)
        assert second.text.startswith("Go on after stage 2?")
        assert stage.played.asked("ada").instructions.endswith("name three trees")
        await stage.runtime.questions.answer(second.id, "go on")
        done = await stage.ended(begun)
        assert done.status == "completed"
        assert "name three trees" not in stage.played.asked("kyra").instructions


async def test_a_supervisor_asks_before_it_sums_up(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock, agreeable) as stage:
        begun = await stage.start("supervisor_worker", "kyra", "luke", "ada", ask_between=True)
        (one,) = await asks(stage)
        assert "luke on work" in one.detail and "ada on work" in one.detail
        await stage.runtime.questions.answer(one.id, "revise: in one sentence")
        done = await stage.ended(begun)
        assert done.status == "completed"
        assert stage.played.asked("kyra", "synthesis").instructions.endswith("in one sentence")


async def test_a_no_ends_it(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock, agreeable) as stage:
        begun = await stage.start("pipeline", "luke", "kyra", ask_between=True)
        (one,) = await asks(stage)
        await stage.runtime.questions.answer(one.id, "no", by="the window")
        done = await stage.ended(begun)
        assert (done.status, done.error) == ("cancelled", "stopped after stage 1 (by the window)")
        assert [each.output for each in done.stage_outputs] == ["luke on stage 1"]


async def test_time_with_the_person_is_not_its_own(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock, agreeable) as stage:
        begun = await stage.start("pipeline", "luke", "kyra", ask_between=True, max_duration_s=60)
        (one,) = await asks(stage)
        work = stage.sessions._running[begun.id].work
        assert work.timer is not None and work.timer.when() is None
        clock.advance(hours=1)
        await stage.runtime.questions.answer(one.id, "yes")
        assert (await stage.ended(begun)).status == "completed"


async def test_it_is_taken_up_with_the_answer_given_meanwhile(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock, agreeable) as stage:
        begun = await stage.start("pipeline", "luke", "kyra", ask_between=True)
        (one,) = await asks(stage)
        await stage.sessions.end()
    clock.advance(hours=5)
    async with staged(open_runtime, clock, agreeable) as stage:
        assert await stage.runtime.questions.list() == [one]
        await stage.runtime.questions.answer(one.id, "change: shorter")
        assert await stage.sessions.take_up() == 1
        done = await stage.ended(begun)
        assert done.status == "completed"
        assert [new.assigned_to for new in stage.played.seen] == ["kyra"], "luke's is not done anew"
        assert stage.played.asked("kyra").instructions.endswith("shorter")


async def test_cancelled_it_asks_no_more(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock, agreeable) as stage:
        begun = await stage.start("pipeline", "luke", "kyra", ask_between=True)
        (one,) = await asks(stage)
        done = await stage.sessions.cancel(begun.id, reason="enough")
        assert (done.status, done.error) == ("cancelled", "enough")
        assert await stage.runtime.questions.list() == []
        assert (await stage.runtime.questions.get(one.id)).state == "withdrawn"


async def test_nothing_is_asked_where_nothing_came(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async def nothing(_new: Any) -> Came:
        return Came(status="failed", error="no idea")

    async with staged(open_runtime, clock, nothing) as stage:
        done = await stage.run("pipeline", "luke", "kyra", ask_between=True)
        assert done.status == "failed"
        assert await stage.runtime.questions.list(waiting=False) == []


async def test_only_patterns_with_stages_can(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock, agreeable) as stage:
        with pytest.raises(UsageError, match="no stages between which to ask"):
            await stage.start("brainstorm", "kyra", "luke", ask_between=True)
