"""Alarms by APScheduler, with its jobs in memory: what is due is decided by whoever hears them."""

from collections.abc import Awaitable, Callable
from typing import Any

from skill_agent.ports import Alarms
from skill_agent.values import Schedule

from .calendar import TriggerCalendar

LOOK_EVERY_S = 30
"""How often a sleep of the machine, or a clock that was set, is noticed."""


class SchedulerAlarms(Alarms):
    """An `AsyncIOScheduler` of one process."""

    def __init__(self, calendar: TriggerCalendar) -> None:
        self._calendar = calendar
        self._scheduler: Any = None
        self._fire: Callable[[str], Awaitable[object]] | None = None

    def begin(self, fire: Callable[[str], Awaitable[object]]) -> None:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        self._fire = fire
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_job(fire, "interval", seconds=LOOK_EVERY_S, args=[""], id="look")
        self._scheduler.start()

    def put(self, id: str, schedule: Schedule) -> None:
        if self._scheduler is not None:
            trigger = self._calendar.trigger(schedule)
            self._scheduler.add_job(
                self._fire, trigger, args=[id], id=f"job {id}", replace_existing=True
            )

    def drop(self, id: str) -> None:
        if self._scheduler is not None and self._scheduler.get_job(f"job {id}"):
            self._scheduler.remove_job(f"job {id}")

    async def end(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
