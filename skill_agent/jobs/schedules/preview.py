"""A schedule as a person looks at it before it holds: its next fire times by their clock."""

from datetime import datetime

from skill_agent.ports import Calendar
from skill_agent.text.clock import local, minute_of
from skill_agent.text.language import ENGLISH
from skill_agent.values import Schedule, SchedulePreview

from .words import schedule_words

MOST = 100
"""Fire times that are shown at most."""


def preview(
    schedule: Schedule, calendar: Calendar, now: datetime, *, count: int = 3, language: str = ""
) -> SchedulePreview:
    """With the weekdays in the language where there is one for them, else in English."""
    moments: list[datetime] = []
    moment = calendar.next_fire(schedule, now)
    while moment is not None and len(moments) < min(max(1, count), MOST):
        moments.append(moment)
        moment = calendar.next_fire(schedule, moment)
    return SchedulePreview(
        schedule=schedule,
        next_runs=tuple(moments),
        local=tuple(shown(one, schedule.timezone, language) for one in moments),
    )


def shown(moment: datetime, timezone: str, language: str = "") -> str:
    """`Fri 2026-10-30 17:00 Europe/Berlin`."""
    words = schedule_words(language) or schedule_words(ENGLISH)
    weekdays = words.weekdays if words else ("",) * 7
    day = weekdays[local(moment, timezone).weekday()]
    return f"{day} {minute_of(moment, timezone)} {timezone}"
