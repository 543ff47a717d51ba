"""Reads conversations for memories beside the talking: patterns at once, a model when it is quiet.

A reply never waits for it, and no error leaves it but as a failed job. What counts as a memory is
`extract`'s and `intake`'s work; what is waiting is `queue`'s.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from skill_agent.agents.dna import MemoryConfig
from skill_agent.conversations.sessions import find_session
from skill_agent.errors import ModelFailed, SkillAgentError
from skill_agent.events import MemoriesExtracted
from skill_agent.memory.contradictions.asking import able_to_judge
from skill_agent.memory.contradictions.reconcile import Reconciler
from skill_agent.memory.masking import messages_without_secrets
from skill_agent.memory.operations import ExtractionOperations, Jobs
from skill_agent.ports import Clock, Ledger, Model, ModelGateway, Progress
from skill_agent.text.redaction import redact
from skill_agent.values import ExtractionJob, JobState, Memory, Message, Session, Trigger

from .hearers import Hearers, by_hearer
from .intake import Intake, Taken
from .model import able, extraction_model
from .queue import ExtractionQueue
from .statement import Candidate
from .ways import Ways

IDLE = timedelta(minutes=30)
"""A session nobody spoke in for so long is read to its end."""
QUIET = timedelta(seconds=5)
"""A local model reads only this long after a reply; the next question often comes at once."""
TICK_S = 30.0
BREATH_S, PATIENCE_S = 0.05, 5.0
"""How long the patterns wait for the next question, and then for a moment when nobody talks."""
CHUNK = 40
"""Messages one job reads at most."""
_SKIM = 40
_SESSIONS = 200
_ACTOR = "extraction"

Memories = list[Memory]  # `list` is a method of the reader
Messages = list[Message]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What reading a stretch gave."""

    taken: Taken
    passes: int = 0
    model: str = ""
    turn: str = ""
    problem: str = ""


class Reader(ExtractionOperations):
    """The reading of one home's conversations. Belongs to one event loop; close it."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        intake: Intake,
        queue: ExtractionQueue,
        gateway: Callable[[str], ModelGateway],
        config: Callable[[str], MemoryConfig],
        publish: Callable[[MemoriesExtracted], None],
        clock: Clock,
        user: str,
        hosting: bool = False,
        reconciler: Reconciler | None = None,
        team_memory: bool = True,
        ways: Ways | None = None,
    ) -> None:
        """`gateway` gives the models in an agent's name, `config` its memory settings by slug.
        `hosting` says that the process stays: only then models read unasked. Without
        `team_memory` what an agent hears is its own. `ways` looks at what tools did."""
        self._ledger, self._intake, self.queue = ledger, intake, queue
        self._gateway, self._publish = gateway, publish
        self._hearers = Hearers(ledger, config, team_memory=team_memory)
        self._clock, self._user, self._hosting = clock, user, hosting
        self._reconciler, self._ways = reconciler, ways
        self._turns: Counter[str] = Counter()
        self._last_end: datetime | None = None
        self._nobody_talks = asyncio.Event()
        self._nobody_talks.set()
        self._wake = asyncio.Event()
        self._working = asyncio.Lock()
        self._skimming = asyncio.Lock()
        self._passes: dict[asyncio.Task[Any], bool] = {}
        """Readings under way, and whether a local model does them: one that was asked for, and one
        of the background."""
        self._chores: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._closed = False
        self._closing = asyncio.Event()

    # -- what the runtime tells --------------------------------------------------------------

    def start(self) -> None:
        """Begins to work by itself, in a process that stays."""
        if self._hosting and self._loop is None:
            self._loop = asyncio.create_task(self._work_on(), name="reader")

    def turn_started(self, session: str) -> None:
        """A reply comes first: a local model stops reading at once."""
        self._turns[session] += 1
        self._nobody_talks.clear()
        for reading, local in self._passes.items():
            if local:
                reading.cancel()

    def turn_ended(self, session: str, agent: str, turn: str = "", *, read: bool = True) -> None:
        """Call after the turn's last event. What is certain is kept; more may be queued. Without
        `read` nothing is: no person talked."""
        self._turns[session] -= 1
        if self._turns[session] <= 0:
            del self._turns[session]
        self._last_end = self._clock()
        if not self._turns:
            self._nobody_talks.set()
        if read:
            self._chore(self._after_turn(session, agent, turn))

    def session_closed(self, session: str) -> None:
        """What nobody has read of it is queued."""
        self._chore(self._after_closing(session))

    async def finish_session(self, session: str) -> None:
        """Reads what is unread of a session that is about to go."""
        self.session_closed(session)
        await self.settle()

    async def settle(self) -> None:
        """Returns when what the turns so far led to is done; models are not waited for."""
        while self._chores:
            await asyncio.gather(*self._chores, return_exceptions=True)

    async def close(self) -> None:
        """Lets the patterns finish; a model's reading is put back."""
        self._closed = True
        self._closing.set()
        for task in (self._loop, *self._passes):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self.settle()

    # -- the background ----------------------------------------------------------------------

    async def tick(self) -> None:
        """Queues what has been quiet for half an hour and is not read yet."""
        if self._reconciler is not None:
            await self._reconciler.catch_up()
        before = self._clock() - IDLE
        for session in await self._ledger.sessions(limit=_SESSIONS):
            if session.updated_at <= before and not self._turns[session.id]:
                await self._queue_rest(session, "idle")

    async def work(self) -> int:
        """Runs the jobs that may run now, one after another; gives how many ended."""
        ended = 0
        async with self._working:
            for job in await self.queue.pending():
                if not await self._attempt(job):
                    break
                ended += 1
        return ended

    async def _work_on(self) -> None:
        time, ticked = asyncio.get_running_loop().time, -TICK_S
        while True:
            try:
                if time() - ticked >= TICK_S:  # a look at every session, so not after each turn
                    ticked = time()
                    await self.tick()
                await self.work()
                await self._judge()
            except Exception as problem:  # the wall of this task; jobs have walls of their own
                _log.warning("reading conversations: %s", redact(str(problem)))
            self._wake.clear()
            wait = QUIET.total_seconds() + 0.1 if self._resting() else TICK_S
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _resting(self) -> bool:
        return self._last_end is not None and self._clock() - self._last_end < QUIET

    async def _attempt(self, job: ExtractionJob, *, asked: bool = False) -> bool:
        """Runs a job in a task that a turn can cancel; False if it could not run or was stopped."""
        model = await extraction_model(self._gateway(job.agent))
        local = model is not None and model.info.local
        if local and (self._turns or (self._resting() and not asked)):
            return False
        return await self._pass_over(self._run(job, model), local=local)

    async def _judge(self) -> None:
        """Has a model look at new memories that may bring older ones up to date."""
        model = await self._reconciler.model() if self._reconciler else None
        if self._reconciler is None or model is None or not able_to_judge(model.info):
            return
        local = model.info.local
        if not (local and (self._turns or self._resting())):
            await self._pass_over(self._reconciler.judge(model), local=local)

    async def _pass_over(self, work: Coroutine[Any, Any, Any], *, local: bool) -> bool:
        """Runs it in a task that a turn can cancel where the model is local; False if it was."""
        reading = asyncio.create_task(work, name="a model's reading")
        self._passes[reading] = local
        try:
            await asyncio.wait([reading])
        finally:
            if not reading.done():
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            del self._passes[reading]
        return not reading.cancelled()

    async def _run(self, job: ExtractionJob, model: Model | None) -> None:
        """The wall around a job: it ends as done, failed or put back."""
        try:
            job = await self.queue.start(job)
            messages = await self._messages(job.session, job.start, job.end)
            result = await self._read(messages, model, job.agent)
            if result.problem:
                raise ModelFailed(result.problem)
            await self.queue.finish(job, **_figures(result))
            self._tell(job.session, job.agent, result)
        except asyncio.CancelledError:
            self.queue.put_back(job)
            raise
        except Exception as problem:  # visible in the list of extractions, and tried again
            await self._failed(job, problem)

    async def _failed(self, job: ExtractionJob, problem: Exception) -> None:
        told = problem.message if isinstance(problem, SkillAgentError) else repr(problem)
        _log.info("extraction %s: %s", job.id, redact(told))
        try:
            failed = await self.queue.fail(job, told)
        except SkillAgentError:
            self.queue.put_back(job)
            return
        self._tell(job.session, job.agent, _Result(taken=Taken(), problem=failed.error))

    # -- reading -----------------------------------------------------------------------------

    async def read_now(
        self, messages: Sequence[Message], *, agent: str, model: Model | None = None
    ) -> Memories:
        """Reads messages of one session and gives the memories that hold what
        they say, new and known; durable. `model` serves where the extraction role has none.

        Raises SkillAgentError when something went wrong; what was kept until then stays.
        """
        if not messages:
            return []
        reader = await extraction_model(self._gateway(agent))
        if reader is None and model is not None and able(model.info):
            reader = model
        result = await self._read(messages, reader, agent)
        if result.problem:
            raise ModelFailed(result.problem, hint="ska memory extractions")
        first, last = messages[0], messages[-1]
        job = await self.queue.queue(
            first.session, agent, first.position, last.position + 1, "compaction"
        )
        await self.queue.finish(job, **_figures(result))
        known = await self._ledger.memories_by_id(result.taken.known)
        return [*result.taken.memories, *known.values()]

    async def list(self, states: tuple[JobState, ...] = (), *, limit: int = 50) -> Jobs:
        return await self.queue.list(states, limit=limit)

    async def retry(self, job_id: str) -> ExtractionJob:
        return await self.queue.retry(job_id)

    async def run(
        self, session: str | None = None, *, again: bool = False, progress: Progress | None = None
    ) -> Jobs:
        """Reads what is unread, of one session or of all, and tries failed jobs again; `again`
        reads a session from its beginning. Gives the jobs as they ended."""
        ended: list[ExtractionJob] = []
        async with self._working:
            wanted = await self._asked(session, again=again)
            for at, job in enumerate(wanted):
                if progress:
                    progress(at, len(wanted), "reading")
                await self._nobody_talks.wait()
                while not await self._attempt(job, asked=True):
                    if self._closed:
                        return ended
                    await self._nobody_talks.wait()
                ended.append(await self.queue.job(job.id))
        if progress and wanted:
            progress(len(wanted), len(wanted), "read")
        return ended

    async def _asked(self, wanted: str | None, *, again: bool) -> Jobs:
        """The jobs of an order: failed ones made to wait, and new ones for the rest."""
        if wanted is None:
            sessions = await self._ledger.sessions(limit=100_000)
        else:
            sessions = [await find_session(self._ledger, wanted)]
            wanted = sessions[0].id
        for job in await self.queue.list(("failed",), limit=100_000):
            if wanted in (None, job.session):
                await self.queue.retry(job.id)
        for session in sessions:
            await self._queue_rest(session, "asked", start=0 if again and wanted else None)
        chosen = {session.id for session in sessions}
        waiting = await self.queue.pending()
        return [job for job in waiting if wanted is None or job.session in chosen]

    async def _read(self, messages: Sequence[Message], model: Model | None, agent: str) -> _Result:
        """What messages give, taken in, each by who heard it."""
        bare = [
            replace(one, context="", recalled=())
            for one in await self.readable(messages, agent)
            if one.role in ("user", "assistant")
        ]
        turn = messages[-1].turn if messages else ""
        if not any(one.role == "user" for one in bare):
            return _Result(taken=Taken(), turn=turn)
        await asyncio.to_thread(_load)
        from .extract import extract

        found = await extract(bare, model, self._hearers.shares(agent))
        taken = await self._take(found.candidates, bare, agent)
        return _Result(
            taken=taken,
            passes=found.passes,
            model=found.model,
            turn=turn,
            problem=found.problem,
        )

    async def _take(
        self,
        candidates: Sequence[Candidate],
        messages: Sequence[Message],
        agent: str,
    ) -> Taken:
        taken = Taken()
        for slug, group in by_hearer(candidates, messages, agent).items():
            pin = self._hearers.config(slug).auto_pin_preferences
            taken += await self._intake.take(
                group, agent=slug, actor=_ACTOR, pin=pin, sharing=self._hearers.sharing(slug)
            )
        return taken

    async def readable(self, messages: Sequence[Message], agent: str) -> Messages:
        """Those that may be read for memories."""
        return await self._hearers.readable(messages, agent)

    async def _messages(self, session: str, start: int, end: int) -> Messages:
        found = await self._ledger.messages(session)
        return messages_without_secrets(one for one in found if start <= one.position < end)

    # -- after a turn ------------------------------------------------------------------------

    async def _after_turn(self, session_id: str, agent: str, turn: str) -> None:
        await self._pause()
        async with self._skimming:
            session = await self._ledger.session(session_id)
            if session is None:
                return
            start = max(await self.queue.skimmed(session_id), session.messages - _SKIM)
            if start < session.messages:
                await self._skim_or_queue(session, agent, start)
            if self._ways is not None and turn:
                await self._look_at_tools(session, agent, turn)
            unread = session.messages - await self.queue.due(session_id)
            if unread >= self._hearers.config(session.agent).summarize_interval:
                await self._queue_rest(session, "messages")
        self._wake.set()

    async def _look_at_tools(self, session: Session, agent: str, turn: str) -> None:
        assert self._ways is not None
        messages = await self._ledger.messages(session.id, last=_SKIM)
        wanted = await self.readable([one for one in messages if one.turn == turn], agent)
        await self._ways.after_turn(wanted, agent)

    async def _pause(self) -> None:
        """Lets the next question come first, for a while; a closing process does not wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(BREATH_S):
                await self._closing.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self._closed else PATIENCE_S):
                await self._nobody_talks.wait()

    async def _skim_or_queue(self, session: Session, agent: str, start: int) -> None:
        try:
            await self._skim(session, agent, start)
        except Exception as problem:  # visible in the list of extractions, and tried again
            for job in await self._queue_rest(session, "turn"):
                await self._failed(job, problem)

    async def _skim(self, session: Session, agent: str, start: int) -> None:
        """The patterns alone, over what was said since they last read."""
        await asyncio.to_thread(_load)
        from .extract import certain_facts

        messages = await self._ledger.messages(session.id, last=session.messages - start)
        heard = messages_without_secrets(await self.readable(messages, agent))
        candidates = certain_facts(heard, self._hearers.shares(agent))
        if not candidates:
            self.queue.skimmed_to(session.id, session.messages)
            return
        taken = await self._take(candidates, heard, agent)
        result = _Result(taken=taken, turn=messages[-1].turn)
        await self.queue.skim(session.id, start, session.messages, _counts(taken))
        self._tell(session.id, agent, result)

    async def _after_closing(self, session_id: str) -> None:
        if session := await self._ledger.session(session_id):
            await self._queue_rest(session, "closed")
        self._wake.set()

    async def _queue_rest(
        self, session: Session, trigger: Trigger, *, start: int | None = None
    ) -> Jobs:
        """Queues the unread rest of a session, in stretches a job can manage."""
        jobs: list[ExtractionJob] = []
        if not self._hearers.config(session.agent).auto_extract and trigger != "asked":
            return jobs
        if start is None:
            start = await self.queue.due(session.id)
        while start < session.messages:
            end = min(start + CHUNK, session.messages)
            jobs.append(await self.queue.queue(session.id, session.agent, start, end, trigger))
            start = end
        return jobs

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        async def walled() -> None:
            try:
                await work
            except Exception as problem:  # the conversation goes on; the queue reads it again
                _log.warning("reading after a turn: %s", redact(repr(problem)))

        task = asyncio.create_task(walled())
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def _tell(self, session: str, agent: str, result: _Result) -> None:
        taken = result.taken
        if not (taken.memories or result.problem):
            return
        self._publish(
            MemoriesExtracted(
                session=session,
                turn=result.turn,
                agent=agent,
                created=tuple(one.id for one in taken.created),
                versioned=tuple(one.id for one in taken.versioned),
                disputed=tuple(one.id for one in taken.disputed),
                skipped=taken.skipped,
                problem=result.problem,
            )
        )


def _counts(taken: Taken) -> dict[str, int]:
    return {
        "created": len(taken.created),
        "versioned": len(taken.versioned),
        "disputed": len(taken.disputed),
        "skipped": taken.skipped,
    }


def _figures(result: _Result) -> dict[str, Any]:
    return {"passes": result.passes, "model": result.model, **_counts(result.taken)}


def _load() -> None:
    """In a thread: a language's patterns take 30 ms to compile, while a window may be drawn."""
    from . import extract  # noqa: F401
