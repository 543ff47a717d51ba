"""One backup a day by itself: when it is due, what it leaves out, and what is said of a failure."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from fakes import OpenRuntime, StepClock

from skill_agent.backups.daily import DailyBackup, last_failure
from skill_agent.events import BackupFailed
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel


async def at_once(_: float) -> bool:
    return True


def daily(
    runtime: Runtime,
    clock: StepClock,
    told: list[BackupFailed] | None = None,
    idle: Callable[[float], Awaitable[bool]] = at_once,
) -> DailyBackup:
    said = [] if told is None else told
    return DailyBackup(
        backups=runtime._backups,
        home=runtime.home,
        ledger=runtime.ledger,
        clock=clock,
        idle=idle,
        publish=said.append,
    )


def model() -> ScriptedModel:
    return ScriptedModel(otherwise="All right.")


async def test_a_home_that_holds_nothing_makes_none(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(model()) as runtime:
        chore = daily(runtime, clock)
        assert await chore.run_due() is None
        await runtime.memory.add("The staging server is called heron")
        assert await chore.run_due() is not None


async def test_once_a_day_and_after_a_long_sleep(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(model()) as runtime:
        chore = daily(runtime, clock)
        await runtime.memory.add("One")
        first = await chore.run_due()
        assert first and first.daily and not first.encrypted
        await runtime.memory.add("Two")
        clock.advance(hours=20)
        assert await chore.run_due() is None
        clock.advance(hours=5)
        assert await chore.run_due() is not None
        await runtime.memory.add("Three")
        clock.advance(days=12)
        assert await chore.run_due() is not None
        assert await chore.run_due() is None


async def test_what_a_person_made_today_counts(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with open_runtime(model()) as runtime:
        await runtime.memory.add("One")
        made = await runtime.backups.create()
        assert await daily(runtime, clock).run_due() is None
        assert await runtime.backups.list() == [made]


async def test_unchanged_makes_none_and_a_changed_setting_does(
    open_runtime: OpenRuntime, clock: StepClock, home: Home
) -> None:
    async with open_runtime(model()) as runtime:
        chore = daily(runtime, clock)
        await runtime.memory.add("One")
        assert await chore.run_due() is not None
        clock.advance(days=1)
        assert await chore.run_due() is None
        home.config.write_text(home.config.read_text() + "\n# changed\n")
        assert await chore.run_due() is None  # looked at a moment ago
        clock.advance(hours=2)
        assert await chore.run_due() is not None


async def test_seven_days_and_four_weeks_are_kept_and_no_hand_made_one_goes(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(model()) as runtime:
        chore = daily(runtime, clock)
        mine = await runtime.backups.create()
        for day in range(16):
            clock.advance(days=1)
            await runtime.memory.add(f"Day {day}")
            assert await chore.run_due() is not None
        there = await runtime.backups.list()
        assert there[-1] == mine and 8 <= len(there) - 1 <= 11
        assert [one.at.date() for one in there[:7]] == sorted(
            {one.at.date() for one in there[:7]}, reverse=True
        )


async def test_a_failure_is_told_once_kept_and_gone_with_the_next_success(
    open_runtime: OpenRuntime, clock: StepClock, home: Home
) -> None:
    told: list[BackupFailed] = []
    home.backups.parent.mkdir(exist_ok=True)
    home.backups.write_text("in the way")
    async with open_runtime(model()) as runtime:
        chore = daily(runtime, clock, told)
        await runtime.memory.add("One")
        assert await chore.run_due() is None
        failure = last_failure(home)
        assert failure and str(home.backups) in failure.problem and failure.hint
        assert await chore.run_due() is None  # not again at once
        clock.advance(hours=2)
        assert await chore.run_due() is None
        assert [one.problem for one in told] == [failure.problem]
        home.backups.unlink()
        clock.advance(hours=2)
        assert await chore.run_due() is not None
        assert last_failure(home) is None


async def test_a_note_that_cannot_be_read_is_no_failure(home: Home) -> None:
    home.run.mkdir(parents=True)
    for text in ("", "[]", "{}", json.dumps({"at": 3, "problem": 4, "hint": None})):
        home.backup_failure.write_text(text)
        assert last_failure(home) is None


async def test_it_waits_for_turns_and_ends_when_told(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    waited, free = asyncio.Event(), asyncio.Event()

    async def idle(_: float) -> bool:
        waited.set()
        return await free.wait()

    async with open_runtime(model()) as runtime:
        await runtime.memory.add("One")
        keeping = asyncio.create_task(daily(runtime, clock, idle=idle).keep(first=0, every=0.01))
        await waited.wait()
        assert await runtime.backups.list() == []
        free.set()
        for _ in range(3_000):
            if await runtime.backups.list():
                break
            await asyncio.sleep(0.01)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        assert len(await runtime.backups.list()) == 1
