"""Alarms by a real scheduler: they go off in time, tell what fails, and end without noise."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from skill_agent.scheduler.alarms import SchedulerAlarms, utc_now
from skill_agent.scheduler.calendar import LocalCalendar

from skill_agent.values import Schedule

CALENDAR = LocalCalendar()
HOURLY = Schedule(kind="cron", expression="0 * * * *")


class SetClock:
    """The machine's wall clock, as far off as somebody sets it."""

    def __init__(self) -> None:
        self.off = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.off


class Heard:
    """Whatever goes off."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.changed = asyncio.Condition()

    async def __call__(self, id: str) -> None:
        async with self.changed:
            self.ids.append(id)
            self.changed.notify_all()

    async def until(self, *ids: str) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: set(ids) <= set(self.ids))


def soon(seconds: float) -> Schedule:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return Schedule(kind="once", expression=moment.isoformat())


@asynccontextmanager
async def ringing(
    fire: Callable[[str], object], *, wall: Callable[[], datetime] = utc_now, look: float = 30.0
) -> AsyncIterator[SchedulerAlarms]:
    alarms = SchedulerAlarms(CALENDAR, wall=wall, look_every_s=look)
    alarms.begin(fire)  # type: ignore[arg-type]  # some of these tests hear badly
    try:
        yield alarms
    finally:
        await alarms.end()


async def test_it_goes_off_in_time_and_once() -> None:
    heard = Heard()
    async with ringing(heard) as alarms:
        alarms.put("a", soon(0.3))
        alarms.put("dropped", soon(0.3))
        alarms.put("hourly", HOURLY)
        alarms.drop("dropped")
        alarms.drop("never put")
        await heard.until("a")
        await asyncio.sleep(0.3)
    assert heard.ids == ["a"]


async def test_what_passed_a_moment_ago_goes_off_at_once_and_what_is_over_never() -> None:
    heard = Heard()
    over = Schedule(kind="cron", expression="0 0 30 2 *")
    async with ringing(heard) as alarms:
        alarms.put("passed", soon(-5))
        alarms.put("over", over)
        await heard.until("passed")
    assert heard.ids == ["passed"]


async def test_put_again_it_goes_off_at_the_new_time() -> None:
    heard = Heard()
    async with ringing(heard) as alarms:
        alarms.put("a", HOURLY)
        alarms.put("a", soon(0.2))
        await heard.until("a")


async def test_who_hears_may_put_the_same_alarm_again() -> None:
    heard = Heard()

    async def fire(id: str) -> None:
        await heard(id)
        if len(heard.ids) < 3:
            alarms.put(id, soon(0.05))

    async with ringing(fire) as alarms:
        alarms.put("again", soon(0.05))
        async with asyncio.timeout(20), heard.changed:
            await heard.changed.wait_for(lambda: len(heard.ids) == 3)


async def test_one_that_fails_is_told_once_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = Heard()

    async def fire(id: str) -> None:
        await heard(id)
        if id == "bad":
            raise RuntimeError("out of order")

    async with ringing(fire) as alarms:
        alarms.put("bad", soon(0.1))
        alarms.put("good", soon(0.2))
        await heard.until("bad", "good")
        await asyncio.sleep(0.05)
    told = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage() for one in told] == ["the alarm of bad failed"]
    assert told[0].exc_info and "out of order" in str(told[0].exc_info[1])


async def test_one_that_is_still_heard_is_told_and_not_heard_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard, finish = Heard(), asyncio.Event()

    async def fire(id: str) -> None:
        await heard(id)
        await finish.wait()

    async with ringing(fire) as alarms:
        alarms.put("slow", soon(0.05))
        await heard.until("slow")
        alarms.put("slow", soon(0.05))
        await asyncio.sleep(0.4)
        assert heard.ids == ["slow"]
        finish.set()
    assert "still heard" in caplog.text


async def test_it_ends_in_the_midst_of_an_alarm_without_noise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard, ended = Heard(), []

    async def fire(id: str) -> None:
        await heard(id)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(id)

    async with ringing(fire) as alarms:
        alarms.put("long", soon(0.05))
        alarms.put("hourly", HOURLY)
        await heard.until("long")
    assert ended == ["long"]
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []
    await alarms.end()
    alarms.put("late", soon(0))
    alarms.drop("late")


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_clock_that_is_set_is_noticed(hours: int) -> None:
    heard, wall = Heard(), SetClock()
    async with ringing(heard, wall=wall, look=0.05):
        await asyncio.sleep(0.2)
        assert heard.ids == [], "nothing is to do while clocks go on alike"
        wall.off = timedelta(hours=hours)
        await heard.until("")
        await asyncio.sleep(0.2)
    assert heard.ids == [""]


async def test_a_sleep_is_noticed_where_both_clocks_went_on_in_it() -> None:
    heard, wall, off = Heard(), SetClock(), [0.0]
    alarms = SchedulerAlarms(
        CALENDAR, wall=wall, monotonic=lambda: time.monotonic() + off[0], look_every_s=0.05
    )
    alarms.begin(heard)
    wall.off, off[0] = timedelta(hours=1), 3600.0
    await heard.until("")
    await alarms.end()


async def test_what_was_put_while_the_clock_was_ahead_goes_off_in_time() -> None:
    heard, wall = Heard(), SetClock()
    wall.off = timedelta(days=365)
    each_minute = Schedule(kind="cron", expression="* * * * *")
    async with ringing(heard, wall=wall, look=0.05) as alarms:
        alarms.put("minutely", each_minute)
        scheduler = alarms._scheduler  # its next time is nowhere else to be seen
        assert scheduler.get_job("minutely").next_run_time > utc_now() + timedelta(days=300)
        wall.off = timedelta()
        await heard.until("")
        coming = scheduler.get_job("minutely").next_run_time
    assert coming <= utc_now() + timedelta(minutes=1)


async def test_a_thousand_jobs_are_cheap() -> None:
    heard = Heard()
    zones = ("Europe/Berlin", "America/New_York", "Asia/Tokyo")
    async with ringing(heard) as alarms:
        begun = time.process_time()
        for at in range(1000):
            often = f"{at % 60} {at % 24} * * mon-fri"
            alarms.put(
                str(at), Schedule(kind="cron", expression=often, timezone=zones[at % len(zones)])
            )
        await asyncio.sleep(0)
        put = time.process_time() - begun
        begun = time.process_time()
        await asyncio.sleep(1)
        idle = time.process_time() - begun
    assert heard.ids == []
    assert put < 2, "a few milliseconds a job at most, on the slowest machine"
    assert idle < 0.2


async def test_an_alarm_among_a_thousand_costs_little() -> None:
    heard = Heard()
    async with ringing(heard) as alarms:
        for at in range(1000):
            alarms.put(str(at), HOURLY)
        begun = time.process_time()
        for at in range(20):
            alarms.put(f"soon {at}", soon(0.3))
        await heard.until(*(f"soon {at}" for at in range(20)))
        spent = time.process_time() - begun
    assert spent < 1
