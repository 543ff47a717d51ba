"""One backup a day by itself: when it is due, what it leaves out, and what is said of a failure."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fakes import HashEmbedder, StepClock
from in_process import open_in_process
from job_home import looked

from skill_agent.backups.daily import last_failure
from skill_agent.events import BackupFailed
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import Gate, ScriptedGateway, ScriptedModel
from skill_agent.values import Backup


@asynccontextmanager
async def host(
    home: Home, clock: StepClock, model: ScriptedModel | None = None
) -> AsyncIterator[Runtime]:
    """The home, opened by a process that stays."""
    gateway = ScriptedGateway(model or ScriptedModel(otherwise="All right."))
    async with open_in_process(
        home.root, create=True, hosting=True, gateway=gateway, embedder=HashEmbedder(), clock=clock
    ) as runtime:
        yield runtime


async def made(runtime: Runtime) -> list[Backup]:
    """Every backup there is after what is due was done, the newest first."""
    await looked(runtime)
    return await runtime.backups.list()


async def test_a_home_that_holds_nothing_makes_none(home: Home, clock: StepClock) -> None:
    async with host(home, clock) as runtime:
        clock.advance(days=1)
        assert await made(runtime) == []
        await runtime.memory.add("The staging server is called heron")
        clock.advance(days=1)
        assert len(await made(runtime)) == 1


async def test_once_a_day_and_after_a_long_sleep(home: Home, clock: StepClock) -> None:
    async with host(home, clock) as runtime:
        await runtime.memory.add("One")
        clock.advance(hours=23)
        assert await made(runtime) == []  # one day after the home was made
        clock.advance(hours=2)
        (first,) = await made(runtime)
        assert first.daily and not first.encrypted
        await runtime.memory.add("Two")
        clock.advance(hours=20)
        assert len(await made(runtime)) == 1
        clock.advance(hours=5)
        assert len(await made(runtime)) == 2
        await runtime.memory.add("Three")
        clock.advance(days=12)
        assert len(await made(runtime)) == 3
        assert len(await made(runtime)) == 3


async def test_what_a_person_made_today_counts(home: Home, clock: StepClock) -> None:
    async with host(home, clock) as runtime:
        await runtime.memory.add("One")
        clock.advance(hours=23)
        mine = await runtime.backups.create()
        clock.advance(hours=5)
        assert await made(runtime) == [mine]


async def test_unchanged_makes_none_and_a_changed_setting_does(
    home: Home, clock: StepClock
) -> None:
    async with host(home, clock) as runtime:
        await runtime.memory.add("One")
        for chore in ("consolidate", "expire"):  # they would change the log
            await runtime.jobs.pause(chore)
        clock.advance(days=1)
        assert len(await made(runtime)) == 1
        clock.advance(days=1)
        await looked(runtime)
        before = len(await runtime.backups.list())
        home.config.write_text(home.config.read_text() + "\n# changed\n")
        clock.advance(days=1)
        assert len(await made(runtime)) == before + 1


async def test_seven_days_and_four_weeks_are_kept_and_no_hand_made_one_goes(
    home: Home, clock: StepClock
) -> None:
    async with host(home, clock) as runtime:
        mine = await runtime.backups.create()
        for day in range(16):
            clock.advance(days=1)
            await runtime.memory.add(f"Day {day}")
            await looked(runtime)
        there = await runtime.backups.list()
        assert there[-1] == mine and 8 <= len(there) - 1 <= 11
        assert [one.at.date() for one in there[:7]] == sorted(
            {one.at.date() for one in there[:7]}, reverse=True
        )


async def test_a_failure_is_told_once_kept_and_gone_with_the_next_success(
    home: Home, clock: StepClock
) -> None:
    home.backups.parent.mkdir(exist_ok=True)
    home.backups.write_text("in the way")
    async with host(home, clock) as runtime:
        with runtime.turns.subscribe() as heard:
            await runtime.memory.add("One")
            clock.advance(days=1)
            await looked(runtime)
            failure = last_failure(home)
            assert failure and str(home.backups) in failure.problem and failure.hint
            for _ in range(3):  # it is tried again, a day later too, and never given up
                clock.advance(days=1)
                await looked(runtime)
            assert not (await runtime.jobs.get("backup")).dead
            home.backups.unlink()
            clock.advance(days=1)
            assert len(await made(runtime)) == 1
            assert last_failure(home) is None
            heard.close()
            told = [one.problem async for one in heard if isinstance(one, BackupFailed)]
            assert told == [failure.problem]


async def test_a_note_that_cannot_be_read_is_no_failure(home: Home) -> None:
    home.run.mkdir(parents=True)
    for text in ("", "[]", "{}", json.dumps({"at": 3, "problem": 4, "hint": None})):
        home.backup_failure.write_text(text)
        assert last_failure(home) is None


async def test_it_waits_for_turns(home: Home, clock: StepClock) -> None:
    gate = asyncio.Event()
    async with host(home, clock, ScriptedModel([[Gate(gate), "Done."]])) as runtime:
        await runtime.memory.add("One")
        turn = await runtime.turns.submit("Wait")
        clock.advance(days=1)
        await runtime._automation.jobs.engine.look()
        assert await runtime.backups.list() == []
        gate.set()
        assert len(await made(runtime)) == 1
        assert (await runtime.turns.get(turn.turn)).state == "finished"
