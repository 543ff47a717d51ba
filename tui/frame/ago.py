"""When something was, as people say it: how long ago, on which day, in which stretch of days.

Older days are told with their year, so what is shown of them stays true.
"""

from datetime import datetime, timedelta

from skill_agent.text.clock import local

_MINUTE, _HOUR = 60, 3_600
TODAY, YESTERDAY, THIS_WEEK = "Today", "Yesterday", "This week"


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `2 h ago`, `yesterday`, `3 days ago`, `20 Nov 2026`."""
    past = (now - moment).total_seconds()
    days = _days_between(moment, now)
    if past < _MINUTE:
        return "just now"
    if past < _HOUR:
        return f"{past // _MINUTE:.0f} min ago"
    if days == 0 or past < 6 * _HOUR:
        return f"{past // _HOUR:.0f} h ago"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 7 else day(moment)


def stretch(moment: datetime, now: datetime) -> str:
    """`Today`, `Yesterday`, `This week` (since Monday), or the month: `November 2026`."""
    days = _days_between(moment, now)
    if days <= 0:
        return TODAY
    if days == 1:
        return YESTERDAY
    return THIS_WEEK if days <= local(now).weekday() else f"{local(moment):%B %Y}"


def within(moment: datetime, now: datetime) -> str:
    """What is left to say of it below the name of its stretch."""
    match stretch(moment, now):
        case "Today" | "Yesterday":
            return f"{local(moment):%H:%M}"
        case "This week":
            return f"{local(moment):%A %H:%M}"
        case _:
            return day(moment)


def day(moment: datetime) -> str:
    """`20 Nov 2026`."""
    then = local(moment)
    return f"{then.day} {then:%b %Y}"


def _days_between(moment: datetime, now: datetime) -> int:
    """Midnights that passed."""
    return (local(now).date() - local(moment).date()) // timedelta(days=1)
