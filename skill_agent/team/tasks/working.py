"""How a task is worked on: its place in line, its tries as nested turns, and its one end.

Each runs in an asyncio task of its own, which never raises. It is written down, then told.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.turn_ends import state_of
from skill_agent.errors import SkillAgentError
from skill_agent.events import Event
from skill_agent.identifiers import new_id
from skill_agent.models.money.purses import Purse, Purses
from skill_agent.ports import Clock, Ledger
from skill_agent.text.redaction import redact
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import (
    AgentTask,
    Requester,
    TaskState,
    TurnRequest,
    TurnState,
    Usage,
    all_origins,
)

from .checks import check_agent, check_way
from .framing import asked, chain_of, framed, origins_of
from .job import Job
from .limits import MAY_PASS, PAUSES, RETRIES
from .line import Line
from .nested import Outcome, nested
from .records import TaskRecords
from .telling import all_told, late, missing, reason_of, task_event, told

Sleep = Callable[[float], Coroutine[Any, Any, None]]
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """How a task ended."""

    status: TaskState
    error: str = ""
    dead: bool = False


class Work:
    """The tasks that run, and what they need."""

    def __init__(
        self,
        *,
        turns: TurnOperations,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        purses: Purses,
        publish: Callable[[Event], None],
        sleep: Sleep,
    ) -> None:
        self._turns, self._ledger, self._clock = turns, ledger, clock
        self._directory, self._purses = directory, purses
        self._publish, self._sleep = publish, sleep
        self.records, self.line = TaskRecords(ledger), Line()
        self.jobs: dict[str, Job] = {}
        self.by_turn: dict[str, Job] = {}

    def check(self, task: AgentTask, parent: Job | None) -> int:
        """What holds for every task, when it is given and before each try."""
        depth = check_way(
            self._directory,
            created_by=task.created_by,
            worker=task.assigned_to,
            above=[one.task for one in (parent, *parent.above)] if parent else [],
            collaboration=task.collaboration is not None,
        )
        check_agent(self._directory, task.assigned_to)
        if around := self.around(task, parent):
            around.check()
        return depth

    def around(self, task: AgentTask, parent: Job | None) -> Purse | None:
        found = self._purses.of_collaboration(task.collaboration)
        found = found or (parent.purse if parent else None)
        return found or (self._purses.of(task.parent_turn) if task.parent_turn else None)

    def start(
        self,
        task: AgentTask,
        parent: Job | None,
        *,
        requester: Requester | None,
        tries: int = 0,
    ) -> Job:
        """No await in here: there is the job with its worker, or nothing. `tries` are those it had
        since it was last given."""
        if requester is None and task.by:  # what its key may do is not known any more
            requester = Requester(key=task.by, name=task.by, scopes=frozenset({"chat"}))
        purse = Purse(
            f"the task {task.title!r}",
            usd=task.allowance.max_usd,
            tokens=task.allowance.max_tokens,
            around=self.around(task, parent),
        )
        worker = self.name(task.assigned_to)
        chain = parent.chain if parent else ()
        job = Job(
            task=task,
            parent=parent,
            purse=purse,
            chain=chain_of(chain, task, asker=self.name(task.created_by), worker=worker),
            requester=requester or (parent.requester if parent else None),
            tries=tries,
            before=task.attempt - 1 - tries,
            made=asyncio.get_running_loop().create_future(),
            spent=(task.tokens_used, task.cost_usd),
        )
        job.worker = asyncio.create_task(self._work(job), name=f"task {task.id}")
        self.jobs[task.id] = job
        return job

    def name(self, slug: str) -> str:
        return next((one.name for one in self._directory.list() if one.slug == slug), slug)

    async def _work(self, job: Job) -> AgentTask:
        """The wall around a task: it ends in one state, and never raises."""
        job.started = True
        end = End(status="cancelled", error=job.stopped or "")
        try:
            if job.stopped is None:
                end = await self._to_end(job)
        except asyncio.CancelledError:
            end = End(status="cancelled", error=job.stopped or "stopped")
        except SkillAgentError as problem:
            end = End(status="failed", error=told(problem))
        except Exception as problem:  # a fault of ours ends the task, not the workstation
            _log.exception("task %s", job.task.id)
            end = End(status="failed", error=redact(f"{type(problem).__name__}: {problem}"))
        await to_its_end(self._over(job, end))
        return job.task

    async def _over(self, job: Job, end: End) -> None:
        """Ends what it gave to others, then writes down and tells how it ended."""
        job.stopped = job.stopped or "it has ended"
        await self._stop_all([one for one in self.jobs.values() if one.parent is job], job)
        now = self._clock()
        error = redact(end.error)
        ended = replace(job.used(), status=end.status, error=error, dead=end.dead, completed_at=now)
        left_open = job.closing and end.status == "cancelled"
        try:
            if end.status in ("cancelled", "timed_out"):
                ended = await self._with_reply(ended)
            if not left_open:
                await self._changed(job, ended)
        except SkillAgentError as problem:  # the next opening finds it open, and decides
            job.task = ended
            _log.warning("the end of task %s is not noted: %s", job.task.id, problem.message)
            if not job.made.done():
                job.made.set_exception(problem)
                job.made.exception()
        finally:
            if left_open:
                job.task = ended
            if not job.made.done():
                job.made.set_result(None)
            job.purse.close()
            self.jobs.pop(job.task.id, None)

    async def _stop_all(self, jobs: list[Job], parent: Job) -> None:
        for one in jobs:
            one.stop("the task that asked for it has ended", closing=parent.closing)
        workers = [one.worker for one in jobs if one.worker is not None]
        if workers:
            await asyncio.wait(workers)

    async def _to_end(self, job: Job) -> End:
        await self._changed(job, job.task)
        if not job.made.done():
            job.made.set_result(None)
        async with self.line.place(job.task.assigned_to, job.task.priority) as place:
            job.place = place
            rest = job.parent.deadline - _now() if job.parent else float("inf")
            seconds = min(job.task.allowance.timeout_s, rest)
            job.deadline = _now() + seconds
            limit = asyncio.timeout(max(seconds, 0.0))
            try:
                async with limit:
                    return await self._tries(job)
            except TimeoutError:
                if not limit.expired():
                    raise
                return End(status="timed_out", error=late(seconds), dead=True)

    async def _tries(self, job: Job) -> End:
        while True:
            job.tries += 1
            self.check(job.task, job.parent)
            outcome = await self._one_try(job)
            origins = all_origins(job.task.origins, outcome.origins)
            result = outcome.text or job.task.result  # a later try may break off earlier
            job.task = replace(job.used(), result=result, origins=origins)
            if outcome.denied:
                return End(status="failed", error=f"{outcome.denied} was not allowed")
            if outcome.finish is not None:
                return End(status="completed", error=missing(outcome))
            job.failures.append(outcome.problem or str(outcome.reason))
            if outcome.reason not in MAY_PASS:
                return End(status="failed", error=outcome.problem)
            if job.tries > RETRIES:
                return End(status="failed", error=all_told(job.failures), dead=True)
            await self._sleep(PAUSES.after(job.tries))

    async def _one_try(self, job: Job) -> Outcome:
        """One turn of the agent's; its own failures come back as an outcome."""
        turn = new_id()
        now = self._clock()
        await self._changed(
            job,
            replace(
                job.used(),
                status="in_progress",
                attempt=job.before + job.tries,
                session=job.task.id,
                turn=turn,
                started_at=job.task.started_at or now,
            ),
        )
        request = await self._request(job, turn)
        with ExitStack() as tied:
            tied.enter_context(self._purses.tied(turn, job.purse))
            self.by_turn[turn] = job
            tied.callback(self.by_turn.pop, turn, None)
            try:
                work = nested(self._turns, self._ledger, request, begun=lambda: self.say(job))
                return await _whole(asyncio.create_task(work, name=f"a task's turn {turn}"))
            except SkillAgentError as problem:  # it could not begin
                return Outcome(
                    session=job.task.id,
                    turn=turn,
                    text=job.task.result,
                    usage=Usage(),
                    reason=reason_of(problem),
                    problem=told(problem),
                )

    async def _request(self, job: Job, turn: str) -> TurnRequest:
        task = job.task
        artifacts = list((await self.records.some(task.input_artifacts)).values())
        text, beside = framed(task, asker=self.name(task.created_by), artifacts=artifacts)
        begun = await self._ledger.session(task.id) is not None
        request = asked(
            task,
            text,
            turn=turn,
            session=task.id if begun else None,
            attachments=beside,
            origins=origins_of(task, artifacts),
            chain=job.chain,
        )
        by = job.requester
        recalls = by is None or by.may("read", "memory")
        return replace(request, requester=by, use_memory=recalls)

    async def _changed(self, job: Job, task: AgentTask) -> None:
        """Writes a task down as it is now, then tells of it."""
        await self.records.save(task)
        job.task = task
        self._publish(task_event(task))

    async def say(self, job: Job) -> None:
        """Hands on what was said; what no turn hears waits for the next one."""
        while job.said and job.task.turn:
            text = job.said.pop(0)
            if not await self._turns.tell(job.task.turn, text):
                job.said.insert(0, text)
                return

    async def done_before(self, task: AgentTask) -> AgentTask | None:
        """The task with its reply, where its turn came to a good end; nothing runs twice."""
        state = await self._turn_state(task)
        if state is None or state.state != "finished":
            return None
        used = state.usage or Usage()
        return replace(
            await self._with_reply(task),
            tokens_used=task.tokens_used + used.completion_tokens,
            cost_usd=task.cost_usd + used.cost_usd,
        )

    async def _with_reply(self, task: AgentTask) -> AgentTask:
        """The task with what its last turn has said, whole or not, and who wrote what that rests
        on."""
        state = await self._turn_state(task)
        if state is None or not state.text:
            return task
        reply = await self._ledger.message(state.message_id) if state.message_id else None
        origins = all_origins(task.origins, reply.origins if reply else ())
        return replace(task, result=state.text, origins=origins)

    async def _turn_state(self, task: AgentTask) -> TurnState | None:
        if task.turn is None:
            return None
        return await state_of(self._ledger, await self._ledger.turn(task.turn))

    async def close(self, task: AgentTask, end: End) -> AgentTask:
        ended = replace(
            task,
            status=end.status,
            error=redact(end.error),
            dead=end.dead,
            completed_at=self._clock(),
        )
        await self.records.save(ended)
        self._publish(task_event(ended))
        return ended


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _whole(work: "asyncio.Task[Outcome]") -> Outcome:
    """What comes of it; cancelled, however often, it is ended first."""
    try:
        return await asyncio.shield(work)
    finally:
        if not work.done():
            work.cancel()
            await to_its_end(asyncio.wait({work}))


async def to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Waits for what must not be left half done, also while it is being cancelled."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()
