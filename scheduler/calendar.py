"""Fire times of every kind of schedule."""

from datetime import UTC, datetime
from functools import lru_cache

from skill_agent.errors import UsageError
from skill_agent.identifiers import parse_time
from skill_agent.ports import Calendar
from skill_agent.text.clock import zone_of
from skill_agent.values import Schedule

from .counted import Counted, Once, interval
from .cron import CronTimes, parse_cron

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = 4096
"""Schedules that are kept taken apart."""


class LocalCalendar(Calendar):
    """Reckons in the zones of the schedules, whatever their clocks do."""

    def __init__(self) -> None:
        self._times = lru_cache(_KEPT)(_times)

    def check(self, schedule: Schedule) -> None:
        self._times(schedule)
        if schedule.kind == "cron" and not parse_cron(schedule.expression).ever():
            raise UsageError(
                f"{schedule.expression!r} never happens", hint="no month has such a day"
            )

    def next_fire(self, schedule: Schedule, after: datetime) -> datetime | None:
        times = self._times(schedule)
        if isinstance(times, CronTimes):
            return times.next_fire(after)
        number = times.passed(after)
        return None if number and isinstance(times, Once) else _reached(times, number)

    def last_fire(self, schedule: Schedule, after: datetime, upto: datetime) -> datetime | None:
        times = self._times(schedule)
        if isinstance(times, CronTimes):
            return times.last_fire(after, upto)
        number = times.passed(upto)
        return times.at(number - 1) if number > times.passed(after) else None

    def count(self, schedule: Schedule, after: datetime, upto: datetime) -> int:
        times = self._times(schedule)
        if isinstance(times, CronTimes):
            return times.count(after, upto)
        return max(0, times.passed(upto) - times.passed(after))


def _reached(times: Counted, number: int) -> datetime | None:
    try:
        return times.at(number)
    except (OverflowError, ValueError):  # beyond the calendar's end
        return None


def _times(schedule: Schedule) -> CronTimes | Counted:
    zone = zone_of(schedule.timezone)
    try:
        if schedule.kind == "cron":
            return CronTimes(parse_cron(schedule.expression), zone)
        if schedule.kind == "interval":
            return interval(schedule.expression, schedule.anchor or _EPOCH, zone)
        return Once(parse_time(schedule.expression).astimezone(UTC))
    except ValueError as problem:
        raise UsageError(
            f"{schedule.expression[:80]!r} is no schedule: {problem}",
            hint='for example "0 9 * * mon-fri" or "@daily"',
        ) from problem
