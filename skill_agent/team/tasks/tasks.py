"""The engine of tasks: given, waited for in line, run as nested turns, tried again, stopped.

Each task is an asyncio task of its own that ends in exactly one state, which is written down and
then told. What must hold (depth, no circle, an agent that is there, money) is looked at when a task
is given and again before each try; each call of a model is drawn from its purse. Whoever runs a
task and is cancelled stops it, and so does the end of the task it is part of.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.idempotency import checked_key, conflict
from skill_agent.conversations.sessions import title_of
from skill_agent.errors import Closing, SkillAgentError, UsageError
from skill_agent.events import Event, TurnFailed, TurnFinished
from skill_agent.events.bus import Subscription
from skill_agent.identifiers import new_id
from skill_agent.models.money.purses import Purses
from skill_agent.ports import Clock, Ledger
from skill_agent.team import operations
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import AgentTask, NewTask, TaskState

from .checks import check_agent, checked_task
from .job import Job
from .limits import LONGEST_TITLE, RETRIES
from .telling import late, told
from .working import End, Sleep, Work, to_its_end

CUT_SHORT = "cut short: the program ended, and with it whoever had asked"
_NO_TRIES = "the program ended while it was worked on, and it was tried often enough"


class RunsTasks(Protocol):
    """What collaborations and reports ask of the engine."""

    async def run(self, new: NewTask) -> AgentTask:
        """Runs a task to its end under its limits. What goes wrong in it stands in its `status`
        and `error`; raises only what keeps it from being begun (depth, cycle, an agent that is not
        there, money), and lets a cancel through once the task has ended. With the key of a task
        that there is it gives that one: it waits for one that runs, and goes on with one that a
        crash cut short."""
        ...


class Tasks(RunsTasks, operations.TaskOperations):
    """Every task of a home, and those that run."""

    def __init__(
        self,
        *,
        turns: TurnOperations,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        purses: Purses,
        publish: Callable[[Event], None],
        allowed: bool = True,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`allowed` says that agents may be given tasks at all; `sleep` is waited by between
        tries."""
        self._work = Work(
            turns=turns,
            ledger=ledger,
            clock=clock,
            directory=directory,
            purses=purses,
            publish=publish,
            sleep=sleep,
        )
        self._turns, self._clock, self._directory = turns, clock, directory
        self._allowed = allowed
        self._watchers: set[asyncio.Task[None]] = set()
        self._closing = False

    # -- given -------------------------------------------------------------------------------

    async def run(self, new: NewTask) -> AgentTask:
        known = await self._known(new)
        job = self._work.jobs.get(known.id) if known is not None else None
        if job is not None and job.worker is not None:
            return await asyncio.shield(job.worker)  # somebody else runs it
        if known is not None and known.error != CUT_SHORT and known.ended:
            return known
        if known is not None and (done := await self._work.done_before(known)):
            return await self._work.close(done, End(status="completed"))
        job = await self._begun(new, known, detached=False)
        async with self._work.line.lent(job.parent.place if job.parent else None):
            return await self._waited(job)

    async def delegate(self, new: NewTask) -> AgentTask:
        known = await self._known(new)
        if known is not None:
            return known
        job = await self._begun(new, None, detached=True)
        await asyncio.shield(job.made)
        self._watch(job)
        return job.task

    async def _waited(self, job: Job) -> AgentTask:
        assert job.worker is not None
        try:
            return await asyncio.shield(job.worker)
        except asyncio.CancelledError:
            job.stop("whoever asked for it was stopped")
            await to_its_end(asyncio.wait({job.worker}))
            raise

    async def _known(self, new: NewTask) -> AgentTask | None:
        """The task with this key, where there is one; raises Conflict where it is another."""
        if new.key is None:
            return None
        key = checked_key(new.key)
        job = self._work.jobs.get(key)
        found = job.task if job else await self._work.records.get(key)
        if found is not None and (found.instructions, found.context) != (
            new.instructions,
            new.context,
        ):
            raise conflict(key)
        return found

    async def _begun(self, new: NewTask, known: AgentTask | None, *, detached: bool) -> Job:
        """Looks whether it may be done, then has it done. Mistakes leave nothing behind."""
        if not (self._allowed or new.collaboration):
            raise UsageError(
                "tasks are switched off", hint="task_delegation under [features] in config.toml"
            )
        checked_task(new)
        parent = await self._parent(new)
        for one in new.input_artifacts:
            await self._work.records.find(one)
        if self._closing:
            raise Closing("the home is being closed", hint="try again in a moment")
        dna = check_agent(self._directory, new.assigned_to)
        task = known or self._task(replace(new, assigned_to=dna.slug), parent, detached=detached)
        self._work.check(task, parent)
        self._work.line.check(dna.slug, dna.name)
        if (running := self._work.jobs.get(task.id)) is not None:
            return running  # somebody else was quicker
        if known is not None:  # a crash cut it short
            task = _anew(known)
        return self._work.start(task, parent, requester=new.requester, tries=task.attempt - 1)

    async def _parent(self, new: NewTask) -> Job | None:
        """The running task it is part of; raises UsageError for one that has ended."""
        if new.parent_task is None:
            return self._work.by_turn.get(new.parent_turn) if new.parent_turn else None
        found = self._work.jobs.get(new.parent_task)
        if found is None or found.stopped is not None:
            task = await self._work.records.find(new.parent_task)
            raise UsageError(f"{task.title!r} does not run any more", hint="ska team list")
        return found

    def _task(self, new: NewTask, parent: Job | None, *, detached: bool) -> AgentTask:
        title = " ".join(new.title.split()) or title_of(new.instructions, LONGEST_TITLE)
        above = parent.task if parent else None
        return AgentTask(
            id=checked_key(new.key) if new.key is not None else new_id(),
            assigned_to=new.assigned_to,
            created_by=new.created_by,
            title=title[: 2 * LONGEST_TITLE],
            instructions=new.instructions,
            task_type=new.task_type,
            context=new.context,
            expected_output=new.expected_output,
            input_artifacts=new.input_artifacts,
            parent_task=above.id if above else None,
            parent_turn=new.parent_turn or (above.turn if above else None),
            conversation=new.conversation or (above.conversation if above else None),
            collaboration=new.collaboration,
            stage=new.stage,
            priority=new.priority,
            model=new.model,
            allowance=new.allowance,
            response_schema=new.response_schema,
            delegation_depth=above.delegation_depth + 1 if above else 1,
            interactive=new.interactive and (above.interactive if above else True),
            by=new.requester.key if new.requester else above.by if above else "",
            detached=detached,
            origins=new.origins,
            created_at=self._clock(),
        )

    # -- looked up and steered ---------------------------------------------------------------

    async def list(
        self,
        *,
        status: TaskState | None = None,
        agent: str | None = None,
        collaboration: str | None = None,
        conversation: str | None = None,
        dead: bool = False,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> operations.Tasks:
        found = await self._work.records.list(
            status=status,
            agent=agent,
            collaboration=collaboration,
            conversation=conversation,
            dead=dead,
            limit=limit,
            before=before,
        )
        jobs = self._work.jobs
        return [job.used() if (job := jobs.get(one.id)) else one for one in found]

    async def get(self, task: str) -> AgentTask:
        """Raises NotFound with the nearest."""
        found = await self._work.records.find(task)
        job = self._work.jobs.get(found.id)
        return job.used() if job else found

    async def cancel(self, task: str, *, reason: str = "") -> AgentTask:
        """One that has ended stays as it is."""
        found = await self._work.records.find(task)
        told = " ".join(reason.split()) or "cancelled"
        if (job := self._work.jobs.get(found.id)) is not None and job.worker is not None:
            job.stop(told)
            return await asyncio.shield(job.worker)
        return found if found.ended else await self._work.close(found, End("cancelled", told))

    async def retry(self, task: str) -> AgentTask:
        """Raises UsageError for one that runs or did well."""
        found = await self._work.records.find(task)
        if found.id in self._work.jobs or not found.ended:
            raise UsageError(f"{found.title!r} is not over yet", hint="ska team list")
        if found.status == "completed":
            raise UsageError(f"{found.title!r} was done", hint=f"ska team show {found.id}")
        check_agent(self._directory, found.assigned_to)
        again = replace(
            found,
            status="pending",
            error="",
            dead=False,
            detached=True,
            attempt=found.attempt + 1,
            started_at=None,
            completed_at=None,
        )
        self._work.line.check(again.assigned_to, self._work.name(again.assigned_to))
        if self._closing:
            raise Closing("the home is being closed", hint="try again in a moment")
        job = self._work.start(again, None, requester=None)
        await asyncio.shield(job.made)
        return job.task

    async def tell(self, task: str, text: str) -> AgentTask:
        """Raises UsageError for one that has ended."""
        if not text.strip():
            raise UsageError("what is to be said?", hint='ska team tell TASK "…"')
        found = await self._work.records.find(task)
        job = self._work.jobs.get(found.id)
        if job is None or job.stopped is not None:
            raise UsageError(f"{found.title!r} has ended", hint=f"ska team retry {found.id}")
        job.said.append(text)
        await self._work.say(job)
        return job.used()

    def load(self, agent: str) -> int:
        """How many tasks an agent works on, or has waiting."""
        return sum(job.task.assigned_to == agent for job in self._work.jobs.values())

    def waiting(self) -> dict[str, int]:
        """How many tasks wait for a place, by agent."""
        return Counter(
            job.task.assigned_to for job in self._work.jobs.values() if job.place is None
        )

    def depth(self, task: str | None) -> int:
        """How deep below a person's turn a running task is; 0 for none."""
        job = self._work.jobs.get(task) if task else None
        return job.task.delegation_depth if job else int(task is not None)

    def _watch(self, job: Job) -> None:
        """Nobody waits for it; but when the turn that asked for it is stopped, so is it."""
        if job.parent is None and (turn := job.task.parent_turn) is not None:
            watcher = asyncio.create_task(self._stop_with(turn, job), name="a task's asker")
            self._watchers.add(watcher)
            watcher.add_done_callback(self._watchers.discard)

    async def _stop_with(self, turn: str, job: Job) -> None:
        assert job.worker is not None
        with self._turns.subscribe(turn=turn) as events:
            listening = asyncio.create_task(_is_stopped(events), name="a task's asker's end")
            try:
                await asyncio.wait({listening, job.worker}, return_when="FIRST_COMPLETED")
                if listening.done() and listening.result():
                    job.stop("whoever asked for it was stopped")
            finally:
                listening.cancel()

    # -- begin and end -----------------------------------------------------------------------

    async def begin(self, *, hosting: bool) -> None:
        """Decides what becomes of tasks that an earlier process left open; once, after the turns
        it left were ended. Those nobody waited for are taken up again where the process stays; the
        others are cut short, and go on where `run` is asked for them again."""
        for task in await self._work.records.open():
            try:
                await self._found_open(task, hosting=hosting)
            except SkillAgentError as problem:
                await self._work.close(task, End(status="failed", error=told(problem)))

    async def _found_open(self, task: AgentTask, *, hosting: bool) -> None:
        done = await self._work.done_before(task)
        if done is not None:
            await self._work.close(done, End(status="completed"))
        elif not task.detached:
            await self._work.close(task, End(status="failed", error=CUT_SHORT))
        elif _is_late(task, self._clock()):
            error = late(task.allowance.timeout_s)
            await self._work.close(task, End(status="timed_out", error=error, dead=True))
        elif task.attempt > RETRIES:
            await self._work.close(task, End(status="failed", error=_NO_TRIES, dead=True))
        elif hosting:
            self._work.check(task, None)
            again = _anew(task)
            self._work.start(again, None, requester=None, tries=again.attempt - 1)

    async def end(self) -> None:
        """Ends what runs; what nobody waits for is taken up again at the next opening."""
        self._closing = True
        jobs = list(self._work.jobs.values())
        for one in jobs:
            one.stop("the home was closed", closing=True)
        if workers := [one.worker for one in jobs if one.worker is not None]:
            await asyncio.wait(workers)
        watchers = list(self._watchers)
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)


def _anew(task: AgentTask) -> AgentTask:
    """A task that a crash cut short, to be begun again; a try that was begun counts."""
    begun = task.turn is not None
    return replace(
        task,
        status="pending",
        error="",
        attempt=task.attempt + begun,
        started_at=None,
        completed_at=None,
    )


async def _is_stopped(events: Subscription) -> bool:
    """Whether a turn is stopped by whoever asked for it, once it has ended."""
    async for event in events:
        if isinstance(event, TurnFailed):
            return event.reason in ("cancelled", "abandoned")
        if isinstance(event, TurnFinished):
            return False
    return False


def _is_late(task: AgentTask, now: datetime) -> bool:
    begun = task.started_at
    return begun is not None and now > begun + timedelta(seconds=task.allowance.timeout_s)
