"""Sayings that mean again and again."""

from datetime import UTC, date, datetime, timedelta

from skill_agent.errors import UsageError
from skill_agent.values import Schedule

from .hours import hours_between
from .moments import add_months, at_time, is_skipped
from .once import month_of
from .parts import Part
from .saying import SECONDS, Saying, needs_time

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CALENDAR = {"day": "D", "week": "W", "month": "M"}


def daily(saying: Saying) -> Schedule:
    return saying.at_times("*", "*", "*")


def on_weekdays(saying: Saying) -> Schedule:
    return saying.at_times("*", "*", _weekdays(saying))


def _weekdays(saying: Saying) -> str:
    found: set[int] = set()
    for part in saying.of("day"):
        first = part.whole("weekdays") if "weekdays" in part.values else part.whole("weekday")
        match part.values.get("days"):
            case "workdays":
                found.update(range(5))
            case "weekend":
                found.update((5, 6))
            case "range":
                found.update(
                    (first + one) % 7 for one in range((part.whole("until") - first) % 7 + 1)
                )
            case _:
                found.add(first)
    if not found or len(found) == len(_DAYS):
        return "*"
    days = sorted(found)
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_DAYS[days[0]]}-{_DAYS[days[-1]]}"
    return ",".join(_DAYS[day] for day in days)


def on_weekday_of_month(saying: Saying) -> Schedule:
    """The last friday, the first monday."""
    part = saying.one("nth_weekday")
    nth, day = part.whole("nth"), _DAYS[part.whole("weekday")]
    if nth > 4:
        raise UsageError(f'not every month has "{part.said}"', hint="say the last one, or the 4th")
    return saying.at_times("*", "*", f"{day}#{nth}" if nth else f"{day}L")


def on_day_of_month(saying: Saying) -> Schedule:
    return saying.at_times(_day_field(saying), "*", "*")


def _day_field(saying: Saying) -> str:
    days = [
        _day_number(part) for part in saying.of("nth_day", "day_alone", "last_day", "first_day")
    ]
    return ",".join(str(day) if day else "L" for day in dict.fromkeys(days))


def _day_number(part: Part) -> int:
    """0 is the last."""
    if part.kind in ("last_day", "first_day"):
        return int(part.kind == "first_day")
    day = part.whole("day")
    if not 0 <= day <= 31:
        raise UsageError(f'"{part.said}" is no day of a month')
    if day > 28:
        raise UsageError(
            f'not every month has "{part.said}"', hint="say the last day of the month, or the 28th"
        )
    return day


def yearly(saying: Saying) -> Schedule:
    part = saying.one("date")
    month, day = month_of(part), part.whole("day")
    if "year" in part.values:
        raise UsageError(f'"{part.said}" is one day and not every year')
    return saying.at_times(str(day), str(month), "*")


def steadily(saying: Saying) -> Schedule:
    """Every so many minutes or hours, whatever the clock says."""
    part = saying.one("steps")
    unit, count = part.word("unit"), part.number("number")
    if unit not in SECONDS:
        raise needs_time(saying)
    seconds = count * SECONDS[unit]
    if seconds < 60 or seconds != int(seconds):
        raise UsageError(f'"{part.said}": nothing happens more often than once a minute')
    start = saying.now.astimezone(UTC).replace(microsecond=0)
    return Schedule(
        kind="interval", expression=str(int(seconds)), timezone=saying.timezone, anchor=start
    )


def hourly(saying: Saying) -> Schedule:
    return saying.cron("0", "*", "*", "*", "*")


def within_days(saying: Saying) -> Schedule:
    """Every so many minutes or hours, on some days or between some hours."""
    part = saying.one("steps", "every_hour")
    unit, count = part.word("unit") or "hour", part.number("number")
    if (unit, count) == ("hour", 0.5):
        unit, count = "minute", 30
    parts_of = {"minute": 60, "hour": 24}.get(unit)
    if parts_of is None or count != int(count) or count < 1 or parts_of % int(count):
        raise UsageError(
            f'"{part.said}" does not go on evenly on some days or between some hours',
            hint="every 1, 2, 3, 4, 6, 8 or 12 hours; every 5, 10, 15, 20 or 30 minutes",
        )
    step = int(count)
    window = saying.one("window") if saying.of("window") else None
    hours = hours_between(window, with_last=unit == "hour") if window else list(range(24))
    if unit == "hour":
        hours, minute = hours[::step], "0"
    else:
        minute = f"*/{step}" if step > 1 else "*"
    everywhere = len(hours) == 24
    hour = "*" if everywhere else ",".join(str(one) for one in sorted({*hours}))
    return saying.cron(minute, hour, "*", "*", _weekdays(saying))


def by_calendar(saying: Saying) -> Schedule:
    """Every other day, every two weeks on friday, every three months on the first."""
    part, time = saying.one("steps"), saying.time()
    unit, count = part.word("unit"), part.number("number")
    letter = _CALENDAR.get(unit)
    if letter is None or count != int(count) or not 1 <= count <= 1000:
        raise UsageError(f'"{part.said}" does not go with a time of day')
    days = saying.of("day")
    if days and unit == "day" and count % 7 == 0:
        unit, count, letter = "week", count // 7, "W"
    if days and (unit != "week" or len(days) > 1 or days[0].values.get("days") in _SEVERAL):
        raise UsageError(f'"{part.said}" goes with one day of the week', hint="make a job for each")
    start = _first_day(saying, unit)
    first = _first_of(saying, start, time, 7 if unit == "week" else 1)
    return Schedule(
        kind="interval",
        expression=f"P{int(count)}{letter}",
        timezone=saying.timezone,
        anchor=first,
    )


_SEVERAL = {"workdays", "weekend", "range"}


def _first_day(saying: Saying, unit: str) -> date:
    today = saying.now.date()
    if unit == "month":
        if not saying.of("nth_day", "day_alone", "first_day"):
            raise UsageError("says no day of the month", hint='add "on the first", for example')
        day = _day_number(saying.one("nth_day", "day_alone", "first_day"))
        return today.replace(day=day or 1)
    if unit == "week":
        if not saying.of("day"):
            raise UsageError("says no day of the week", hint='add "on monday", for example')
        part = saying.one("day")
        wanted = part.whole("weekdays") if "weekdays" in part.values else part.whole("weekday")
        return today + timedelta(days=(wanted - today.weekday()) % 7)
    return today


def _first_of(saying: Saying, day: date, time: tuple[int, int], step: int) -> datetime:
    """The first such moment that is still to come."""
    monthly = bool(saying.of("nth_day", "day_alone", "first_day"))
    now = saying.now.date(), (saying.now.hour, saying.now.minute)
    while (day, time) <= now or is_skipped(at_time(day, time), saying.zone):
        day = add_months(day, 1) if monthly else day + timedelta(days=step)
    return at_time(day, time).replace(tzinfo=saying.zone).astimezone(UTC)
