"""The jobs that come with the program: the chores of a home, as its settings want them.

Each is due so long after it was last done, by whomever: after `ska memory expire` or `ska backup
create` by hand the job has its time. A home that was just made waits one interval.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from skill_agent.backups.daily import EVERY as DAILY
from skill_agent.errors import SkillAgentError
from skill_agent.ports import Clock, Ledger
from skill_agent.values import Job, JobKind, RunLimits, Schedule

LONGEST_S = 3600.0
"""Seconds a chore may take; a backup of a large home is slow."""

Done = Callable[[], Awaitable[datetime | None]]
"""When a chore was last done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chores:
    """Which chores a home has, and when each was last done."""

    ledger: Ledger
    clock: Clock
    every: Mapping[JobKind, timedelta]
    done: Mapping[JobKind, Done]

    @property
    def ids(self) -> tuple[JobKind, ...]:
        return tuple(self.every)

    async def job(self, kind: JobKind) -> Job:
        """Its id and its name are its kind."""
        made = await self._made()
        last = await self._last(kind)
        begun = max(made, last) if last else made
        seconds = int(self.every[kind].total_seconds())
        schedule = Schedule(
            kind="interval", expression=str(seconds), said=_said(seconds), anchor=begun
        )
        return Job(
            id=kind,
            name=kind,
            kind=kind,
            schedule=schedule,
            deliver=("none",),
            limits=RunLimits(timeout_s=LONGEST_S),
            created_by="program",
            built_in=True,
            created_at=begun,
        )

    async def _made(self) -> datetime:
        """When the home's log begins."""
        rows = await self.ledger.log(limit=1)
        return min(rows[0].at, self.clock()) if rows else self.clock()

    async def _last(self, kind: JobKind) -> datetime | None:
        try:
            last = await self.done[kind]()
        except (SkillAgentError, OSError):
            return None  # doing it tells what is wrong
        return min(last, self.clock()) if last else None


def with_status(job: Job, said: Mapping[str, object]) -> Job:
    """The job as a person left it."""
    return replace(job, status="paused") if said.get("status") == "paused" else job


def _said(seconds: int) -> str:
    hours = seconds // 3600
    return "daily" if timedelta(seconds=seconds) == DAILY else f"every {hours} hours"
