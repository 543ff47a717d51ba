"""A schedule as APScheduler wants it; imported only where an alarm is put."""

from datetime import datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger  # noqa: TID253 - see above

from skill_agent.ports import Calendar
from skill_agent.values import Schedule


class ScheduleTrigger(BaseTrigger):
    """Goes on from now: fire times that went by are no alarms, somebody accounts for them."""

    __slots__ = ("_calendar", "_schedule")

    def __init__(self, calendar: Calendar, schedule: Schedule) -> None:
        self._calendar = calendar
        self._schedule = schedule

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> Any:
        return self._calendar.next_fire(self._schedule, max(previous_fire_time or now, now))
