"""Fire times by APScheduler's triggers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from skill_agent.errors import UsageError
from skill_agent.identifiers import parse_time
from skill_agent.ports import Calendar
from skill_agent.values import Schedule


class TriggerCalendar(Calendar):
    """What APScheduler's triggers say."""

    def check(self, schedule: Schedule) -> None:
        self.trigger(schedule)

    def next_fire(self, schedule: Schedule, after: datetime) -> datetime | None:
        later = after + timedelta(microseconds=1)
        found = self.trigger(schedule).get_next_fire_time(None, later)
        return found.astimezone(UTC) if found is not None and found > after else None

    def last_fire(self, schedule: Schedule, after: datetime, upto: datetime) -> datetime | None:
        last, found = None, self.next_fire(schedule, after)
        while found is not None and found <= upto:
            last, found = found, self.next_fire(schedule, found)
        return last

    def count(self, schedule: Schedule, after: datetime, upto: datetime) -> int:
        times, found = 0, self.next_fire(schedule, after)
        while found is not None and found <= upto:
            times, found = times + 1, self.next_fire(schedule, found)
        return times

    def trigger(self, schedule: Schedule) -> Any:
        from apscheduler.triggers.cron import CronTrigger
        from apscheduler.triggers.date import DateTrigger
        from apscheduler.triggers.interval import IntervalTrigger

        try:
            zone = ZoneInfo(schedule.timezone)
            if schedule.kind == "cron":
                return CronTrigger.from_crontab(schedule.expression, timezone=zone)
            if schedule.kind == "interval":
                return IntervalTrigger(
                    seconds=int(schedule.expression), start_date=schedule.anchor, timezone=UTC
                )
            return DateTrigger(parse_time(schedule.expression), timezone=UTC)
        except (ValueError, ZoneInfoNotFoundError) as problem:
            raise UsageError(f"{schedule.expression!r} is no schedule: {problem}") from problem
