"""A person's clock: their own days and hours of moments that are kept in UTC.

A zone is a name of the IANA's, or an offset as `+02:00` where no name is known; "" is the zone of
the machine this runs on. A name knows when clocks change, so a day is as long as it was.
"""

import re
import warnings
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from skill_agent.errors import UsageError

from .nearest import nearest

if TYPE_CHECKING:  # a screen paints before it loads them
    from skill_agent.values import Message

_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)")
_LONGEST = 64


def zone_here() -> str:
    """The name of this machine's zone, or its offset where it has none that fits."""
    now = datetime.now().astimezone()
    for look in (_named, _named_anew):
        name = look() or ""
        zone = _known(name)
        if zone is not None and now.astimezone(zone).utcoffset() == now.utcoffset():
            return name
    return _offset(now)


def checked_zone(name: str) -> str:
    """The name itself; raises UsageError for one that says no zone."""
    if name:
        zone_of(name)
    return name


def zone_of(name: str) -> tzinfo:
    """The zone of that name; raises UsageError with the nearest name where there is none."""
    zone = _known(name)
    if zone is None:
        near = _near(name)
        meant = f'did you mean "{near}"? Otherwise ' if near else ""
        raise UsageError(
            f"unknown time zone {name[:_LONGEST]!r}",
            hint=f"{meant}an IANA name such as Europe/Berlin, or an offset such as +02:00",
        )
    return zone


def local(moment: datetime, zone: str = "") -> datetime:
    """The moment by the clock of a zone; a name nobody knows here is taken for this machine's."""
    known = (_known(zone) if zone else None) or _known(zone_here()) or UTC
    try:
        return moment.astimezone(known)
    except OverflowError:  # within a day of the calendar's ends
        return moment


def said_at(message: "Message") -> datetime:
    """When it was said, by the clock of whoever said it."""
    return local(message.created_at, message.zone)


def day_of(moment: datetime, zone: str = "") -> str:
    """`2026-10-26`."""
    return f"{local(moment, zone):%Y-%m-%d}"


def minute_of(moment: datetime, zone: str = "") -> str:
    """`2026-10-26 09:30`."""
    return f"{local(moment, zone):%Y-%m-%d %H:%M}"


def spoken(seconds: int) -> str:
    """A span as people say it, in its two largest units: `2 h 5 min`."""
    parts = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
    said = []
    for unit, size in parts:
        count, seconds = divmod(seconds, size)
        if count or (unit == "s" and not said):
            said.append(f"{count} {unit}")
    return " ".join(said[:2])


def lately(moment: datetime, zone: str = "", *, now: datetime | None = None) -> str:
    """`09:30` today, and with the day before it on any other."""
    today = day_of(moment, zone) == day_of(now or datetime.now(UTC), zone)
    return f"{local(moment, zone):%H:%M}" if today else minute_of(moment, zone)


def _known(name: str) -> tzinfo | None:
    if offset := _OFFSET.fullmatch(name):
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(away if offset[1] == "+" else -away) if away < timedelta(days=1) else None
    if not name or len(name) > _LONGEST:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _near(name: str) -> str:
    """The known name most like it, by its place: people leave the continent out."""

    def place(known: str) -> str:
        return known.rpartition("/")[2]

    names = {place(known): known for known in sorted(available_timezones())}
    begun = [one for one in names if one[:1].casefold() == place(name)[:1].casefold()]
    return names.get(nearest(place(name).replace(" ", "_"), begun), "")


def _offset(now: datetime) -> str:
    said = f"{now:%z}"
    return f"{said[:3]}:{said[3:5]}"


def _named() -> str | None:
    import tzlocal

    try:
        return tzlocal.get_localzone_name()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _named_anew() -> str | None:
    """Read again: a laptop travels, and what reads the zone keeps it."""
    import tzlocal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name that does not fit is told by its offset
        try:
            tzlocal.reload_localzone()
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
    return _named()
