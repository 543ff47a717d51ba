"""What is asked of what was used: by what, of which time, of whom. Draws nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeVar, get_args

from skill_agent.text.clock import local
from skill_agent.values import UsageBy, UsageRow

Period = Literal["today", "7 days", "month", "all"]
BYS: tuple[UsageBy, ...] = ("day", "agent", "model", "tier", "session", "strategy")
PERIODS: tuple[Period, ...] = get_args(Period)
SAID: dict[str, str] = {"session": "conversation"}
MOST_DAYS = 400
"""Days without anything that are filled in between others."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question; the default is what each agent used this month."""

    by: UsageBy = "agent"
    period: Period = "month"
    agent: str | None = None

    def stepped_by(self, step: int) -> "Asked":
        return replace(self, by=_after(self.by, BYS, step))

    def stepped_period(self, step: int) -> "Asked":
        return replace(self, period=_after(self.period, PERIODS, step))


def begin_of(period: Period, now: datetime, zone: str) -> datetime | None:
    """The midnight at which a period begins, by a person's own clock; None for all there is."""
    midnight = local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "today":
            return midnight
        case "7 days":
            return midnight - timedelta(days=6)
        case "month":
            return midnight.replace(day=1)
        case "all":
            return None


def every_day(
    rows: Sequence[UsageRow], since: datetime | None, now: datetime, zone: str
) -> list[UsageRow]:
    """Days in their order, those on which nothing was used too: a gap is part of the picture."""
    by_day = {row.id: row for row in rows}
    days = [found for row in rows if (found := _day(row.id))]
    last = local(now, zone).date()
    first = since.date() if since else min(days, default=last)
    count = (last - first).days + 1
    if not by_day or not 0 < count <= MOST_DAYS:
        return list(rows)
    named = [f"{first + timedelta(days=each):%Y-%m-%d}" for each in range(count)]
    beside = [row for row in rows if row.id not in named]
    return [*beside, *(by_day.get(name, UsageRow(id=name)) for name in named)]


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _after(value: _T, known: Sequence[_T], step: int) -> _T:
    return known[(known.index(value) + step) % len(known)]
