"""Runs of jobs in this process: each from its claim to its one end.

Claimed, running, then what came of it is said, told to the person, and the end written down, in
this order: wherever a crash cuts it, the next opening knows what to do (`taken_up`). Nothing here
decides when anything is due.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from skill_agent.errors import SkillAgentError
from skill_agent.events import Event, JobRunChanged
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Delivers
from skill_agent.team.tasks.working import to_its_end
from skill_agent.text.redaction import masked, redact
from skill_agent.values import Dispatch, Job, JobKind, JobRun

from .kinds.failing import failed
from .kinds.kind import Kind, Outcome
from .records import Consequence, JobRecords, Kept
from .retries import again_at, is_dead
from .telling import dispatch_of, mark_of

LONGEST_RESULT = 100_000
"""Characters of a result that are kept."""
_BEGINNING = 200
CANCELLED, CLOSED = "cancelled by a person", "the home was closed while it ran"

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False, kw_only=True)
class Running:
    """A run while this process works on it."""

    job: Job
    run: JobRun
    task: "asyncio.Task[None] | None" = None
    stopped: str = ""
    """Why it is to end."""


class Slots:
    """How many runs there are at the same time; of those that need the local model, one."""

    def __init__(self, most: int) -> None:
        self.all, self.local = asyncio.Semaphore(most), asyncio.Semaphore(1)


class Runs:
    """The runs of one open home."""

    def __init__(
        self,
        *,
        records: JobRecords,
        kinds: Mapping[JobKind, Kind],
        delivers: Delivers,
        clock: Clock,
        publish: Callable[[Event], None],
        host: str,
        concurrent: int,
        give_up_after: int,
        again: Callable[[JobRun], None],
        next_fire: Callable[[Job], datetime | None],
        stays: bool,
    ) -> None:
        """`host` names this process, `stays` says that it goes on. `again` is told of a run that is
        to be tried once more."""
        self._records, self._kinds, self._delivers = records, kinds, delivers
        self._clock, self._publish, self._host = clock, publish, host
        self._slots, self._give_up_after = Slots(concurrent), give_up_after
        self._again, self._next_fire, self._stays = again, next_fire, stays
        self.now: dict[str, Running] = {}
        """By run."""
        self._closing = False

    def of(self, job: str) -> Running | None:
        """The run of a job that this process works on."""
        return next((one for one in self.now.values() if one.job.id == job), None)

    # -- claims ------------------------------------------------------------------------------

    async def claim(
        self, job: Job, kept: Kept, due: datetime, *, late: bool = False, by_hand: bool = False
    ) -> JobRun:
        """Writes down that this process does it; from then on its fire time is accounted for."""
        run = JobRun(
            id=new_id(),
            job=job.id,
            name=job.name,
            state="claimed",
            due=due,
            late=late,
            by_hand=by_hand,
            fence=kept.fence + 1,
            host=self._host,
            claimed_at=self._clock(),
            agent=job.agent,
        )
        await self.changed(run, first=True)
        return run

    async def claim_again(self, job: Job, run: JobRun, fence: int, *, late: bool) -> JobRun:
        """Takes a run that was claimed, and not begun, as this process's own."""
        mine = replace(
            run, name=job.name, state="claimed", fence=fence, host=self._host, late=late,
            claimed_at=self._clock(), next_try=None,
        )  # fmt: skip
        await self.changed(mine)
        return mine

    async def changed(
        self, run: JobRun, then: Consequence | None = None, *, first: bool = False
    ) -> None:
        """Writes down where a run stands, then tells of it; `first` says that nothing is known of
        it yet."""
        await self._records.change(run, then, first=first)
        self._publish(
            JobRunChanged(
                job=run.job,
                run=run.id,
                name=run.name,
                state=run.state,
                late=run.late,
                problem=run.error,
                result=run.result[:_BEGINNING],
                session=run.session or "",
                turn=run.turn or "",
                agent=run.agent,
            )
        )

    # -- from claim to end -------------------------------------------------------------------

    def start(self, job: Job, run: JobRun) -> None:
        """Nothing is awaited: there is the task of the run, or nothing."""
        one = Running(job=job, run=run)
        one.task = asyncio.create_task(self._work(one), name=f"job {job.name}")
        self.now[run.id] = one
        # Not by the task itself: one that is cancelled before its first step does nothing at all.
        one.task.add_done_callback(lambda _: self.now.pop(run.id, None))

    async def _work(self, one: Running) -> None:
        """The wall around a run; it never raises."""
        try:
            try:
                await self._to_end(one)
            except asyncio.CancelledError:
                await self._stopped(one)
        except Exception as problem:  # the ledger does not take it; the next opening decides
            _log.warning("job %s: %s", one.job.name, redact(str(problem)))

    async def _to_end(self, one: Running) -> None:
        kind = self._kinds.get(one.job.kind)
        if kind is None:
            problem = f"there is no kind {one.job.kind!r} here"
            await self.end(one, Outcome(error_kind="configuration", error=problem))
            return
        try:
            await kind.preflight(one.job)
            local = await kind.is_local(one.job)
        except Exception as problem:  # nothing was begun, and nothing spent
            await self.end(one, _of_configuration(failed(problem)))
            return
        async with self._slots.local if local else _Free(), self._slots.all:
            one.run = replace(
                one.run, state="running", turn=new_id(), started_at=self._clock(), next_try=None
            )
            await self.changed(one.run)
            outcome = await _within(kind, one)
        await to_its_end(self.end(one, outcome))

    async def end(self, one: Running, outcome: Outcome) -> None:
        """Says what came of it, tells the person, and writes down the end, or another try."""
        now = self._clock()
        run = _with(one.run, outcome)
        if not outcome.error_kind:
            one.run = replace(run, state="completed", ended_at=now)
            await self.finish(one, outcome, None, Consequence())
            return
        kept = (await self._records.some([one.job.id]))[one.job.id]
        # A person sees it fail; and a process that does not stay tries nothing later.
        most = one.job.max_attempts if self._stays and not run.by_hand else 1
        if again := again_at(
            outcome.error_kind,
            attempt=run.attempt,
            most=most,
            now=now,
            next_fire=self._next_fire(one.job),
        ):
            one.run = replace(
                run, state="claimed", fence=kept.fence + 1, attempt=run.attempt + 1, next_try=again
            )
            await self._records.say(one.run)
            await self.changed(one.run)
            self._again(one.run)
            return
        state = "unknown" if outcome.error_kind == "crash" else "failed"
        then = self._consequence(one.job, kept, outcome)
        one.run = replace(run, state=state, ended_at=now)
        await self.finish(one, outcome, kept, then)

    async def give_up(self, job: Job, run: JobRun) -> None:
        """Ends a run that waited to be tried again: its job's next fire time is here."""
        one = Running(job=job, run=replace(run, name=job.name, next_try=None))
        failure = Outcome(error_kind="lasting", error=run.error, hint=run.hint)
        await self.end(one, replace(failure, session=run.session, origins=run.origins))

    async def finish(
        self, one: Running, outcome: Outcome, kept: Kept | None, then: Consequence | None
    ) -> None:
        """Says what came of it, tells the person, and writes down the end."""
        if dispatch := dispatch_of(one.job, one.run, outcome, kept, then):
            one.run = replace(one.run, inbox=dispatch.key)
            await self._records.say(one.run)
            await self._deliver(dispatch)
        else:
            one.run = replace(one.run, silent=not outcome.error_kind)
            await self._records.say(one.run)
        await self.changed(one.run, then)

    async def _deliver(self, dispatch: Dispatch) -> None:
        try:
            await self._delivers.deliver(dispatch)
        except SkillAgentError as problem:  # a way that is none any more; the inbox takes it
            _log.warning("job: %s", redact(problem.message))
            told = f"{dispatch.text}\n\n({problem.message})"
            await self._delivers.deliver(replace(dispatch, text=told, targets=("inbox",)))

    def _consequence(self, job: Job, kept: Kept, outcome: Outcome) -> Consequence:
        crashes = kept.crashes + (outcome.error_kind == "crash")
        failures = kept.failures + (outcome.error_kind != "crash")
        dead = is_dead(failures, crashes, give_up_after=self._give_up_after)
        told = mark_of(outcome) if outcome.error_kind == "configuration" else ""
        # A chore is never given up: a disk may come back, and a backup is missed badly.
        return Consequence(
            failures=failures, crashes=crashes, dead=dead and not job.built_in, told=told
        )

    async def _stopped(self, one: Running) -> None:
        """Cancelled: by a person, or because the home is being closed."""
        kind, run = self._kinds.get(one.job.kind), one.run
        if one.stopped != CANCELLED and (run.state == "claimed" or (kind and kind.repeatable)):
            if run.state == "running":
                await to_its_end(self.changed(replace(run, state="claimed")))
            return  # the next opening takes it up
        error = one.stopped or CLOSED
        state = "skipped" if run.state == "claimed" else "failed"
        outcome = Outcome(error_kind="lasting", error=error)
        one.run = replace(_with(run, outcome), state=state, ended_at=self._clock())
        kept = (await self._records.some([one.job.id]))[one.job.id]
        if one.stopped == CANCELLED:
            await to_its_end(self._records.say(one.run))
            await to_its_end(self.changed(one.run))
        else:
            await to_its_end(self.finish(one, outcome, kept, None))

    async def taken_up(self, job: Job, run: JobRun, kept: Kept) -> None:
        """Ends a run that a process which is gone left running: as it said, as its turn ended, or
        as unknown."""
        kind = self._kinds.get(job.kind)
        one = Running(job=job, run=replace(run, name=job.name))
        said = await self._records.said(run)
        if said is not None and said not in ("claimed", "running"):
            outcome = Outcome(
                text=run.result, error_kind=run.error_kind, error=run.error, hint=run.hint,
                agent=run.agent, session=run.session, origins=run.origins,
                tokens_used=run.tokens_used, cost_usd=run.cost_usd,
            )  # fmt: skip
        else:
            found = await kind.found(job, run) if kind else None
            outcome = found or Outcome(
                error_kind="crash",
                error="the program ended while it ran; what became of it is not known",
                hint=f"look at what it may have done; once more: ska jobs run {job.name!r}",
            )
        await self.end(one, outcome)

    # -- ended -------------------------------------------------------------------------------

    async def cancel(self, run: str) -> bool:
        """Whether there was such a run here; it has ended when this returns."""
        one = self.now.get(run)
        if one is None or one.task is None:
            return False
        if not one.stopped:
            one.stopped = CANCELLED
            one.task.cancel()
        await asyncio.wait({one.task})
        return True

    async def settled(self) -> None:
        """Returns once no run is under way."""
        while tasks := [one.task for one in self.now.values() if one.task is not None]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Ends what runs."""
        for one in [*self.now.values()]:
            if not one.stopped and one.task is not None:
                one.stopped = CLOSED
                one.task.cancel()
        await self.settled()


class _Free:
    """Holds nobody up."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


async def _within(kind: Kind, one: Running) -> Outcome:
    """What came of it within its time; never raises but for a cancel."""
    limit = asyncio.timeout(one.job.limits.timeout_s)
    try:
        async with limit:
            return await kind.run(one.job, one.run)
    except TimeoutError as problem:
        if not limit.expired():
            return failed(problem)
        seconds = one.job.limits.timeout_s
        return Outcome(error_kind="time-out", error=f"not done within {seconds:g} seconds")
    except Exception as problem:
        if not isinstance(problem, (SkillAgentError, OSError)):
            _log.exception("job %s", one.job.name)
        return failed(problem)


def _of_configuration(outcome: Outcome) -> Outcome:
    """What is known before anything is asked has to be mended by a person, but for money."""
    if outcome.error_kind == "budget":
        return outcome
    return replace(outcome, error_kind="configuration")


def _with(run: JobRun, outcome: Outcome) -> JobRun:
    return replace(
        run,
        result=masked(outcome.text)[:LONGEST_RESULT],
        error=masked(outcome.error),
        hint=outcome.hint,
        error_kind=outcome.error_kind,
        agent=outcome.agent or run.agent,
        session=outcome.session or run.session,
        tokens_used=run.tokens_used + outcome.tokens_used,
        cost_usd=None if outcome.cost_usd is None else (run.cost_usd or 0.0) + outcome.cost_usd,
        origins=outcome.origins,
        quotes=outcome.quotes,
    )
