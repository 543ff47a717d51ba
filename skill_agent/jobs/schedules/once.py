"""Sayings that mean one moment."""

from datetime import UTC, date, timedelta

from skill_agent.errors import UsageError
from skill_agent.values import Schedule

from .moments import add_months, at_local, once
from .parts import Part
from .saying import SECONDS, TIMES_OF_DAY, Saying


def hence(saying: Saying) -> Schedule:
    """In half an hour, in two days at eight."""
    part = saying.one("in")
    unit, count = part.word("unit"), part.number("number")
    if unit in SECONDS:
        if saying.of(*TIMES_OF_DAY):
            raise UsageError(f'"{part.said}" is a moment already', hint="leave the time of day out")
        seconds = count * SECONDS[unit]
        try:
            moment = saying.now.astimezone(UTC) + timedelta(seconds=seconds)
            return once(moment.replace(microsecond=0), saying)
        except OverflowError:
            raise UsageError(f'"{part.said}" is beyond the calendar') from None
    if count != int(count):
        raise UsageError(f'"{part.said}" is no whole number of days')
    day = _days_hence(saying.now.date(), unit, int(count), part.said)
    time = saying.time() if saying.of("clock", "hour") else (saying.now.hour, saying.now.minute)
    return at_local(day, time, saying)


def _days_hence(today: date, unit: str, count: int, said: str) -> date:
    try:
        if unit in ("day", "week"):
            return today + timedelta(days=count * (7 if unit == "week" else 1))
        return add_months(today, count * (12 if unit == "year" else 1))
    except (OverflowError, ValueError):
        raise UsageError(f'"{said}" is beyond the calendar') from None


def on_named_day(saying: Saying) -> Schedule:
    """Today, tomorrow."""
    steps = int(saying.one("named").word("named").partition(" ")[0])
    return at_local(saying.now.date() + timedelta(days=steps), saying.time(), saying)


def on_coming_weekday(saying: Saying) -> Schedule:
    """The first such weekday after today; with "next week" the one in that week."""
    part = saying.one("coming", "following")
    today, wanted = saying.now.date(), part.whole("weekday")
    if part.kind == "following":
        day = today + timedelta(days=7 - today.weekday() + wanted)
    else:
        day = today + timedelta(days=(wanted - today.weekday()) % 7 or 7)
    return at_local(day, saying.time(), saying)


def on_date(saying: Saying) -> Schedule:
    """A day of a year, or the next such day."""
    part, time = saying.one("date"), saying.time()
    month, day = month_of(part), part.whole("day")
    years = [part.whole("year")] if "year" in part.values else range(9)
    for year in years:
        try:
            found = date(year if "year" in part.values else saying.now.year + year, month, day)
        except ValueError:
            continue
        past = (found, time) <= (saying.now.date(), (saying.now.hour, saying.now.minute))
        if "year" in part.values or not past:
            return at_local(found, time, saying)
    raise UsageError(f'"{part.said}" is no day of the calendar')


def month_of(part: Part) -> int:
    return part.whole("month") if "month" in part.values else part.whole("monthnumber")
