"""A person in Berlin who says when, on Wednesday 13 May 2026 at 10:20 by the clock there."""

from datetime import UTC, datetime

from skill_agent.scheduler.calendar import LocalCalendar

from skill_agent.errors import UsageError
from skill_agent.jobs.schedules.preview import preview
from skill_agent.jobs.schedules.reading import read_schedule
from skill_agent.text.clock import local
from skill_agent.values import Schedule

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 5, 13, 8, 20, 7, 123, tzinfo=UTC)
CALENDAR = LocalCalendar()


def read(words: str, *, language: str = "", now: datetime = NOW, zone: str = BERLIN) -> Schedule:
    return read_schedule(words, CALENDAR, now, timezone=zone, language=language)


def first_times(words: str, count: int, *, language: str = "") -> tuple[str, ...]:
    """`05-14 09:00` …; nothing for what is refused."""
    try:
        schedule = read(words, language=language)
    except UsageError:
        return ()
    runs = preview(schedule, CALENDAR, NOW, count=count).next_runs
    return tuple(f"{local(one, BERLIN):%m-%d %H:%M}" for one in runs)
