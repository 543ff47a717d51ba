"""The parts of the engine of jobs, joined for one open home."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from skill_agent.agents.directory import AgentDirectory
from skill_agent.backups.daily import EVERY as DAILY
from skill_agent.events import Event
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.ports import Alarms, Calendar, Clock, Delivers, Ledger
from skill_agent.settings.schema import Settings
from skill_agent.values import Chore, Job, JobKind

from .book import JobBook
from .built_in import Chores, Done
from .engine import Engine
from .jobs import Jobs
from .kinds.kind import Kind
from .records import JobRecords
from .runs import Runs


class JobParts:
    """Made with the runtime, begun after turns, ended before them."""

    def __init__(
        self,
        *,
        settings: Settings,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        delivers: Delivers,
        publish: Callable[[Event], None],
        calendar: Calendar,
        alarms: Alarms,
        upkeep: Upkeep,
        last_backup: Done,
        kinds: Mapping[JobKind, Kind],
        host: str,
        hosting: bool,
        idle: Callable[[float], Awaitable[bool]],
    ) -> None:
        """`host` names this process, `hosting` says that it stays; `idle` returns once no turn
        runs, or after so many seconds."""
        self._clock, self._calendar, self._idle = clock, calendar, idle
        self._rings = hosting and settings.jobs.enabled
        records = JobRecords(ledger)
        self.book = JobBook(
            records, _chores(settings, ledger, clock, upkeep, last_backup), calendar, clock
        )
        self.runs = Runs(
            records=records,
            kinds=kinds,
            delivers=delivers,
            clock=clock,
            publish=publish,
            host=host,
            concurrent=settings.jobs.concurrent,
            give_up_after=settings.jobs.give_up_after,
            again=lambda run: self.engine.try_again(run),
            next_fire=self._next_fire,
        )
        self.engine = Engine(
            book=self.book,
            records=records,
            runs=self.runs,
            calendar=calendar,
            alarms=alarms,
            clock=clock,
        )
        self.operations = Jobs(
            book=self.book,
            records=records,
            runs=self.runs,
            engine=self.engine,
            kinds=kinds,
            calendar=calendar,
            clock=clock,
            directory=directory,
            delivers=delivers,
            default_agent=settings.general.default_agent,
            timezone=settings.jobs.timezone,
            commands=settings.jobs.commands,
        )

    def _next_fire(self, job: Job) -> datetime | None:
        return self._calendar.next_fire(job.schedule, self._clock())

    async def begin(self) -> None:
        """Takes up what a crash cut short; a process that stays has jobs run from now on."""
        await self.engine.take_up(hosting=self._rings)
        if self._rings:
            await self.engine.begin()

    async def end(self) -> None:
        await self.engine.end()


def _chores(
    settings: Settings, ledger: Ledger, clock: Clock, upkeep: Upkeep, last_backup: Done
) -> Chores:
    wanted = settings.upkeep
    every: dict[JobKind, timedelta] = {}
    if wanted.consolidate:
        every["consolidate"] = timedelta(hours=wanted.consolidate_hours)
    if wanted.expire:
        every["expire"] = timedelta(hours=wanted.expire_hours)
    if settings.backup.daily:
        every["backup"] = DAILY

    def last(chore: Chore) -> Done:
        async def done() -> datetime | None:
            return (await upkeep.status(chore)).last_run

        return done

    done: dict[JobKind, Done] = {
        "consolidate": last("consolidate"), "expire": last("expire"), "backup": last_backup,
    }  # fmt: skip
    return Chores(ledger=ledger, clock=clock, every=every, done=done)
