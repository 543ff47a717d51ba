"""When things are due: a calendar that works out fire times, and alarms that go off at them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from skill_agent.values import Schedule


class Calendar(Protocol):
    """Works out fire times; knows no clock."""

    def check(self, schedule: Schedule) -> None:
        """Raises UsageError for a schedule that means nothing, with what was expected."""
        ...

    def next_fire(self, schedule: Schedule, after: datetime) -> datetime | None:
        """The first fire time later than this, UTC; None where there is none any more."""
        ...

    def last_fire(self, schedule: Schedule, after: datetime, upto: datetime) -> datetime | None:
        """The newest fire time later than the first moment and not later than the second."""
        ...

    def count(self, schedule: Schedule, after: datetime, upto: datetime) -> int:
        """How many fire times there are in that stretch; cheap for a year of minutes."""
        ...


class Alarms(Protocol):
    """Goes off at fire times while the process lives; what is due is decided by whoever hears."""

    def begin(self, fire: Callable[[str], Awaitable[object]]) -> None:
        """`fire` is called with the id of whatever is due, and with "" when the machine has slept
        or its clock was set: then anything may be due."""
        ...

    def put(self, id: str, schedule: Schedule) -> None:
        """Goes off for it from now on, instead of what was put there before."""
        ...

    def drop(self, id: str) -> None: ...

    async def end(self) -> None: ...
