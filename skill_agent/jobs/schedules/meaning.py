"""What the parts of a saying mean together, the same in every language."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from skill_agent.errors import UsageError
from skill_agent.values import Schedule

from .hours import hours_between, times_of_day
from .moments import add_months, at_local, once
from .parts import Part

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_CALENDAR = {"day": "D", "week": "W", "month": "M"}
_WHOLE = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}
_TIMES_OF_DAY = {"clock", "hour", "part", "daily_part"}
_DAY_OF_MONTH = {"nth_day", "last_day", "first_day"}
_EVERY = {f"every_{unit}": unit for unit in ("hour", "day", "week", "month", "year")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """The parts of a saying by kind, and when and where it is said."""

    parts: Sequence[Part]
    now: datetime
    """By the clock of the zone."""
    timezone: str

    @property
    def zone(self) -> tzinfo:
        zone = self.now.tzinfo
        assert zone is not None  # `now` is made local by whoever asks
        return zone

    @property
    def kinds(self) -> set[str]:
        return {part.kind for part in self.parts}

    def of(self, *kinds: str) -> list[Part]:
        return [part for part in self.parts if part.kind in kinds]

    def one(self, *kinds: str) -> Part:
        """The only part of these kinds."""
        found = self.of(*kinds)
        if len(found) > 1:
            raise UsageError(f"only one of these can hold: {_quoted(found)}")
        return found[0]

    def time(self) -> tuple[int, int]:
        times = times_of_day(self.parts)
        if len(times) != 1:
            raise UsageError(f"only one time of day fits here: {_quoted(self.of('clock', 'hour'))}")
        return times[0]

    def cron(self, minute: str, hour: str, day: str, month: str, weekday: str) -> Schedule:
        expression = " ".join((minute, hour, day, month, weekday))
        return Schedule(kind="cron", expression=expression, timezone=self.timezone)

    def at_times(self, day: str, month: str, weekday: str) -> Schedule:
        """At each named time of day on such days."""
        times = times_of_day(self.parts)
        minutes = {minute for _, minute in times}
        if len(minutes) > 1:
            raise UsageError(
                f"times with different minutes need a job each: {_quoted(self.of('clock', 'hour'))}"
            )
        hours = ",".join(str(hour) for hour, _ in times)
        return self.cron(str(minutes.pop()), hours, day, month, weekday)


Rule = Callable[[Saying], Schedule]


def meaning(parts: Sequence[Part], now: datetime, timezone: str) -> Schedule:
    """Raises UsageError where the parts do not make one schedule."""
    saying = Saying(parts=_plainer(parts), now=now, timezone=timezone)
    kinds = saying.kinds
    for needed, allowed, rule in _RULES:
        if needed <= kinds <= needed | allowed:
            return rule(saying)
    raise _incomplete(saying)


def _plainer(parts: Sequence[Part]) -> list[Part]:
    """With fewer kinds: "every 1 day" is daily, "every other friday" every 2 weeks on Friday."""
    plain: list[Part] = []
    for part in parts:
        if part.kind == "other" and "weekday" in part.values:
            plain += [_steps(part, "week", 2), replace(part, kind="day")]
        elif part.kind in ("every", "other"):
            plain.append(_steps(part, part.word("unit"), part.number("number", _least(part.kind))))
        elif part.kind in _EVERY and part.kind != "every_hour":
            plain.append(_steps(part, _EVERY[part.kind], 1))
        elif part.kind == "daily_part":
            plain += [part, replace(part, kind="daily")]
        elif part.kind in ("workdays", "weekend", "each", "bare", "range"):
            plain.append(replace(part, kind="day", values={**part.values, "days": part.kind}))
        else:
            plain.append(part)
    kinds = [part.kind for part in plain]
    if kinds == ["bare_every"]:
        return [_steps(plain[0], plain[0].word("unit"), plain[0].number("number"))]
    days = kinds.count("on") + kinds.count("day")
    if days > 1 or {"weekly", "steps", "every_hour"} & {*kinds}:
        plain = [replace(part, kind="day") if part.kind == "on" else part for part in plain]
    if "day" in {part.kind for part in plain}:  # "monday mornings" are no further days
        plain = [one for one in plain if one.kind != "daily" or "unit" in one.values]
    return plain


def _least(kind: str) -> int:
    return 2 if kind == "other" else 1


def _steps(part: Part, unit: str, count: float) -> Part:
    kind = _WHOLE.get(unit, "steps") if count == 1 else "steps"
    return replace(part, kind=kind, values={**part.values, "unit": unit, "number": count})


# -- once ------------------------------------------------------------------------------------


def _hence(saying: Saying) -> Schedule:
    """In half an hour, in two days at eight."""
    part = saying.one("in")
    unit, count = part.word("unit"), part.number("number")
    if unit in _SECONDS:
        if saying.of(*_TIMES_OF_DAY):
            raise UsageError(f'"{part.said}" is a moment already', hint="leave the time of day out")
        seconds = count * _SECONDS[unit]
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


def _named(saying: Saying) -> Schedule:
    """Today, tomorrow."""
    steps = int(saying.one("named").word("named").partition(" ")[0])
    return at_local(saying.now.date() + timedelta(days=steps), saying.time(), saying)


def _coming(saying: Saying) -> Schedule:
    """The first such weekday after today; with "next week" the one in that week."""
    part = saying.one("coming", "following")
    today, wanted = saying.now.date(), part.whole("weekday")
    if part.kind == "following":
        day = today + timedelta(days=7 - today.weekday() + wanted)
    else:
        day = today + timedelta(days=(wanted - today.weekday()) % 7 or 7)
    return at_local(day, saying.time(), saying)


def _date(saying: Saying) -> Schedule:
    """A day of a year, or the next such day."""
    part, time = saying.one("date"), saying.time()
    month, day = _month_of(part), part.whole("day")
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


def _month_of(part: Part) -> int:
    return part.whole("month") if "month" in part.values else part.whole("monthnumber")


# -- again and again -------------------------------------------------------------------------


def _daily(saying: Saying) -> Schedule:
    return saying.at_times("*", "*", "*")


def _on_weekdays(saying: Saying) -> Schedule:
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


def _weekday_of_month(saying: Saying) -> Schedule:
    """The last friday, the first monday."""
    part = saying.one("nth_weekday")
    nth, day = part.whole("nth"), _DAYS[part.whole("weekday")]
    if nth > 4:
        raise UsageError(f'not every month has "{part.said}"', hint="say the last one, or the 4th")
    return saying.at_times("*", "*", f"{day}#{nth}" if nth else f"{day}L")


def _day_of_month(saying: Saying) -> Schedule:
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


def _yearly(saying: Saying) -> Schedule:
    part = saying.one("date")
    month, day = _month_of(part), part.whole("day")
    if "year" in part.values:
        raise UsageError(f'"{part.said}" is one day and not every year')
    return saying.at_times(str(day), str(month), "*")


def _steadily(saying: Saying) -> Schedule:
    """Every so many minutes or hours, whatever the clock says."""
    part = saying.one("steps")
    unit, count = part.word("unit"), part.number("number")
    if unit not in _SECONDS:
        raise _needs_time(saying)
    seconds = count * _SECONDS[unit]
    if seconds < 60 or seconds != int(seconds):
        raise UsageError(f'"{part.said}": nothing happens more often than once a minute')
    start = saying.now.replace(microsecond=0)
    return Schedule(
        kind="interval", expression=str(int(seconds)), timezone=saying.timezone, anchor=start
    )


def _hourly(saying: Saying) -> Schedule:
    return saying.cron("0", "*", "*", "*", "*")


def _within_days(saying: Saying) -> Schedule:
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


def _by_calendar(saying: Saying) -> Schedule:
    """Every other day, every two weeks on friday, every three months on the first."""
    part, time = saying.one("steps"), saying.time()
    unit, count = part.word("unit"), part.number("number")
    letter = _CALENDAR.get(unit)
    if letter is None or count != int(count) or not 1 <= count <= 1000:
        raise UsageError(f'"{part.said}" does not go with a time of day')
    days = saying.of("day")
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
    while (day, time) <= (saying.now.date(), (saying.now.hour, saying.now.minute)):
        day = add_months(day, 1) if monthly else day + timedelta(days=step)
    return datetime.combine(day, datetime.min.time().replace(*time), saying.zone)


# -- which parts make what ---------------------------------------------------------------------

_PART = {"part", "hour"}

_RULES: Sequence[tuple[set[str], set[str], Rule]] = (
    ({"in"}, _TIMES_OF_DAY, _hence),
    ({"named", "clock"}, _PART, _named),
    ({"coming", "clock"}, _PART, _coming),
    ({"following", "clock"}, _PART, _coming),
    ({"date", "clock"}, _PART, _date),
    ({"date", "clock", "yearly"}, _PART, _yearly),
    ({"daily", "clock"}, _PART | {"daily_part"}, _daily),
    ({"day", "clock"}, _PART | {"daily_part", "weekly"}, _on_weekdays),
    ({"nth_weekday", "clock"}, _PART | {"monthly"}, _weekday_of_month),
    *(
        ({kind, "clock"}, _PART | _DAY_OF_MONTH | {"monthly"}, _day_of_month)
        for kind in _DAY_OF_MONTH
    ),
    ({"day_alone", "monthly", "clock"}, _PART, _day_of_month),
    ({"steps"}, set(), _steadily),
    ({"every_hour"}, set(), _hourly),
    *(({one}, {"day", "window", "daily"}, _within_days) for one in ("steps", "every_hour")),
    ({"steps", "clock"}, _PART | {"day", "day_alone"} | _DAY_OF_MONTH, _by_calendar),
)


def _quoted(parts: Sequence[Part]) -> str:
    return ", ".join(f'"{part.said}"' for part in parts)


def _incomplete(saying: Saying) -> UsageError:
    kinds = saying.kinds
    if kinds and not kinds & {"clock", "hour"}:
        return _needs_time(saying)
    if kinds <= _TIMES_OF_DAY:
        return UsageError("says a time of day and no day", hint='"every day" or "tomorrow"?')
    if "on" in kinds or "day_alone" in kinds:
        said = _quoted(saying.of("on", "day_alone"))
        return UsageError(f"{said} may be meant once or each time", hint=_ONCE_OR_EACH)
    if kinds & {"weekly", "monthly", "yearly"}:
        said = _quoted(saying.of("weekly", "monthly", "yearly"))
        return UsageError(f"{said} says no day", hint='add "on monday" or "on the first"')
    return UsageError(f"these do not go together: {_quoted(saying.parts)}")


_ONCE_OR_EACH = 'say "every monday" or "next monday", "the 15th of every month" or a date'


def _needs_time(saying: Saying) -> UsageError:
    return UsageError(f"{_quoted(saying.parts)} says no time of day", hint='add "at 9:00"')
