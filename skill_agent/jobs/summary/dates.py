"""For which day something is that a person said, by rules alone."""

import re
from datetime import date, datetime, timedelta

from skill_agent.memory.extraction.own_words import dated
from skill_agent.memory.words.likely import may_name_time
from skill_agent.memory.words.when import Moment, find_times

_DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_DAYS = ("day", "part", "range")
"""A week or a month is no day that something is due on."""


def due_day(text: str, said_at: datetime) -> str:
    """The last day a sentence names that had not passed when it was said, `2026-12-04`; empty where
    there is none. What could be either way is the next one."""
    if not may_name_time(text) and not _DATE.search(text):
        return ""
    said = said_at.date().isoformat()
    found = [one for one in _DATE.findall(dated(text, said_at)) if _is_day(one)]
    found += [_last_day(one, said_at) for one in find_times(text, said_at) if one.grain in _DAYS]
    return max((one for one in found if said <= one < _FAR), default="")


_FAR = "2200"


def _last_day(moment: Moment, said_at: datetime) -> str:
    end = moment.end.astimezone(said_at.tzinfo) - timedelta(minutes=1)
    return f"{end:%Y-%m-%d}"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
