"""The chores of a home: what its memory and its backups need now and then."""

from collections.abc import Awaitable, Callable

from skill_agent.backups.daily import DailyBackup
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.values import Job, JobRun

from .kind import Outcome, Plain

FOR_TURNS_S = 1_800.0
"""So long a backup waits for turns to end."""


class Consolidate(Plain):
    """`--kind consolidate`."""

    repeatable = True

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep

    async def run(self, job: Job, run: JobRun) -> Outcome:
        await self._upkeep.consolidate_unasked()
        return Outcome()


class Expire(Plain):
    """`--kind expire`."""

    repeatable = True

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep

    async def run(self, job: Job, run: JobRun) -> Outcome:
        await self._upkeep.expire()
        return Outcome()


class MakeBackup(Plain):
    """`--kind backup`."""

    repeatable = True

    def __init__(self, daily: DailyBackup, idle: Callable[[float], Awaitable[bool]]) -> None:
        """`idle` returns once no turn runs, or after so many seconds."""
        self._daily, self._idle = daily, idle

    async def run(self, job: Job, run: JobRun) -> Outcome:
        await self._idle(FOR_TURNS_S)
        await self._daily.make()
        return Outcome()
