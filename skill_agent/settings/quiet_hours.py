"""The hours in which nothing is told that can wait, in the person's own zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from skill_agent.errors import UsageError
from skill_agent.text.clock import local

_SPAN = re.compile(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From one time of day to another, over midnight where the second is the earlier."""

    begin: time
    end: time
    zone: str = ""

    @classmethod
    def parsed(cls, text: str, zone: str = "") -> "QuietHours | None":
        """None for no quiet hours; raises UsageError for what is no span of a day."""
        if not text.strip():
            return None
        found = _SPAN.fullmatch(text)
        if found is None or found.group(1, 2) == found.group(3, 4):
            raise UsageError(
                f"no quiet hours: {text[:40]!r}", hint="two times of day, e.g. 22:00-07:00"
            )
        first, second, third, fourth = map(int, found.groups())
        return cls(begin=time(first, second), end=time(third, fourth), zone=zone)

    def over_at(self, moment: datetime) -> datetime | None:
        """When they are over, UTC; None where it is not quiet."""
        here = local(moment, self.zone)
        now = here.time()
        nightly = self.end < self.begin
        within = now >= self.begin or now < self.end if nightly else self.begin <= now < self.end
        if not within:
            return None
        day = here.date() + timedelta(days=1) if nightly and now >= self.begin else here.date()
        over = datetime.combine(day, self.end, tzinfo=here.tzinfo).astimezone(UTC)
        # Where the clock is set back to before the end, the wall says it twice.
        return over if over > moment else over + timedelta(hours=1)
