"""Background work paused, resumed, stopped in each of its states, and found by the next process."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from errands import (
    Failing,
    Once,
    Questioning,
    Sleeps,
    Slices,
    Waiting,
    comes,
    crashed,
    ended,
    engine,
    in_state,
    inbox,
    new,
    passing,
    rows,
    working,
)
from fakes import OpenRuntime, StepClock

from skill_agent.errors import UsageError
from skill_agent.jobs.work.doing import CUT_SHORT, NO_TRIES
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Answer, Work

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


async def test_paused_within_a_second_it_goes_on_after_its_last_slice(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Slices(free=False)
        async with working(runtime, kind, at_once=1) as work:
            one = await work.start(new(payload={"count": 4}))
            kind.leave.release()
            kind.leave.release()
            await comes(lambda: kind.done == [0, 1])
            begun = time.process_time()
            paused = await work.pause(one.id)
            assert time.process_time() - begun < 1.0
            assert (paused.state, paused.progress, paused.attempts) == ("paused", 0.5, 0)
            assert kind.at_once == 0 and not paused.ended
            kind.leave.release()
            assert await work.pause(one.id) == paused
            other = await work.start(new(payload={"count": 1}))  # it has the place
            assert (await ended(work, other.id)).state == "completed"
            for _ in range(2):
                kind.leave.release()
            await work.resume(one.id)
            done = await ended(work, one.id)
            assert (done.state, done.attempts) == ("completed", 1)
            assert kind.done == [0, 1, 0, 2, 3]
            with pytest.raises(UsageError, match="has ended"):
                await work.pause(one.id)
            with pytest.raises(UsageError, match="not paused"):
                await work.resume(one.id)


async def test_what_waits_in_line_is_paused_there(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Slices(free=False)
        async with working(runtime, kind, at_once=1) as work:
            await work.start(new(title="first"))
            await comes(lambda: kind.begun == ["first"])
            one = await work.start(new(title="second"))
            assert (await work.pause(one.id)).state == "paused"
            for _ in range(9):
                kind.leave.release()
            await work.resume(one.id)
            assert (await ended(work, one.id)).state == "completed"


async def test_what_may_not_be_begun_again_is_not_paused(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Once(free=False)
        async with working(runtime, kind) as work:
            one = await work.start(new("once"))
            await in_state(work, one.id, "running")
            with pytest.raises(UsageError, match="cannot be paused"):
                await work.pause(one.id)
            assert (await work.cancel(one.id)).state == "cancelled"


@pytest.mark.parametrize(
    "state", ["pending", "running", "paused", "waiting_hitl", "retrying", "completed", "dead"]
)
async def test_stopped_in_each_state(open_runtime: OpenRuntime, state: str) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        asks, sleeps = Waiting(), Sleeps()
        failing = Failing(*(passing() for _ in range(1 if state == "retrying" else 3)))
        slices = Slices(free=state == "completed")
        kinds = (slices, Questioning(), failing)
        sleeps.held = state == "retrying"
        parts = {"asks": asks, "sleep": sleeps, "at_once": 1, "clock": lambda: NOON}
        async with working(runtime, *kinds, **parts) as work:
            name = {"waiting_hitl": "questioning", "retrying": "failing", "dead": "failing"}
            if state == "pending":
                first = await work.start(new())
                await in_state(work, first.id, "running")
            one = await work.start(new(name.get(state, "slices")))
            if state == "paused":
                await work.pause(one.id)
            elif state == "retrying":
                await comes(lambda: bool(sleeps.asked))
            else:
                await in_state(work, one.id, state)
            stopped = await work.cancel(one.id)
            final = state if state in ("completed", "dead") else "cancelled"
            assert stopped.state == final and stopped.ended
            assert await work.cancel(one.id) == stopped
            assert (await rows(runtime, one.id))[-1]["state"] == final
            assert one.id not in work._doing.running
            sleeps.held = False
        assert not [t for t in asyncio.all_tasks() if t.get_name() == f"work {one.id}"]


async def test_stopped_it_can_be_done_once_more(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Slices(free=False)
        async with working(runtime, kind) as work:
            one = await work.start(new())
            await in_state(work, one.id, "running")
            with pytest.raises(UsageError, match="not over yet"):
                await work.retry(one.id)
            await work.cancel(one.id)
            for _ in range(3):
                kind.leave.release()
            twice = (work.retry(one.id), work.retry(one.id))
            first, second = await asyncio.gather(*twice, return_exceptions=True)
            assert isinstance(first, Work) and isinstance(second, UsageError)
            assert (await ended(work, one.id)).state == "completed"
            assert kind.done == [0, 1, 2]


async def test_one_that_does_not_let_itself_be_stopped_is_not_waited_for(
    open_runtime: OpenRuntime,
) -> None:
    class Stubborn(Slices):
        async def do(self, step):
            while True:
                try:
                    return await super().do(step)
                except asyncio.CancelledError:
                    continue

    async with open_runtime(ScriptedModel()) as runtime:
        kind = Stubborn(free=False)
        async with working(runtime, kind) as work:
            one = await work.start(new())
            await in_state(work, one.id, "running")
            asked = await work.pause(one.id)
            assert asked.state == "running"
            for _ in range(3):
                kind.leave.release()
            assert (await ended(work, one.id)).state == "completed"


# -- the next process ------------------------------------------------------------------------------


async def test_after_a_crash_it_is_taken_up_and_the_try_counts(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        held, slices = Slices(free=False), Slices()
        work = engine(runtime, held, at_once=1)
        running = await work.start(new(title="running"))
        await in_state(work, running.id, "running")
        waiting = await work.start(new(title="waiting", priority="urgent"))
        paused = await work.pause((await work.start(new(title="paused"))).id)
        await crashed(work)
        assert [one["state"] for one in await rows(runtime, running.id)] == ["pending", "running"]
        async with working(runtime, slices, at_once=1) as later:
            done = await ended(later, running.id)
            assert (done.state, done.attempts) == ("completed", 2)
            assert (await ended(later, waiting.id)).attempts == 1
            assert (await later.get(paused.id)).state == "paused"
            assert slices.begun == ["waiting", "running"]


async def test_the_third_crash_is_the_last(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        one = None
        for attempt in range(1, 4):
            work = engine(runtime, Slices(free=False))
            await work.begin(hosting=True)
            one = one or await work.start(new())
            while (await in_state(work, one.id, "running")).attempts != attempt:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            await crashed(work)
        assert one is not None
        async with working(runtime, Slices()) as work:
            dead = await work.get(one.id)
            assert (dead.state, dead.attempts, dead.error) == ("dead", 3, NO_TRIES)
            assert dead.ended_at
            while await inbox(runtime) != ["Slices: given up after its last try"]:  # noqa: ASYNC110
                await asyncio.sleep(0.002)


async def test_what_may_not_be_begun_again_has_failed_and_is_told(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        work = engine(runtime, Once(free=False))
        one = await work.start(new("once"))
        await in_state(work, one.id, "running")
        await crashed(work)
        kind = Once()
        async with working(runtime, kind) as later:
            failed = await later.get(one.id)
            assert (failed.state, failed.error, kind.begun) == ("failed", CUT_SHORT, [])
            while await inbox(runtime) != ["Slices: failed"]:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            assert not (await later.retry(one.id)).ended
            assert (await ended(later, one.id)).state == "completed"


async def test_a_home_that_is_closed_counts_no_try(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Slices(free=False)
        work = engine(runtime, kind)
        one = await work.start(new(payload={"count": 2}))
        kind.leave.release()
        await comes(lambda: kind.done == [0])
        await work.end()
        (*_, last) = await rows(runtime, one.id)
        assert (last["state"], last["attempts"], last["progress"]) == ("pending", 0, 0.5)
        free = Slices()
        async with working(runtime, free) as later:
            done = await ended(later, one.id)
            assert (done.attempts, free.done) == (1, [1])


async def test_a_process_that_does_not_stay_leaves_it_alone(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        work = engine(runtime, Slices(free=False))
        one = await work.start(new())
        await in_state(work, one.id, "running")
        await crashed(work)
        other = engine(runtime, Slices())
        await other.begin(hosting=False)
        assert (await other.get(one.id)).state == "running"
        assert (await other.cancel(one.id)).state == "cancelled"
        await other.end()


async def test_a_pause_before_the_next_try_outlasts_the_process(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        sleeps = Sleeps()
        sleeps.held = True
        work = engine(runtime, Failing(*(passing() for _ in range(9))), sleep=sleeps)
        one = await work.start(new("failing", max_attempts=9))
        await comes(lambda: bool(sleeps.asked) or work._doing.running == {})
        await crashed(work)
        kept = await work._records.get(one.id)
        assert kept is not None and kept.work.next_try is not None
        assert kept.work.next_try <= clock.now + timedelta(seconds=60)
        async with working(runtime, Failing()) as later:
            assert (await ended(later, one.id)).state == "completed"


async def test_asked_again_after_a_restart_it_is_the_same_question(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        first, second = Waiting(), Waiting()
        work = engine(runtime, Questioning(), asks=first)
        one = await work.start(new("questioning"))
        await in_state(work, one.id, "waiting_hitl")
        await work.end()
        async with working(runtime, Questioning(), asks=second) as later:
            await in_state(later, one.id, "waiting_hitl")
            assert first.asked[0].key == second.asked[0].key
            second.answer.set_result(Answer(action="proceed", by="me"))
            assert (await ended(later, one.id)).result == "proceed"


async def test_a_kind_that_is_gone_is_told(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        work = engine(runtime, Slices(free=False))
        one = await work.start(new())
        await work.end()
        async with working(runtime, Failing()) as later:
            gone = await ended(later, one.id)
            assert gone.state == "failed" and "kind slices" in gone.error


async def test_nothing_is_written_while_nothing_happens(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        work = engine(runtime, Slices(free=False), at_once=1)
        for _ in range(3):
            await work.start(new())
        await work.pause((await work.start(new())).id)
        await crashed(work)
        before = await runtime.ledger.last_seq()
        for _ in range(3):
            other = engine(runtime, Slices(free=False), at_once=0)
            await other.begin(hosting=True)
            await asyncio.sleep(0.01)
            await other.list()
            await other.end()
        assert await runtime.ledger.last_seq() == before
