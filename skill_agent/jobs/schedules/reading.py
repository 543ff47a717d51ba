"""Words, a cron expression or a moment, read into a schedule: deterministically, and in full or not
at all.

How what may be read in two ways is read, so that it can be looked up: a weekday without more is
each such day, "next friday" the first after today; an hour without am or pm goes by 24 hours; a
length of time alone ("30m") is how often, as with "every"; a moment without an offset is the
person's zone. Everything else that may be meant in two ways is refused, and so is what has gone by.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from difflib import get_close_matches

from skill_agent.errors import UsageError
from skill_agent.ports import Calendar
from skill_agent.text.clock import zone_here, zone_of
from skill_agent.values import Schedule

from .meaning import meaning
from .moments import local_moment, once
from .parts import Reading, folded, take_apart
from .words import ScheduleWords, in_each_language

_LONGEST = 200
_CRON_FIELD = re.compile(r"(?=.*[\d*])[\w*/,#-]+|L|\?", re.ASCII)
_SHORT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Place:
    now: datetime
    timezone: str

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.timezone)


def read_schedule(
    words: str, calendar: Calendar, now: datetime, *, timezone: str = "", language: str = ""
) -> Schedule:
    """What the words mean to a person in that zone ("": this machine's), who writes this language
    first of all; raises UsageError with what was not understood, and with the nearest that is."""
    timezone = timezone or zone_here()
    place = _Place(now.astimezone(zone_of(timezone)), timezone)
    text = folded(words)
    if not text or len(text) > _LONGEST:
        raise UsageError("no time is said" if not text else "too long for a time", hint=_HINT)
    found = _standard(text, place)
    found = found or _in_words(text, place, language)
    calendar.check(found)
    return replace(found, said=" ".join(words.split()))


_HINT = 'for example "weekdays at 9am", "every 2h" or "0 9 * * mon-fri"'


def _standard(text: str, place: _Place) -> Schedule | None:
    """What is the same in every language."""
    if text.startswith("@"):
        if text.lower() not in _SHORT:
            raise UsageError(f'"{text}" is not known', hint=f"known are {', '.join(_SHORT)}")
        text = _SHORT[text.lower()]
    fields = text.split()
    if _is_cron(fields):
        expression = _with_names(" ".join(fields))
        return Schedule(kind="cron", expression=expression, timezone=place.timezone)
    if found := _MOMENT.fullmatch(text):
        return once(_moment(found, place), place)
    return None


def _is_cron(fields: Sequence[str]) -> bool:
    plain = all(_CRON_FIELD.fullmatch(one) or _names_only(one) for one in fields)
    head = fields[0][0]
    if len(fields) == 6 and plain and fields[0][0] in "*0123456789":
        raise UsageError(
            "a cron expression has five fields (minute hour day month weekday), not six",
            hint="leave the seconds out",
        )
    return len(fields) == 5 and plain and (head == "*" or head.isdigit())


def _names_only(field: str) -> bool:
    return all(re.fullmatch(r"[a-z]{3}", one) for one in re.split(r"[,-]", field.lower()))


def _with_names(expression: str) -> str:
    """Weekdays by name: nobody has to know from which day they count."""
    *others, weekday = expression.split()
    if not re.fullmatch(r"[0-7](?:[,-][0-7])*", weekday):
        return expression
    names = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
    named = re.sub(r"[0-7]", lambda found: names[int(found[0])], weekday)
    return " ".join((*others, named))


def _moment(found: re.Match[str], place: _Place) -> datetime:
    day, time, offset = found.groups()
    try:
        if offset:
            return datetime.fromisoformat(f"{day}T{time}{offset.upper()}").astimezone(place.zone)
        return local_moment(datetime.fromisoformat(f"{day}T{time}"), place.zone)
    except (ValueError, OverflowError):
        raise UsageError(f'"{found[0]}" is no day or time of the calendar') from None


def _in_words(text: str, place: _Place, language: str) -> Schedule:
    """By the first language that understands all of it; otherwise told by the one that does most
    of it."""
    problem: UsageError | None = None
    readings: list[Reading] = []
    for words in in_each_language(language):
        reading = take_apart(text, words)
        readings.append(reading)
        if reading.unknown:
            continue
        try:
            return meaning(reading.parts, place.now, place.timezone)
        except UsageError as refused:
            problem = problem or _with_examples(refused, text, reading.words)
    if problem is not None:
        raise problem
    nearest = min(readings, key=_not_understood)
    raise UsageError(
        f'not understood: {", ".join(f"“{one}”" for one in nearest.unknown)} in "{text}"',
        hint=_examples(text, nearest.words),
    )


def _not_understood(reading: Reading) -> int:
    return sum(map(len, reading.unknown))


def _with_examples(problem: UsageError, text: str, words: ScheduleWords) -> UsageError:
    said = ", ".join(filter(None, (problem.hint, _examples(text, words))))
    return UsageError(str(problem), hint=said)


def _examples(text: str, words: ScheduleWords) -> str:
    near = get_close_matches(text, words.examples, n=2, cutoff=0.0)
    return "for example " + " or ".join(f'"{one}"' for one in near)
