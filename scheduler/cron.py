"""Fire times of a cron expression, in the numbering and by the rules of crontab(5).

APScheduler's own cron trigger counts weekdays from Monday, wants both days where the standard wants
either, and gives a time twice on the day clocks are set back: hence this one.

On days whose clocks change, as Vixie cron and RFC 5545 have it: a time of day happens once, the
first time in autumn, and in spring as late as it would have been without the change. What goes by
the clock hand instead (`*` at the head of the minute or the hour) happens whenever the hands stand
there: each hour is an hour.
"""

import calendar as months
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_YEARS = 40
"""So far apart are the rarest days there are: a 29 February on a Monday."""
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = tuple(name.lower() for name in months.month_abbr if name)
_NAMES = {
    "month": {name: at + 1 for at, name in enumerate(_MONTHS)},
    "weekday": {name: at for at, name in enumerate(_WEEKDAYS)},
}
_LIMITS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
_PART = re.compile(r"(?P<from>\*|\w+)(?:-(?P<to>\w+))?(?:/(?P<step>\d{1,2}))?")
_IN_MONTH = re.compile(r"(?P<day>[a-z]{3}|[0-7])(?:#(?P<nth>[1-5])|(?P<last>l))")


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression taken apart."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int]
    nth_weekdays: frozenset[tuple[int, int]]
    """Weekday, and which of the month: 0 is the last."""
    either: bool
    """Day and weekday are both given: one of them is enough."""
    by_hands: bool

    def on(self, day: date) -> bool:
        """Whether the day is one of its days."""
        if day.month not in self.months:
            return False
        last = months.monthrange(day.year, day.month)[1]
        by_day = day.day in self.days or (self.last_day and day.day == last)
        weekday = day.isoweekday() % 7
        which = (weekday, (day.day + 6) // 7), (weekday, 0 if day.day + 7 > last else -1)
        by_weekday = weekday in self.weekdays or any(one in self.nth_weekdays for one in which)
        return (by_day or by_weekday) if self.either else (by_day and by_weekday)

    def ever(self) -> bool:
        """Whether there is such a day at all."""
        start = date(2000, 1, 1)
        return any(self.on(start + timedelta(one)) for one in range(366 * _YEARS))


def parse_cron(expression: str) -> Cron:
    """Raises ValueError, with what is wrong and in which field."""
    fields = expression.lower().split()
    if len(fields) != len(_LIMITS):
        raise ValueError(
            f"a cron expression has five fields (minute hour day month weekday), not {len(fields)}"
        )
    minute, hour, day, month, weekday = fields
    plain_days = [part for part in day.split(",") if part != "l"]
    nth = {part: found for part in weekday.split(",") if (found := _IN_MONTH.fullmatch(part))}
    plain_weekdays = [part for part in weekday.split(",") if part not in nth]
    return Cron(
        minutes=tuple(sorted(_numbers("minute", minute.split(",")))),
        hours=tuple(sorted(_numbers("hour", hour.split(",")))),
        days=frozenset(_numbers("day", plain_days)),
        last_day="l" in day.split(","),
        months=frozenset(_numbers("month", month.split(","))),
        weekdays=frozenset(one % 7 for one in _numbers("weekday", plain_weekdays)),
        nth_weekdays=frozenset(
            (_number("weekday", one["day"]) % 7, int(one["nth"] or 0)) for one in nth.values()
        ),
        either=day[0] != "*" and weekday[0] != "*",
        by_hands=minute[0] == "*" or hour[0] == "*",
    )


def _numbers(field: str, parts: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for part in parts:
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part[:40]!r} is no {field}")
        found.update(_range(field, match))
    return found


def _range(field: str, part: re.Match[str]) -> Iterator[int]:
    low, high = _LIMITS[field]
    step = int(part["step"] or 1)
    if not step:
        raise ValueError(f"{part[0]!r} steps nowhere")
    if part["from"] == "*":
        first, last = low, high - (field == "weekday")
        if part["to"]:
            raise ValueError(f"{part[0]!r} is no {field}")
    else:
        first = _number(field, part["from"])
        last = _number(field, part["to"]) if part["to"] else high if part["step"] else first
    if first > last and field == "weekday":
        last += 7  # from Friday to Monday
    if first > last:
        raise ValueError(f"{part[0]!r} ends before it begins")
    return iter(range(first, last + 1, step))


def _number(field: str, word: str) -> int:
    low, high = _LIMITS[field]
    number = int(word) if word.isdecimal() else _NAMES.get(field, {}).get(word)
    if number is None:
        raise ValueError(f"{word[:40]!r} is no {field}")
    if not low <= number <= high:
        raise ValueError(f"{word[:40]} is no {field}: they go from {low} to {high}")
    return number


class CronTimes:
    """The fire times of a cron expression in a zone."""

    def __init__(self, cron: Cron, zone: tzinfo) -> None:
        self._cron = cron
        self._zone = zone

    def next_fire(self, after: datetime) -> datetime | None:
        day, found = _day_in(after, self._zone) - _DAY, None
        for _ in range(366 * _YEARS):
            if day >= date.max - 2 * _DAY or (found is not None and self._plain(day)):
                break
            first = self._first_on(day, after) if self._cron.on(day) else None
            if found is not None:  # what was put off the day before may lie behind this day's first
                return min(found, first or found)
            found = first
            day += _DAY
        return found

    def last_fire(self, after: datetime, upto: datetime) -> datetime | None:
        day, end, found = _day_in(upto, self._zone), _day_in(after, self._zone) - _DAY, None
        while day >= end and (found is None or not self._plain(day)):
            last = self._last_on(day, upto) if self._cron.on(day) else None
            if found is not None:
                found = max(found, last or found)
                break
            found = last
            day -= _DAY
        return found if found is not None and found > after else None

    def count(self, after: datetime, upto: datetime) -> int:
        day, end = _day_in(after, self._zone) - _DAY, _day_in(upto, self._zone)
        inside = day + 2 * _DAY, end - _DAY
        a_day = len(self._cron.minutes) * len(self._cron.hours)
        times, at_edges = 0, set[datetime]()
        while day <= end:
            if self._cron.on(day):
                if inside[0] <= day <= inside[1] and self._plain(day):
                    times += a_day
                else:
                    at_edges.update(one for one in self._moments(day) if after < one <= upto)
            day += _DAY
        return times + len(at_edges)

    def _plain(self, day: date) -> bool:
        """No clock changes near it: its times of day lie as far apart as they sound."""
        return self._away(day - _DAY) == self._away(day + 2 * _DAY)

    def _away(self, day: date) -> timedelta:
        return datetime.combine(day, time(), self._zone).utcoffset() or timedelta()

    def _first_on(self, day: date, after: datetime) -> datetime | None:
        if not self._plain(day):
            return next((one for one in self._moments(day) if one > after), None)
        start = datetime.combine(day, time(), UTC) - self._away(day)
        gone = (after - start) // _MINUTE
        for hour in self._cron.hours:
            if hour * 60 + 59 <= gone:
                continue
            for minute in self._cron.minutes:
                if hour * 60 + minute > gone:
                    return start + timedelta(hours=hour, minutes=minute)
        return None

    def _last_on(self, day: date, upto: datetime) -> datetime | None:
        if not self._plain(day):
            return next((one for one in reversed(self._moments(day)) if one <= upto), None)
        start = datetime.combine(day, time(), UTC) - self._away(day)
        gone = (upto - start) // _MINUTE
        for hour in reversed(self._cron.hours):
            if hour * 60 > gone:
                continue
            for minute in reversed(self._cron.minutes):
                if hour * 60 + minute <= gone:
                    return start + timedelta(hours=hour, minutes=minute)
        return None

    def _moments(self, day: date) -> list[datetime]:
        """All its fire times on a local day, in order."""
        if self._cron.by_hands:
            return list(self._where_hands_stand(day))
        times = (time(hour, minute) for hour in self._cron.hours for minute in self._cron.minutes)
        return sorted({wall(datetime.combine(day, one), self._zone) for one in times})

    def _where_hands_stand(self, day: date) -> Iterator[datetime]:
        moment = datetime.combine(day, time(), UTC) - self._away(day) - _DAY / 4
        for _ in range(36 * 60):
            local = moment.astimezone(self._zone)
            hands = local.minute in self._cron.minutes and local.hour in self._cron.hours
            if hands and local.date() == day:
                yield moment
            moment += _MINUTE


def wall(local: datetime, zone: tzinfo) -> datetime:
    """A wall clock's time as UTC: the first of two, and one that is skipped as if it was not."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _day_in(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()
