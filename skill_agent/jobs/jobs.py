"""Jobs as front ends see them: added, changed, looked up, run by hand."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.idempotency import Once, checked_key
from skill_agent.errors import Conflict, NotFound, UsageError
from skill_agent.identifiers import new_id
from skill_agent.ports import Calendar, Clock, Delivers
from skill_agent.text.checks import sound_text
from skill_agent.text.clock import checked_zone, zone_here
from skill_agent.text.redaction import masked
from skill_agent.values import (
    Dispatch,
    Job,
    JobChange,
    JobKind,
    JobRun,
    NewJob,
    Requester,
    Schedule,
    SchedulePreview,
)

from . import operations
from .book import JobBook, Standing, said_local
from .checks import LONGEST_NAME, MOST_JOBS, checked, checked_new
from .engine import Engine
from .findings import findings
from .kinds.command import check_command
from .kinds.kind import Kind
from .records import JobRecords
from .runs import Runs
from .understanding import understood

PERSON = "person"
_MOST_PREVIEWED = 50


class Jobs(operations.JobOperations):
    """The jobs of one open home."""

    def __init__(
        self,
        *,
        book: JobBook,
        records: JobRecords,
        runs: Runs,
        engine: Engine,
        kinds: Mapping[JobKind, Kind],
        calendar: Calendar,
        clock: Clock,
        directory: AgentDirectory,
        delivers: Delivers,
        default_agent: str,
        timezone: str,
        commands: Sequence[str],
        language: Callable[[], str] = lambda: "en",
    ) -> None:
        self._book, self._records, self._runs, self._engine = book, records, runs, engine
        self._kinds, self._calendar, self._clock = kinds, calendar, clock
        self._directory, self._delivers = directory, delivers
        self._default_agent, self._timezone = default_agent, timezone
        self._commands, self._language = frozenset(commands), language
        self._once, self._writing = Once(), asyncio.Lock()

    # -- looked up ---------------------------------------------------------------------------

    async def list(self, *, requester: Requester | None = None) -> operations.ListOfJobs:
        every = [one for one in await self._book.all() if _may_see(requester, one.job)]
        shown = [self._book.shown(one) for one in every]
        return sorted(shown, key=lambda one: (one.next_run is None, one.next_run, one.name))

    async def preview(self, when: str, *, timezone: str = "", count: int = 3) -> SchedulePreview:
        schedule = self._understood(when, timezone)
        moments, after = [], self._clock()
        for _ in range(max(1, min(count, _MOST_PREVIEWED))):
            if (found := self._calendar.next_fire(schedule, after)) is None:
                break
            moments.append(after := found)
        local = tuple(said_local(one, schedule.timezone) for one in moments)
        return SchedulePreview(schedule=schedule, next_runs=tuple(moments), local=local)

    async def doctor(self) -> operations.ListOfFindings:
        return await findings(self._book, self._kinds, self._delivers)

    async def get(self, job: str, *, requester: Requester | None = None) -> Job:
        return self._book.shown_whole(await self._find(job, requester))

    async def history(
        self, job: str, *, limit: int = 50, requester: Requester | None = None
    ) -> operations.ListOfRuns:
        one = await self._find(job, requester)
        found = await self._records.history(one.job.id, limit=max(0, limit))
        return [replace(run, name=one.job.name) for run in found]

    async def get_run(self, run: str, *, requester: Requester | None = None) -> JobRun:
        found = await self._run(run)
        one = await self._book.get(found.job)
        if requester is not None and not (one and _may_see(requester, one.job)):
            raise NotFound(f"no run {run!r}", hint="ska jobs history JOB")
        return replace(found, name=one.job.name if one else found.job)

    async def _run(self, ref: str) -> JobRun:
        """Raises NotFound, and UsageError where several fit."""
        ref = sound_text(ref.strip().lower(), "the run")
        ids = [ref] if await self._records.runs([ref]) else await self._records.beginning_with(ref)
        match await self._records.runs(ids):
            case [one]:
                return one
            case []:
                raise NotFound(f"no run {ref!r}", hint="ska jobs history JOB")
            case several:
                raise UsageError(f"{ref!r} fits {len(several)} runs", hint="use the whole id")

    async def _find(self, ref: str, requester: Requester | None = None) -> Standing:
        one = await self._book.find(ref)
        if not _may_see(requester, one.job):
            raise NotFound(f"no job {ref!r}", hint="ska jobs list")
        return one

    # -- added and changed -------------------------------------------------------------------

    async def add(self, new: NewJob) -> Job:
        """Raises UsageError for what cannot be meant, NotFound for an unknown agent, Forbidden for
        a program that may not be run, Conflict where the key stands for another job. Nothing is
        kept then."""
        key = checked_key(new.key) if new.key is not None else new_id()
        said = replace(new, key=None, requester=None)
        return await self._once.run(key, said, lambda: self._added(new, key))

    async def _added(self, new: NewJob, key: str) -> Job:
        checked_new(new)
        async with self._writing:
            if (known := await self._book.get(key)) is not None:
                if (known.job.kind, known.job.prompt) != (new.kind, masked(new.prompt)):
                    raise Conflict(f"{key} is another job", hint="leave the key out")
                return self._book.shown(known)
            every = await self._book.all()
            if len(every) >= MOST_JOBS:
                raise UsageError(f"{MOST_JOBS:,} jobs are the most", hint="ska jobs remove JOB")
            job = checked(self._made(new, key, every))
            self._check(job)
            await self._records.keep(job, since=self._clock())
        await self._engine.changed(job.id)
        if job.status == "proposed":
            await self._tell_of_proposal(job)
        return await self.get(job.id)

    def _made(self, new: NewJob, key: str, every: Sequence[Standing]) -> Job:
        schedule = self._understood(new.when, new.timezone)
        asks = new.kind in ("agent", "summary")
        agent = self._directory.get(new.agent or self._default_agent).slug if asks else ""
        if new.name:
            name = " ".join(new.name.split())
            self._book.check_name(name, every)
        else:
            name = _free_name(_named(new, schedule), every)
        return Job(
            id=key,
            name=name,
            kind=new.kind,
            schedule=schedule,
            status="active" if new.created_by == PERSON else "proposed",
            agent=agent,
            prompt=masked(new.prompt.strip()),
            command=tuple(new.command),
            deliver=tuple(new.deliver),
            catch_up=new.catch_up,
            quiet_hours=new.quiet_hours,
            limits=new.limits,
            max_attempts=new.max_attempts,
            created_by=new.created_by,
            by=new.requester.key if new.requester else "",
            origins=new.origins,
            created_at=self._clock(),
        )

    def _understood(self, when: str, timezone: str) -> Schedule:
        zone = checked_zone(timezone or self._timezone or zone_here())
        sound_text(when, "the time")
        schedule = understood(when, zone, self._clock(), self._language())
        self._calendar.check(schedule)
        return schedule

    def _check(self, job: Job) -> None:
        """Raises for what would never work."""
        if job.kind == "command":
            check_command(job.command, self._commands)
        for target in job.deliver:
            if target != "none":
                self._delivers.check(target)
        if self._calendar.next_fire(job.schedule, self._clock()) is None:
            raise UsageError(
                f"{job.schedule.said or job.schedule.expression!r} is over already",
                hint="name a time to come",
            )

    async def _tell_of_proposal(self, job: Job) -> None:
        who = job.created_by
        text = f"{job.schedule.said}: {job.prompt or job.kind}\n\nska jobs approve {job.id}"
        dispatch = Dispatch(
            title=f"{who} proposes a job: {job.name}", text=text, sort="question", agent=who,
            job=job.id, origins=job.origins, key=job.id,
        )  # fmt: skip
        await self._delivers.deliver(dispatch)

    async def edit(self, job: str, change: JobChange) -> Job:
        """Raises as `add` does."""
        async with self._writing:
            one = await self._own(job, "changed")
            told = {
                name: value
                for name in ("deliver", "catch_up", "quiet_hours", "limits", "max_attempts")
                if (value := getattr(change, name)) is not None
            }
            if change.name is not None:
                name = " ".join(change.name.split())
                self._book.check_name(name, await self._book.all(), but=one.job.id)
                told["name"] = name
            if change.agent is not None:
                told["agent"] = self._directory.get(change.agent).slug
            if change.prompt is not None:
                told["prompt"] = masked(change.prompt.strip())
            if change.command is not None:
                told["command"] = tuple(change.command)
            if change.when is not None or change.timezone is not None:
                before = one.job.schedule
                when = change.when or before.said or before.expression
                told["schedule"] = self._understood(when, change.timezone or before.timezone)
            edited = checked(replace(one.job, **told))
            self._check(edited)
            anew = "schedule" in told
            since = self._clock() if anew else one.since
            await self._records.keep(edited, since=since)
        await self._engine.changed(edited.id)
        return await self.get(edited.id)

    async def approve(self, job: str) -> Job:
        """Raises UsageError for one that was not proposed."""
        one = await self._book.find(job)
        if one.job.status != "proposed":
            raise UsageError(f"{one.job.name!r} is {one.job.status}", hint="ska jobs list")
        self._check(one.job)
        return await self._set(replace(one.job, status="active"))

    async def pause(self, job: str) -> Job:
        one = await self._book.find(job)
        self._check_there(one)
        if one.job.status == "proposed":
            raise UsageError(
                f"{one.job.name!r} has not begun",
                hint=f"ska jobs approve {one.job.id}, or remove",
            )
        if one.job.status == "paused":
            return self._book.shown(one)
        return await self._set(replace(one.job, status="paused"))

    async def resume(self, job: str) -> Job:
        one = await self._book.find(job)
        self._check_there(one)
        if one.job.status == "proposed":
            raise UsageError(
                f"{one.job.name!r} waits for approval", hint=f"ska jobs approve {one.job.id}"
            )
        return await self._set(replace(one.job, status="active"), revived=True)

    async def _set(self, job: Job, *, revived: bool = False) -> Job:
        now = self._clock()
        if job.built_in:
            await self._records.keep_status(job, since=now, revived=revived)
        else:
            await self._records.keep(job, since=now, revived=revived)
        await self._engine.changed(job.id)
        return await self.get(job.id)

    async def remove(self, job: str) -> Job:
        """A run that is under way comes to its end."""
        one = await self._own(job, "removed")
        await self._records.remove(one.job)
        await self._engine.changed(one.job.id)
        return replace(self._book.shown(one), status="ended", next_run=None, next_run_local="")

    async def _own(self, job: str, what: str) -> Standing:
        one = await self._book.find(job)
        if one.job.built_in:
            raise UsageError(
                f"{one.job.name!r} comes with the program and is not {what}",
                hint="pause it, or see [upkeep] and [backup] in config.toml",
            )
        self._check_there(one)
        return one

    def _check_there(self, one: Standing) -> None:
        if one.kept.removed:
            raise UsageError(f"{one.job.name!r} was removed", hint="ska jobs list")

    # -- run ---------------------------------------------------------------------------------

    async def run(self, job: str) -> JobRun:
        """The run that is under way, where there is one."""
        one = await self._book.find(job)
        self._check_there(one)
        if one.job.status == "proposed":
            raise UsageError(
                f"{one.job.name!r} waits for approval", hint=f"ska jobs approve {one.job.id}"
            )
        return await self._engine.run_now(one)

    async def cancel_run(self, run: str) -> JobRun:
        """One that has ended stays as it is."""
        found = await self._run(run)
        if not await self._engine.drop_try(found.id):
            await self._runs.cancel(found.id)
        return await self.get_run(found.id)


def _may_see(requester: Requester | None, job: Job) -> bool:
    return requester is None or requester.may("admin") or job.by == requester.key


def _named(new: NewJob, schedule: Schedule) -> str:
    what = " ".join(new.prompt.split()) or new.kind
    what = new.command[0].rsplit("/", 1)[-1] if new.command else what
    return f"{what[:40].strip()} ({schedule.said or new.when})"[:LONGEST_NAME]


def _free_name(name: str, every: Sequence[Standing]) -> str:
    taken = {one.job.name.casefold() for one in every}
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name} {number}"
    return free
