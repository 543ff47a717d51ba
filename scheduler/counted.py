"""Fire times that are counted from an anchor: intervals, and a single moment."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from .cron import wall

_NOMINAL = re.compile(r"P(?P<count>[1-9]\d{0,3})(?P<unit>[DWM])")


class Counted(Protocol):
    """Fire times that have numbers, from 0."""

    def at(self, number: int) -> datetime: ...

    def passed(self, moment: datetime) -> int:
        """How many there are up to and with the moment."""
        ...


@dataclass(frozen=True, slots=True)
class Once:
    """One moment."""

    moment: datetime

    def at(self, number: int) -> datetime:
        return self.moment if number == 0 else datetime.max.replace(tzinfo=UTC)

    def passed(self, moment: datetime) -> int:
        return int(moment >= self.moment)


@dataclass(frozen=True, slots=True)
class Steady:
    """Seconds that go by, whatever clocks say."""

    anchor: datetime
    step: timedelta

    def at(self, number: int) -> datetime:
        return self.anchor + number * self.step

    def passed(self, moment: datetime) -> int:
        return max(0, (moment - self.anchor) // self.step + 1)


@dataclass(frozen=True, slots=True)
class Nominal:
    """Days or months of a calendar, always at the time of day at which it began."""

    anchor: datetime
    days: int
    months: int
    zone: tzinfo

    def at(self, number: int) -> datetime:
        start = self.anchor.astimezone(self.zone).replace(tzinfo=None)
        if self.days:
            return wall(start + timedelta(days=number * self.days), self.zone)
        year, month = divmod(start.month - 1 + number * self.months, 12)
        year, month = start.year + year, month + 1
        day = min(start.day, monthrange(year, month)[1])  # the 31st is a shorter month's last
        return wall(start.replace(year=year, month=month, day=day), self.zone)

    def passed(self, moment: datetime) -> int:
        if moment < self.anchor:
            return 0
        start, local = self.anchor.astimezone(self.zone), moment.astimezone(self.zone)
        gone = (local.year - start.year) * 12 + local.month - start.month
        number = max(0, gone // self.months - 2) if self.months else self._days(start, local)
        while self.at(number) <= moment:
            number += 1
        return number

    def _days(self, start: datetime, local: datetime) -> int:
        return max(0, (local.date() - start.date()).days // self.days - 2)


def interval(expression: str, anchor: datetime, zone: tzinfo) -> Counted:
    """Raises ValueError for what is no interval, or too short a one."""
    if found := _NOMINAL.fullmatch(expression):
        count = int(found["count"])
        days = {"D": 1, "W": 7}.get(found["unit"], 0) * count
        return Nominal(anchor, days, 0 if days else count, zone)
    if not expression.isdecimal() or len(expression) > 9:
        raise ValueError(f"{expression[:40]!r} is no number of seconds, nor like P2D, P2W or P3M")
    if int(expression) < 60:
        raise ValueError("nothing happens more often than once a minute")
    return Steady(anchor, timedelta(seconds=int(expression)))
