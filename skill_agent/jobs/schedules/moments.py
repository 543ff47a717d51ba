"""Single moments by a person's clock."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, tzinfo
from typing import Protocol

from skill_agent.errors import UsageError
from skill_agent.values import Schedule


class Place(Protocol):
    """When and where something is said."""

    @property
    def now(self) -> datetime: ...

    @property
    def zone(self) -> tzinfo: ...

    @property
    def timezone(self) -> str: ...


def at_local(day: date, at: tuple[int, int], place: Place) -> Schedule:
    """Once, at a time of day."""
    return once(local_moment(datetime.combine(day, time(*at)), place.zone), place)


def local_moment(said: datetime, zone: tzinfo) -> datetime:
    """A wall clock's time; raises UsageError where the clock shows it never or twice that day."""
    first, second = said.replace(tzinfo=zone), said.replace(tzinfo=zone, fold=1)
    shown = f"{said:%Y-%m-%d %H:%M}"
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != said:
        raise UsageError(f"{shown} does not exist: clocks are put forward then")
    if first.utcoffset() != second.utcoffset():
        raise UsageError(
            f"{shown} comes twice: clocks are put back then",
            hint=f"say which, as {first.isoformat()} or {second.isoformat()}",
        )
    return first


def once(moment: datetime, place: Place) -> Schedule:
    """Raises UsageError for a moment that has gone by."""
    if moment.astimezone(UTC) <= place.now.astimezone(UTC):
        raise UsageError(f"{moment:%Y-%m-%d %H:%M} ({place.timezone}) has gone by")
    expression = moment.astimezone(UTC).isoformat()
    return Schedule(kind="once", expression=expression, timezone=place.timezone)


def add_months(day: date, count: int) -> date:
    """The same day of another month, or its last one where that is shorter."""
    years, month = divmod(day.month - 1 + count, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
