"""The parts of what is said about a time, and what is known of whoever says it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from skill_agent.errors import UsageError
from skill_agent.values import Schedule

from .hours import times_of_day
from .parts import Part

SECONDS = {"second": 1, "minute": 60, "hour": 3600}
TIMES_OF_DAY = {"clock", "hour", "part", "daily_part"}
DAY_OF_MONTH = {"nth_day", "last_day", "first_day"}


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
            raise UsageError(f"only one of these can hold: {quoted(found)}")
        return found[0]

    def time(self) -> tuple[int, int]:
        times = times_of_day(self.parts)
        if len(times) != 1:
            raise UsageError(f"only one time of day fits here: {quoted(self.of('clock', 'hour'))}")
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
                f"times with different minutes need a job each: {quoted(self.of('clock', 'hour'))}"
            )
        hours = ",".join(str(hour) for hour, _ in times)
        return self.cron(str(minutes.pop()), hours, day, month, weekday)


Rule = Callable[[Saying], Schedule]
"""What certain parts mean together."""


def quoted(parts: Sequence[Part]) -> str:
    return ", ".join(f'"{part.said}"' for part in parts)


def needs_time(saying: Saying) -> UsageError:
    return UsageError(f"{quoted(saying.parts)} says no time of day", hint='add "at 9:00"')
