"""The parts of the engine of jobs, joined for one open home."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from skill_agent.agents.directory import AgentDirectory
from skill_agent.backups.daily import EVERY as DAILY
from skill_agent.events import Event
from skill_agent.ports import Alarms, Calendar, Clock, Delivers, Ledger
from skill_agent.settings.schema import Settings
from skill_agent.text.clock import zone_here
from skill_agent.values import Job, JobKind

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
        done: Mapping[JobKind, Done],
        kinds: Mapping[JobKind, Kind],
        host: str,
        hosting: bool,
    ) -> None:
        """`done` says when each chore was last done. `host` names this process, `hosting` says that
        it stays."""
        self._clock, self._calendar = clock, calendar
        self._rings = hosting and settings.jobs.enabled
        records = JobRecords(ledger)
        zone = settings.jobs.timezone or zone_here()
        chores = Chores(
            ledger=ledger, clock=clock, timezone=zone, every=_wanted(settings), done=done
        )
        self.book = JobBook(records, chores, calendar, clock)
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
            stays=self._rings,
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


def _wanted(settings: Settings) -> dict[JobKind, timedelta]:
    """The chores that are switched on, and how often each is done."""
    wanted = settings.upkeep
    every: dict[JobKind, timedelta] = {}
    if wanted.consolidate:
        every["consolidate"] = timedelta(hours=wanted.consolidate_hours)
    if wanted.expire:
        every["expire"] = timedelta(hours=wanted.expire_hours)
    if settings.backup.daily:
        every["backup"] = DAILY
    return every
