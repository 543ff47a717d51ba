"""The engine over a real ledger: each fire time has one outcome, whatever happens meanwhile."""

import asyncio
from pathlib import Path

import pytest
from job_home import World, looked

from skill_agent.errors import BudgetExhausted, ModelRejected, ModelUnavailable, UsageError
from skill_agent.identifiers import iso
from skill_agent.jobs.kinds.kind import Outcome
from skill_agent.jobs.parts import JobParts
from skill_agent.values import Job, JobChange, JobRun, NewJob, RunLimits


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def hourly(parts: JobParts, **more: object) -> Job:
    new = NewJob("0 * * * *", kind="expire", name="job", timezone="UTC", **more)  # type: ignore[arg-type]
    return await parts.operations.add(new)


async def states(parts: JobParts) -> list[str]:
    return [one.state for one in await history(parts)]


async def history(parts: JobParts) -> list[JobRun]:
    return await parts.operations.history("job")


async def test_it_runs_once_at_each_fire_time(world: World) -> None:
    async with world.open() as parts:
        await hourly(parts)
        for _ in range(3):
            world.clock.advance(hours=1)
            await looked(parts)
            await looked(parts)
        assert await states(parts) == ["completed"] * 3
        assert [one.due.hour for one in await history(parts)] == [12, 11, 10]
        assert [one.text for one in world.told.order] == ["done"] * 3
        assert [one.fence for one in await history(parts)] == [3, 2, 1]
        assert [one.state for one in world.heard[:3]] == ["claimed", "running", "completed"]


async def test_missed_fire_times_are_caught_up_once(world: World) -> None:
    async with world.open() as parts:
        await hourly(parts)
    world.clock.advance(hours=3, minutes=10)
    async with world.open() as parts:
        await parts.runs.settled()
        run, missed = await history(parts)
        assert (run.state, run.late, run.due.hour) == ("completed", True, 12)
        assert (missed.state, missed.fire_times) == ("missed", 2)
        assert "(late)" in world.told.order[0].title
    async with world.open() as parts:
        await looked(parts)
        assert len(await history(parts)) == 2


async def test_without_catching_up_they_were_missed(world: World) -> None:
    async with world.open() as parts:
        await hourly(parts, catch_up=False)
    world.clock.advance(hours=3, minutes=10)
    async with world.open() as parts:
        await parts.runs.settled()
        (missed,) = await history(parts)
        assert (missed.state, missed.fire_times) == ("missed", 3)
        assert world.doing.done == [] == world.told.order


async def test_while_one_runs_the_next_is_skipped(world: World) -> None:
    world.doing.held = asyncio.Event()
    async with world.open() as parts:
        await hourly(parts)
        for _ in range(2):
            world.clock.advance(hours=1)
            await parts.engine.look()
            await asyncio.sleep(0)
        world.doing.held.set()
        await parts.runs.settled()
        assert await states(parts) == ["skipped", "completed"]


NOTES = ("claimed", "running", "said", "completed")


@pytest.mark.parametrize("dies_at", range(len(NOTES)))
async def test_killed_between_every_two_states(world: World, dies_at: int) -> None:
    """Whatever was the last note: the fire time gets one outcome, and is told once."""
    async with world.open() as parts:
        await hourly(parts)
    world.clock.advance(hours=1)
    async with world.open(dies_at=dies_at) as parts:
        looking = asyncio.create_task(_die(parts))
        await parts.book._records._ledger.dead.wait()  # type: ignore[attr-defined]
        looking.cancel()
    done = len(world.doing.done)
    async with world.open() as parts:
        await looked(parts)
        (run,) = await history(parts)
        expected = "unknown" if NOTES[dies_at] == "said" else "completed"
        assert run.state == expected
        assert len(world.doing.done) == (done if dies_at > 1 else 1)
        (told,) = world.told.order
        assert told.sort == ("failure" if expected == "unknown" else "result")
        job = await parts.operations.get("job")
        assert (job.last_state, job.failures) == (expected, 0)
    async with world.open() as parts:  # and nothing is left over
        await looked(parts)
        assert len(await history(parts)) == len(world.told.order) == 1


async def _die(parts: JobParts) -> None:
    await parts.engine.take_up(hosting=True)
    await parts.engine.begin()


async def test_what_may_pass_is_tried_again(world: World) -> None:
    world.doing.outcomes = [ModelUnavailable("busy"), ModelUnavailable("busy"), Outcome(text="ok")]
    async with world.open() as parts:
        await hourly(parts)
        world.clock.advance(hours=1)
        await looked(parts)
        (run,) = await history(parts)
        assert (run.state, run.attempt, run.error) == ("claimed", 2, "busy") and run.next_try
        assert world.told.order == []
        await looked(parts)  # not before its time
        assert len(world.doing.done) == 1
        world.clock.advance(minutes=1)
        await looked(parts)
        world.clock.advance(minutes=5)
        await looked(parts)
        (run,) = await history(parts)
        assert (run.state, run.attempt, run.result) == ("completed", 3, "ok")
        assert len(world.told.order) == 1


async def test_a_try_outlives_its_process(world: World) -> None:
    world.doing.outcomes = [ModelUnavailable("busy")]
    async with world.open() as parts:
        await hourly(parts)
        world.clock.advance(hours=1)
        await looked(parts)
    async with world.open() as parts:
        (alarm,) = [one for name, one in world.bell.put_for.items() if name.startswith("try")]
        (run,) = await history(parts)
        assert run.next_try and alarm.expression == iso(run.next_try)
        world.clock.advance(minutes=2)
        await looked(parts)
        assert await states(parts) == ["completed"]


async def test_after_the_last_try_it_has_failed_and_that_is_told(world: World) -> None:
    world.doing.outcomes = [ModelUnavailable("busy", hint="wait")] * 3
    async with world.open() as parts:
        await hourly(parts, quiet_hours=True)
        world.clock.advance(hours=1)
        for _ in range(4):
            await looked(parts)
            world.clock.advance(minutes=6)
        (run,) = await history(parts)
        assert (run.state, run.error_kind, run.attempt) == ("failed", "passing", 3)
        (told,) = world.told.order
        assert told.sort == "failure" and told.always and "wait" in told.text


async def test_a_budget_stop_is_told_and_not_tried_again(world: World) -> None:
    world.doing.outcomes = [BudgetExhausted("the allowance is used up")]
    async with world.open() as parts:
        await hourly(parts, deliver=("none",))
        world.clock.advance(hours=1)
        await looked(parts)
        (run,) = await history(parts)
        assert (run.state, run.error_kind) == ("failed", "budget")
        (told,) = world.told.order
        assert told.always and told.targets == ("inbox",) and "used up" in told.text


async def test_a_broken_configuration_spends_nothing_and_is_told_once(world: World) -> None:
    world.settings = {"jobs": {"give_up_after": 4}}
    world.doing.refused = ModelRejected("no key for openai", hint="export OPENAI_API_KEY=…")
    async with world.open() as parts:
        await hourly(parts)
        for _ in range(3):
            world.clock.advance(hours=1)
            await looked(parts)
        assert await states(parts) == ["failed"] * 3
        assert world.doing.done == [] and len(world.told.order) == 1
        (found,) = await parts.operations.doctor()
        assert (found.level, found.hint) == ("error", "export OPENAI_API_KEY=…")
        world.doing.refused = ModelRejected("another fault")
        world.clock.advance(hours=1)
        await looked(parts)
        assert len(world.told.order) == 2


async def test_what_fails_again_and_again_is_stopped_until_a_person_revives_it(
    world: World,
) -> None:
    world.doing.outcomes = [UsageError("it cannot be")] * 3
    async with world.open() as parts:
        await hourly(parts)
        for _ in range(5):
            world.clock.advance(hours=1)
            await looked(parts)
        assert await states(parts) == ["failed"] * 3
        job = await parts.operations.get("job")
        assert job.dead and job.next_run is None and "it cannot be" in job.problem
        assert "ska jobs resume" in world.told.order[-1].text
        (found,) = await parts.operations.doctor()
        assert found.level == "error"
        assert not (await parts.operations.resume("job")).dead
        world.clock.advance(hours=1)
        await looked(parts)
        assert (await states(parts))[0] == "completed"
        assert (await parts.operations.get("job")).failures == 0


async def test_a_job_that_crashes_its_process_is_stopped(world: World) -> None:
    async with world.open() as parts:
        await hourly(parts)
    for _ in range(3):
        world.clock.advance(hours=1)
        async with world.open(dies_at=NOTES.index("said")) as parts:
            looking = asyncio.create_task(_die(parts))
            await parts.book._records._ledger.dead.wait()  # type: ignore[attr-defined]
            looking.cancel()
        async with world.open(hosting=False):
            pass
    async with world.open() as parts:
        assert (await parts.operations.get("job")).dead
        assert await states(parts) == ["unknown"] * 3


async def test_what_takes_too_long_is_ended(world: World) -> None:
    world.doing.held = asyncio.Event()
    async with world.open() as parts:
        await hourly(parts, limits=RunLimits(timeout_s=1.0))
        world.clock.advance(hours=1)
        await looked(parts)
        (run,) = await history(parts)
        assert (run.state, run.error_kind) == ("failed", "time-out")


async def test_a_person_ends_a_run(world: World) -> None:
    world.doing.held = asyncio.Event()
    async with world.open() as parts:
        await hourly(parts)
        begun = await parts.operations.run("job")
        await world.doing.begun.acquire()
        assert (await parts.operations.run("job")).id == begun.id
        ended = await parts.operations.cancel_run(begun.id)
        assert (ended.state, ended.error) == ("failed", "cancelled by a person")
        assert world.told.order == []
        assert (await parts.operations.get("job")).failures == 0


async def test_what_a_closing_home_cuts_short_is_told(world: World) -> None:
    world.doing.held = asyncio.Event()
    async with world.open() as parts:
        await hourly(parts)
        await parts.operations.run("job")
        await world.doing.begun.acquire()
    (told,) = world.told.order
    assert told.sort == "failure" and "closed" in told.text
    async with world.open() as parts:
        assert await states(parts) == ["failed"]


async def test_a_chore_that_a_closing_home_cuts_short_is_done_again(world: World) -> None:
    world.doing.held, world.doing.repeatable = asyncio.Event(), True
    async with world.open() as parts:
        await hourly(parts)
        await parts.operations.run("job")
        await world.doing.begun.acquire()
    world.doing.held.set()
    async with world.open() as parts:
        await parts.runs.settled()
        assert await states(parts) == ["completed"]


async def test_so_many_at_once_and_no_more(world: World) -> None:
    world.settings = {"jobs": {"concurrent": 2}}
    world.doing.held = asyncio.Event()
    async with world.open() as parts:
        for number in range(4):
            new = NewJob("0 * * * *", kind="expire", name=f"job {number}", timezone="UTC")
            await parts.operations.add(new)
        world.clock.advance(hours=1)
        await parts.engine.look()
        await world.doing.begun.acquire()
        await world.doing.begun.acquire()
        assert sum(one.run.state == "running" for one in parts.runs.now.values()) == 2
        world.doing.held.set()
        await parts.runs.settled()
        assert len(world.doing.done) == 4


async def test_one_that_is_changed_paused_resumed_and_removed(world: World) -> None:
    async with world.open() as parts:
        job = await hourly(parts)
        assert (await parts.operations.pause("job")).next_run is None
        world.clock.advance(hours=2)
        await looked(parts)
        await parts.operations.resume("job")
        await looked(parts)
        assert await history(parts) == []  # what was due meanwhile is not caught up
        edited = await parts.operations.edit("job", JobChange(when="30 * * * *", name="other"))
        assert edited.next_run and edited.next_run.minute == 30
        world.clock.advance(hours=1)
        await looked(parts)
        assert len(await parts.operations.history("other")) == 1
        await parts.operations.remove("other")
        world.clock.advance(hours=1)
        await looked(parts)
        assert await parts.operations.list() == []
        assert len(await parts.operations.history(job.id)) == 1


async def test_what_is_proposed_waits_for_a_person(world: World) -> None:
    async with world.open() as parts:
        job = await hourly(parts, created_by="luke", origins=("web",))
        assert job.status == "proposed" and job.next_run is None
        (asked,) = world.told.order
        assert asked.sort == "question" and asked.origins == ("web",)
        world.clock.advance(hours=1)
        await looked(parts)
        assert world.doing.done == []
        with pytest.raises(UsageError, match="waits for approval"):
            await parts.operations.run("job")
        assert (await parts.operations.approve("job")).status == "active"
        world.clock.advance(hours=1)
        await looked(parts)
        assert await states(parts) == ["completed"]


async def test_a_clock_that_was_ahead(world: World) -> None:
    async with world.open() as parts:
        await hourly(parts)
        world.clock.advance(days=30)
        await looked(parts)
        assert await states(parts) == ["completed", "missed"]
        world.clock.advance(days=-30)
        await looked(parts)
        assert (await states(parts)) == ["completed"]
        world.clock.advance(hours=1)
        await looked(parts)
        assert sorted(await states(parts)) == ["completed", "completed"]


async def test_a_job_once_is_over_afterwards(world: World) -> None:
    async with world.open() as parts:
        new = NewJob("2026-11-20T10:00:00Z", kind="expire", name="job")
        await parts.operations.add(new)
        world.clock.advance(hours=2)
        await looked(parts)
        job = await parts.operations.get("job")
        assert (job.status, job.next_run, job.last_state) == ("ended", None, "completed")
        with pytest.raises(UsageError, match="has gone by"):
            await parts.operations.add(NewJob("2026-11-20T10:00:00Z", kind="expire"))


async def test_nothing_is_written_while_nothing_is_due(world: World) -> None:
    async with world.open() as parts:
        await hourly(parts)
        ledger = parts.book._records._ledger
        before = await ledger.last_seq()
        for _ in range(20):
            await looked(parts)
        assert await ledger.last_seq() == before
