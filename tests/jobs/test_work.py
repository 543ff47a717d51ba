"""Background work: begun, looked up, in line by priority, tried again, given up, told of."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from errands import (
    Failing,
    Once,
    Questioning,
    Sleeps,
    Slices,
    Waiting,
    comes,
    ended,
    engine,
    hearing,
    in_state,
    inbox,
    new,
    passing,
    rows,
    working,
)
from fakes import OpenRuntime

from skill_agent.errors import Closing, Conflict, NotFound, UsageError
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.jobs.work.limits import PAUSES, TOLD_EVERY_S, at_once
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import WORK_STATES, Answer, Requester


async def test_it_is_done_and_told(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, hearing(runtime) as heard:
        async with working(runtime, Slices()) as work:
            begun = await work.start(new(payload={"count": 3}, title="Three slices"))
            assert (begun.title, begun.ended, begun.by) == ("Three slices", False, "")
            done = await ended(work, begun.id)
            assert (done.state, done.result, done.progress) == ("completed", "3 slices", 1.0)
            assert (done.attempts, done.origins, done.error) == (1, ("agent",), "")
            assert done.started_at and done.ended_at and done.message == ""
            assert await work.get(done.id[:13]) == done
            await asyncio.sleep(0)
        states = [one.state for one in heard]
        assert states[0] == "pending" and states[-1] == "completed" and "running" in states
        assert [one["state"] for one in await rows(runtime, done.id)][:3] == [
            "pending", "running", "completed",
        ]  # fmt: skip


async def test_what_cannot_be_done_leaves_nothing_behind(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, working(runtime, Slices()) as work:
        with pytest.raises(UsageError, match="no work of the kind 'dance'") as told:
            await work.start(new("dance"))
        assert "slices" in told.value.hint
        with pytest.raises(UsageError, match="1 to 100 times"):
            await work.start(new(max_attempts=0))
        with pytest.raises(UsageError, match="password"):
            await work.start(new(payload={"token": "ghp_" + "a1B2" * 9}))
        with pytest.raises(UsageError, match="no key"):
            await work.start(new(key="mine"))
        assert await work.list() == []


async def test_asked_for_again_with_its_key_it_is_the_same(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, working(runtime, Slices()) as work:
        asked = new(payload={"count": 2}, key=new_id())
        first, second = await asyncio.gather(work.start(asked), work.start(asked))
        assert first.id == second.id == asked.key
        await ended(work, first.id)
        assert (await work.start(asked)).state == "completed"
        with pytest.raises(Conflict):
            await work.start(replace(asked, payload={"count": 9}))
        assert len(await work.list()) == 1


async def test_it_is_found_by_its_beginning_and_no_other(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, working(runtime, Slices()) as work:
        one = await work.start(new())
        await ended(work, one.id)
        for ref in ("nothing", one.id[:5], "", one.id[:-1] + "ff"):
            with pytest.raises(UsageError):
                await work.get(ref)
        with pytest.raises(UsageError, match="surrogate"):
            await work.get("\ud800")


async def test_what_runs_is_listed_first_then_the_newest(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        slow, quick = Slices(free=False), Failing()
        quick.takes_place = False
        async with working(runtime, slow, quick, at_once=1) as work:
            running = await work.start(new(title="Running"))
            waiting = await work.start(new(title="Waiting"))
            paused = await work.pause((await work.start(new(title="Paused"))).id)
            older = await ended(work, (await work.start(new("failing"))).id)
            newer = await ended(work, (await work.start(new("failing"))).id)
            await in_state(work, running.id, "running")
            ids = [one.id for one in await work.list()]
            assert ids == [running.id, waiting.id, paused.id, newer.id, older.id]
            assert [one.id for one in await work.list(ended=False)] == ids[:3]
            assert [one.id for one in await work.list(limit=4)] == ids[:4]


async def test_only_so_many_run_at_once(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Slices(free=False)
        async with working(runtime, kind, at_once=2) as work:
            begun = [await work.start(new()) for _ in range(12)]
            await comes(lambda: kind.most == 2)
            for _ in range(100):
                kind.leave.release()
            for one in begun:
                await ended(work, one.id)
        assert kind.most == 2
    assert (at_once("embedded/qwen"), at_once("ollama/x"), at_once("openai/x")) == (1, 1, 2)


async def test_two_hundred_go_by_priority_and_then_in_order(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Slices(free=False)
        async with working(runtime, kind, at_once=2) as work:
            first = [await work.start(new(title="first")) for _ in range(2)]
            await comes(lambda: len(kind.begun) == 2)
            ranks = ("low", "normal", "high", "urgent")
            titles = [f"{ranks[n % 4]} {n:03}" for n in range(200)]
            asked = [new(title=one, priority=one.split()[0]) for one in titles]
            begun = [await work.start(one) for one in asked]
            for _ in range(10_000):
                kind.leave.release()
            for one in (*first, *begun):
                await ended(work, one.id)
        wanted = sorted(titles, key=lambda one: (-ranks.index(one.split()[0]), one))
        assert kind.begun[2:] == wanted and kind.most == 2


async def test_updates_at_the_same_time_do_not_mix(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, \
            working(runtime, Slices(), at_once=20) as work:  # fmt: skip
        begun = [await work.start(new(payload={"count": 5 + n})) for n in range(20)]
        done = [await ended(work, one.id) for one in begun]
        assert [one.result for one in done] == [f"{5 + n} slices" for n in range(20)]
        assert len({one.id for one in await work.list()}) == 20


async def test_progress_is_in_memory_and_leaves_no_rows(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, hearing(runtime) as heard:
        kind = Slices(free=False)
        async with working(runtime, kind) as work:
            one = await work.start(new(payload={"count": 1_000}))
            for _ in range(500):
                kind.leave.release()
            await comes(lambda: len(kind.done) == 500)
            await asyncio.sleep(0)
            now = await work.get(one.id)
            assert (now.progress, now.message) == (0.5, "slices: 500 of 1,000")
            assert [found.progress for found in await work.list()] == [0.5]
            assert len(await rows(runtime, one.id)) == 2
            told = [event for event in heard if event.progress]
            loop = asyncio.get_running_loop()
            assert len(told) < 100 and loop.time() > 0 and TOLD_EVERY_S > 0
            paused = await work.pause(one.id)
            assert paused.progress == 0.5
            assert (await rows(runtime, one.id))[-1]["progress"] == 0.5


async def test_a_passing_failure_is_tried_again_after_longer_and_longer(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind, sleeps = Failing(*(passing() for _ in range(8))), Sleeps()
        noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        async with working(runtime, kind, sleep=sleeps, clock=lambda: noon) as work:
            one = await work.start(new("failing", max_attempts=9))
            done = await ended(work, one.id)
            assert (done.state, done.attempts, done.error) == ("completed", 9, "")
        assert sleeps.asked[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
        assert [PAUSES.after(n) for n in (1, 2, 7, 60)] == [1.0, 2.0, 60.0, 60.0]
        retried = [found for found in await rows(runtime, one.id) if found["next_try"]]
        assert len(retried) == 8 and retried[0]["error"] == "the disk is busy (wait)"


async def test_after_its_last_try_it_is_a_dead_letter_and_told(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Failing(*(passing() for _ in range(4)))
        async with working(runtime, kind) as work:
            one = await work.start(new("failing"))
            dead = await ended(work, one.id)
            assert (dead.state, dead.attempts, kind.tries) == ("dead", 3, 3)
            assert dead.error == "the disk is busy (wait)" and dead.ended
            await comes_to(runtime, ["Failing: given up after its last try"])
            again = await work.retry(one.id)
            assert (again.ended, again.error, again.progress) == (False, "", 0.0)
            done = await ended(work, one.id)
            assert (done.state, done.attempts, done.result) == ("completed", 2, "in the end")
            with pytest.raises(UsageError, match="was done"):
                await work.retry(one.id)


async def comes_to(runtime: Runtime, titles: list[str]) -> None:
    while await inbox(runtime) != titles:  # noqa: ASYNC110
        await asyncio.sleep(0.002)


@pytest.mark.parametrize("problem", [UsageError("there is no such file"), NotFound("no agent 'x'")])
async def test_a_lasting_failure_is_not_tried_again(
    open_runtime: OpenRuntime, problem: Exception
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        kind = Failing(problem)
        async with working(runtime, kind) as work:
            failed = await ended(work, (await work.start(new("failing"))).id)
            assert (failed.state, failed.attempts, kind.tries) == ("failed", 1, 1)
            assert failed.error == str(problem)
            await comes_to(runtime, ["Failing: failed"])


async def test_a_fault_of_ours_is_told_without_secrets(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        secret = "ghp_" + "a1B2" * 9
        async with working(runtime, Failing(RuntimeError(f"it had {secret}"))) as work:
            done = await ended(work, (await work.start(new("failing", max_attempts=1))).id)
            assert done.state == "dead" and done.error.startswith("RuntimeError: it had [redacted")
            assert secret not in str(await rows(runtime, done.id))


async def test_what_nobody_watched_is_told_once(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        sleeps = Sleeps()
        sleeps.held = True
        async with working(runtime, Slices(), sleep=sleeps) as work:
            watched = await work.start(new(title="Watched"))
            await ended(work, watched.id)
            other = await work.start(new(title="Not watched"))
            await comes(lambda: len(sleeps.asked) == 2)
            sleeps.held = False
            await comes_to(runtime, ["Not watched: done"])
            assert not other.ended
            while await work._records.untold():  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            (item,) = await runtime.ledger.log(kinds=("inbox.item",))
            assert item.new and item.new["sort"] == "work" and "3 slices" in item.new["text"]
        async with working(runtime, Slices()):
            await asyncio.sleep(0.02)
        assert await inbox(runtime) == ["Not watched: done"]


async def test_what_was_not_told_before_the_end_is_told_by_the_next(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        sleeps = Sleeps()
        sleeps.held = True
        async with working(runtime, Slices(), sleep=sleeps) as work:
            await work.start(new(title="Quiet"))
            await comes(lambda: bool(sleeps.asked))
        assert await inbox(runtime) == []
        async with working(runtime, Slices()):
            await comes_to(runtime, ["Quiet: done"])


async def test_it_asks_and_waits_and_others_have_its_place(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, hearing(runtime) as heard:
        asks, kind = Waiting(), Slices()
        async with working(runtime, Questioning(), kind, asks=asks, at_once=1) as work:
            one = await work.start(new("questioning"))
            asking = await in_state(work, one.id, "waiting_hitl")
            assert asking.message == "Shall I?" and not asking.ended
            (question,) = asks.asked
            assert (question.source, question.about) == ("work", one.id)
            other = await work.start(new())
            assert (await ended(work, other.id)).state == "completed"
            asks.answer.set_result(Answer(action="revise", words="less of it", by="me"))
            assert (await ended(work, one.id)).result == "revise less of it"
        assert "waiting_hitl" in [event.state for event in heard]


async def test_a_question_of_work_waits_in_the_home_and_goes_with_it(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel()) as runtime, working(runtime, Questioning()) as work:
        one = (await work.start(new("questioning"))).id
        while not (waiting := await runtime.questions.list()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (await work.get(one)).state == "waiting_hitl"
        await work.cancel(one)
        assert await runtime.questions.list() == []
        assert (await runtime.questions.get(waiting[0].id)).state == "withdrawn"
        again = (await work.start(new("questioning"))).id
        while not (waiting := await runtime.questions.list()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await runtime.questions.answer(waiting[0].id, "yes")
        done = await ended(work, again)
        assert (done.state, done.result) == ("completed", "proceed")


async def test_a_key_has_its_own(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, working(runtime, Slices()) as work:
        by = Requester(key="k1", name="bot", scopes=frozenset({"admin"}))
        mine = await work.start(new(requester=by))
        other = await work.start(new())
        for one in (mine, other):
            await ended(work, one.id)
        assert (mine.by, other.by) == ("k1", "")
        assert [one.id for one in await work.list(by="k1")] == [mine.id]
        assert (await work.get(mine.id, by="k1")).id == mine.id
        with pytest.raises(NotFound):
            await work.get(other.id, by="k1")


async def test_a_home_that_closes_takes_nothing_in(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        work = engine(runtime, Slices())
        await work.end()
        with pytest.raises(Closing):
            await work.start(new())
        assert await work.list() == []


async def test_every_state_is_one_of_those_that_are_known(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime, hearing(runtime) as heard:
        asks, kind = Waiting(), Slices(free=False)
        kinds = (kind, Questioning(), Failing(*(passing() for _ in range(3))))
        lasting = Once()
        lasting.name = "lasting"

        async with working(runtime, *kinds, lasting, asks=asks, at_once=9) as work:
            one = await work.start(new())
            await in_state(work, one.id, "running")
            await work.pause(one.id)
            await work.resume(one.id)
            await work.cancel(one.id)
            question = await work.start(new("questioning"))
            await in_state(work, question.id, "waiting_hitl")
            await ended(work, (await work.start(new("failing"))).id)
            await ended(work, (await work.start(new("lasting"))).id)
            lasting.do = Failing(UsageError("no")).do  # type: ignore[method-assign]
            await ended(work, (await work.start(new("lasting"))).id)
        assert {event.state for event in heard} == set(WORK_STATES)
