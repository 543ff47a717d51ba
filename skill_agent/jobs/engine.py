"""When jobs run: alarms are the bell, what is due is decided here, run by run.

One process holds a home, so one process decides. Everything that is due is claimed in the ledger
before it begins, and looking is cheap: the next moment of each job stands in memory.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from skill_agent.identifiers import iso, new_id
from skill_agent.ports import Alarms, Calendar, Clock
from skill_agent.text.redaction import redact
from skill_agent.values import Job, JobRun, Schedule

from .book import JobBook, Standing
from .due import LATE_AFTER, Span, before, put_right
from .records import JobRecords
from .runs import Runs

SOON = timedelta(seconds=1)
"""An alarm may go off a moment before its time."""

_TRY = "try again "
_log = logging.getLogger(__name__)


class Engine:
    """Has jobs run at their times."""

    def __init__(
        self,
        *,
        book: JobBook,
        records: JobRecords,
        runs: Runs,
        calendar: Calendar,
        alarms: Alarms,
        clock: Clock,
    ) -> None:
        self._book, self._records, self._runs = book, records, runs
        self._calendar, self._alarms, self._clock = calendar, alarms, clock
        self._next: dict[str, datetime] = {}
        """When there is something to do about a job again."""
        self._tries: dict[str, JobRun] = {}
        """Runs that wait to be tried again, by job."""
        self._deciding = asyncio.Lock()
        self._rung: set[str] = set()
        """The jobs that have an alarm."""
        self._seen: datetime | None = None
        self._ringing = False
        self._soon: set[asyncio.TimerHandle] = set()
        self._late_looks: set[asyncio.Task[None]] = set()

    # -- begin and end -----------------------------------------------------------------------

    async def take_up(self, *, hosting: bool) -> None:
        """Decides what becomes of runs that an earlier process left open: it is gone, or this one
        would not hold the home. Those it had not begun wait for a process that stays."""
        for run in await self._records.open():
            one = await self._book.get(run.job)
            if one is None:
                await self._runs.changed(replace(run, state="unknown", ended_at=self._clock()))
            elif run.state == "running":
                await self._runs.taken_up(one.job, run, one.kept)
            elif hosting:
                await self._take_again(one, run)

    async def _take_again(self, one: Standing, run: JobRun) -> None:
        now = self._clock()
        late = now - run.due > LATE_AFTER and not run.by_hand
        if not one.runs or (late and not one.job.catch_up):
            await self._runs.changed(replace(run, name=one.job.name, state="missed"))
            return
        if run.next_try is not None and run.next_try > now:
            self.try_again(run)
            return
        mine = await self._runs.claim_again(one.job, run, one.kept.fence + 1, late=late)
        self._runs.start(one.job, mine)

    async def begin(self) -> None:
        """From now on jobs run at their times."""
        self._alarms.begin(self.fire)
        self._ringing = True
        for run in [*self._tries.values()]:
            self.try_again(run)
        await self.look()

    async def end(self) -> None:
        for handle in self._soon:
            handle.cancel()
        if self._ringing:
            self._ringing = False
            await self._alarms.end()
        for task in [*self._late_looks]:
            task.cancel()
        await asyncio.gather(*self._late_looks, return_exceptions=True)
        await self._runs.close()

    # -- looking -----------------------------------------------------------------------------

    async def fire(self, id: str) -> None:
        """What an alarm calls: with a job's id, with that of a run to be tried again, or with ""
        for anything. Never raises."""
        try:
            await self.look(None if not id or id.startswith(_TRY) else (id,))
        except Exception as problem:  # the wall of the alarm; the next one looks again
            _log.warning("jobs: %s", redact(str(problem)))

    async def look(self, jobs: Iterable[str] | None = None) -> None:
        """Begins what is due now, and notes what was missed."""
        async with self._deciding:
            now = self._clock()
            if self._seen is None or now < self._seen:  # opened just now, or a clock was set back
                due = await self._book.all()
                self._next.clear()
            else:
                wanted = self._next if jobs is None else [one for one in jobs if one in self._next]
                ids = [one for one in wanted if self._next[one] <= now]
                found = await self._book.some(ids) if ids else {}
                for gone in [one for one in ids if one not in found]:
                    self.forget(gone)
                due = list(found.values())
            self._seen = now
            for one in due:
                await self._look_at(one, now)
            await self._try_due(now)

    async def do_chores(self) -> None:
        """Does the built-in jobs whose time has passed, and returns when they have ended: for a
        process that does not stay."""
        async with self._deciding:
            now = self._clock()
            for one in await self._book.chores():
                await self._look_at(one, now)
        await self._runs.settled()

    async def _look_at(self, one: Standing, now: datetime) -> None:
        if not one.runs:
            self.forget(one.job.id)
            return
        found = one.due(self._calendar, now)
        if found.clock_was_ahead:
            one = await self._put_right(one, now)
            found = one.due(self._calendar, now)
        for span in found.missed:
            await self._missed(one, span)
        if found.run is not None:
            await self._begin(one, found.run, late=found.late)
        self._plan(one, found.next, now)

    async def _begin(self, one: Standing, due: datetime, *, late: bool) -> None:
        job = one.job
        if waiting := self._tries.pop(job.id, None):  # its time is over: this is the next try
            self._alarms.drop(_TRY + job.id)
            await self._runs.give_up(job, waiting)
        if self._runs.of(job.id) is not None:
            run = self._outcome(job, one.kept.fence, due)
            ended = replace(run, state="skipped", ended_at=self._clock())
            await self._runs.changed(ended, first=True)
            return
        run = await self._runs.claim(job, one.kept, due, late=late)
        self._runs.start(job, run)

    async def _missed(self, one: Standing, span: Span) -> None:
        run = self._outcome(one.job, one.kept.fence, span.first)
        missed = replace(run, state="missed", last_due=span.last, fire_times=span.count)
        await self._runs.changed(missed, first=True)

    def _outcome(self, job: Job, fence: int, due: datetime) -> JobRun:
        return JobRun(
            id=new_id(), job=job.id, name=job.name, state="missed", due=due, fence=fence,
            agent=job.agent,
        )  # fmt: skip

    async def _put_right(self, one: Standing, now: datetime) -> Standing:
        """After the clock was ahead: what is yet to come and was only called missed is taken
        back."""
        spans = dict(one.kept.missed)
        for run in await self._records.runs(list(spans)):
            span = spans[run.id]
            left = before(span, one.job.schedule, self._calendar, now)
            if left == span:
                continue
            last, count = (left.last, left.count) if left else (span.first, 0)
            await self._runs.changed(
                replace(run, name=one.job.name, last_due=last, fire_times=count)
            )
        right = put_right(one.accounted, spans.values(), now)
        await self._records.put_right(one.job.id, right)
        again = await self._book.get(one.job.id)
        assert again is not None
        return again

    # -- tries -------------------------------------------------------------------------------

    def try_again(self, run: JobRun) -> None:
        """Remembers a run that is to be tried again at its `next_try`."""
        assert run.next_try is not None
        self._tries[run.job] = run
        if self._ringing:
            moment = Schedule(kind="once", expression=iso(run.next_try))
            self._alarms.put(_TRY + run.job, moment)

    async def _try_due(self, now: datetime) -> None:
        for run in [one for one in self._tries.values() if one.next_try and one.next_try <= now]:
            del self._tries[run.job]
            one = await self._book.get(run.job)
            if one is None or not one.runs:
                await self._runs.changed(replace(run, state="skipped", ended_at=now))
                continue
            mine = await self._runs.claim_again(
                one.job, run, one.kept.fence + 1, late=now - run.due > LATE_AFTER
            )
            self._runs.start(one.job, mine)

    async def drop_try(self, run: str) -> bool:
        """Whether a run that waited to be tried again waits no more; it is ended."""
        waiting = next((one for one in self._tries.values() if one.id == run), None)
        if waiting is None:
            return False
        del self._tries[waiting.job]
        await self._runs.changed(replace(waiting, state="skipped", ended_at=self._clock()))
        return True

    # -- what a person does ------------------------------------------------------------------

    async def changed(self, job: str) -> None:
        """Looks at a job anew: it was added, changed, paused, resumed or removed."""
        async with self._deciding:
            one = await self._book.get(job)
            self.forget(job)
            if one is None or not one.runs or self._seen is None:
                return
            self._plan(one, self._book.next_run(one, now := self._clock()), now)

    def forget(self, job: str) -> None:
        self._next.pop(job, None)
        if job in self._rung:
            self._rung.discard(job)
            self._alarms.drop(job)

    async def run_now(self, one: Standing) -> JobRun:
        """Begins a run beside the job's times; gives the one that is under way already."""
        async with self._deciding:
            if (running := self._runs.of(one.job.id)) is not None:
                return running.run
            self._tries.pop(one.job.id, None)
            run = await self._runs.claim(one.job, one.kept, self._clock(), by_hand=True)
            self._runs.start(one.job, run)
            return run

    def _plan(self, one: Standing, next: datetime | None, now: datetime) -> None:
        if next is None:
            self.forget(one.job.id)
            return
        self._next[one.job.id] = next
        if self._ringing and (one.job.built_in or one.job.id not in self._rung):
            self._rung.add(one.job.id)
            self._alarms.put(one.job.id, one.job.schedule)
        if self._ringing and next - now <= SOON:
            self._look_soon(one.job.id, (next - now).total_seconds())

    def _look_soon(self, job: str, seconds: float) -> None:
        loop = asyncio.get_running_loop()

        def look() -> None:
            self._soon.discard(handle)
            task = loop.create_task(self.fire(job))
            self._late_looks.add(task)
            task.add_done_callback(self._late_looks.discard)

        handle = loop.call_later(max(seconds, 0.0) + 0.01, look)
        self._soon.add(handle)
