"""The chores of a home: what its memory and its backups need now and then."""

from skill_agent.backups.daily import DailyBackup
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.values import Job, JobRun

from .kind import Outcome, Plain


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

    def __init__(self, daily: DailyBackup) -> None:
        self._daily = daily

    async def run(self, job: Job, run: JobRun) -> Outcome:
        await self._daily.make()
        return Outcome()
