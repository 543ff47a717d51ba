"""How a piece of work is done: its place in line, its tries, its one end.

Each runs in an asyncio task of its own, which never raises. A state is written down, then told. To
pause it, to stop it and to close the home is one thing: it is cut short, wherever it is; what
becomes of it then is said here.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

from skill_agent.errors import SkillAgentError
from skill_agent.events import Event
from skill_agent.ports import Asks, Clock
from skill_agent.team.tasks.line import Line, Place
from skill_agent.team.tasks.working import to_its_end
from skill_agent.values import Answer, NewQuestion, Requester, Work

from .kind import Kind, Outcome
from .limits import LASTING, PAUSES, TOLD_EVERY_S
from .records import Kept, WorkRecords, with_changes
from .remembered import Remembered
from .running import Running, Stopping
from .step import Step
from .telling import problem_of, result_of, work_event

Sleep = Callable[[float], Coroutine[Any, Any, None]]

CUT_SHORT = "the program ended while it was at it, and nobody knows how far it got"
NO_TRIES = "the program ended while it was at it, and it was tried often enough"
_PLACE = "work"
"""The line has places by agent; all work shares those of one."""
_UNKNOWN = "this program does no work of the kind {}"

_log = logging.getLogger(__name__)


class Doing:
    """The work that waits in line or runs, and what it needs."""

    def __init__(
        self,
        *,
        records: WorkRecords,
        remembered: Remembered,
        kinds: Mapping[str, Kind],
        clock: Clock,
        asks: Asks,
        publish: Callable[[Event], None],
        ended: Callable[[Kept], None],
        at_once: int,
        sleep: Sleep,
    ) -> None:
        """`ended` hears of each end once it is written down."""
        self._records, self._remembered, self._kinds = records, remembered, kinds
        self._clock, self._asks, self._publish = clock, asks, publish
        self._ended, self._sleep = ended, sleep
        self._line = Line(running=at_once)
        self.running: dict[str, Running] = {}

    def start(
        self,
        kept: Kept,
        *,
        requester: Requester | None = None,
        new: bool = False,
        write: bool = False,
    ) -> Running:
        """No await in here: there it is with its task, or nothing. `write` says that how it stands
        is not in the ledger yet, `new` that nothing of it is."""
        one = Running(
            kept=kept,
            requester=requester or _by(kept.work),
            made=asyncio.get_running_loop().create_future(),
            new=new,
            unwritten=write or new,
        )
        one.task = asyncio.create_task(self._work(one), name=f"work {kept.work.id}")
        self.running[kept.work.id] = one
        return one

    async def write(self, kept: Kept, *, new: bool = False) -> None:
        """Writes down how it stands, then tells of it."""
        await self._records.save(kept, new=new)
        self._remembered.put(kept)
        self._publish(work_event(kept.work))

    async def close(self, kept: Kept, **changes: Any) -> Kept:
        """Ends work that nobody is at."""
        kept = with_changes(kept, ended_at=self._clock(), next_try=None, **changes)
        kept = replace(kept, untold=kept.work.state != "cancelled")
        await self.write(kept)
        self._ended(kept)
        return kept

    # -- one piece of work ---------------------------------------------------------------------

    async def _work(self, one: Running) -> Work:
        """The wall around it: it ends in one state, and never raises."""
        one.started = True
        changes: dict[str, Any] = {}
        try:
            if not one.stopping:
                changes = await self._to_end(one)
        except asyncio.CancelledError:
            one.stopping = one.stopping or "close"
        except SkillAgentError as problem:  # as of a ledger that cannot be written
            changes = {"state": "failed", "error": problem_of(problem)}
        except Exception as problem:  # a fault of ours ends the work, not the workstation
            _log.exception("work %s", one.kept.work.id)
            changes = {"state": "failed", "error": problem_of(problem)}
        await to_its_end(self._over(one, changes or self._halted(one)))
        return one.kept.work

    async def _over(self, one: Running, changes: dict[str, Any]) -> None:
        """Writes down how it ended, or how it stands while nobody is at it."""
        kept = with_changes(one.kept, **changes)
        if kept.work.ended:
            kept = with_changes(kept, ended_at=self._clock(), next_try=None)
            kept = replace(kept, untold=kept.work.state != "cancelled")
        try:
            if changes or one.unwritten:
                await self.write(kept, new=one.new)
        except SkillAgentError as problem:  # the next opening finds it open, and decides
            _log.warning("work %s is not noted: %s", one.kept.work.id, problem.message)
            if not one.made.done():
                one.made.set_exception(problem)
                one.made.exception()
        finally:
            one.kept = kept
            self.running.pop(kept.work.id, None)
            if not one.made.done():
                one.made.set_result(None)
        if kept.work.ended:
            self._ended(kept)

    def _halted(self, one: Running) -> dict[str, Any]:
        """How it stands after it was cut short on purpose: the try does not count."""
        work = one.kept.work
        at_it = work.state in ("running", "waiting_hitl")
        attempts = work.attempts - at_it
        if one.stopping == "cancel":
            return {"state": "cancelled", "message": "stopped"}
        if one.stopping == "pause":
            return {"state": "paused", "attempts": attempts, "next_try": None}
        if at_it and not work.repeatable:
            return {"state": "failed", "error": "the home was closed while it was at it"}
        return {"state": "pending", "attempts": attempts} if at_it else {}

    async def _to_end(self, one: Running) -> dict[str, Any]:
        if one.unwritten:
            await self._note(one, state="pending")
            one.new = one.unwritten = False
        one.made.set_result(None)
        kind = self._kinds.get(one.kept.work.kind)
        if kind is None:
            return {"state": "failed", "error": _UNKNOWN.format(one.kept.work.kind)}
        while True:
            if (wait := self._wait(one.kept.work)) > 0:
                await self._sleep(wait)
            changes = await self._one_try(one, kind)
            if changes["state"] != "pending":
                return changes
            pause = PAUSES.after(one.kept.work.attempts)
            next_try = self._clock() + timedelta(seconds=pause)
            await self._note(one, **changes, next_try=next_try)

    def _wait(self, work: Work) -> float:
        """Seconds until it may be tried again."""
        if work.next_try is None:
            return 0.0
        return min((work.next_try - self._clock()).total_seconds(), PAUSES.longest_s)

    async def _one_try(self, one: Running, kind: Kind) -> dict[str, Any]:
        """How it stands after it; only a cancel goes through."""
        async with self._place(one, kind) as one.place:
            attempts = one.kept.work.attempts + 1
            begun = one.kept.work.started_at or self._clock()
            await self._note(
                one, state="running", attempts=attempts, started_at=begun, next_try=None
            )
            step = Step(one, told=self._told, asks=self._asked)
            try:
                return _done(await kind.do(step))
            except Exception as problem:
                if one.stopping:  # what came of being cut short
                    raise asyncio.CancelledError from problem
                if not isinstance(problem, SkillAgentError):
                    _log.exception("work %s", one.kept.work.id)
                return _failed(one.kept.work, problem)
            finally:
                one.place = None

    def _place(self, one: Running, kind: Kind) -> AbstractAsyncContextManager[Place | None]:
        if not kind.takes_place:
            return nullcontext()
        return self._line.place(_PLACE, one.kept.work.priority)

    async def _note(self, one: Running, **changes: Any) -> None:
        """Another state: written down whole, also while it is being cut short, and known then."""
        await to_its_end(self.write(with_changes(one.kept, **changes), new=one.new))
        one.change(**changes)
        if one.stopping:
            raise asyncio.CancelledError

    def _told(self, one: Running) -> None:
        """Progress, which is in memory alone; not too often."""
        self._remembered.put(one.kept)
        now = asyncio.get_running_loop().time()
        if now - one.told_at >= TOLD_EVERY_S and not one.stopping:
            one.told_at = now
            self._publish(work_event(one.kept.work))

    async def _asked(self, one: Running, question: NewQuestion) -> Answer:
        await self._note(one, state="waiting_hitl", message=question.text)
        try:
            async with self._line.lent(one.place):
                answer = await self._asks.ask(question)
        except asyncio.CancelledError:
            if one.stopping == "cancel" and question.key:
                await to_its_end(self._asks.withdraw(question.key))
            raise
        await self._note(one, state="running", message="")
        return answer

    # -- stopped -------------------------------------------------------------------------------

    async def stop(self, name: str, why: Stopping, patience_s: float) -> None:
        """Has it end, and waits a little for that."""
        if (one := self.running.get(name)) is not None and one.task is not None:
            one.stop(why)
            await asyncio.wait({one.task}, timeout=patience_s)

    async def end(self) -> None:
        """Cuts short all that runs."""
        every = list(self.running.values())
        for one in every:
            one.stop("close")
        if tasks := [one.task for one in every if one.task is not None]:
            await asyncio.wait(tasks)


def _done(outcome: Outcome) -> dict[str, Any]:
    return {
        "state": "completed",
        "progress": 1.0,
        "message": "",
        "result": result_of(outcome.text),
        "origins": outcome.origins,
        "error": "",
    }


def _failed(work: Work, problem: Exception) -> dict[str, Any]:
    """A lasting error, and any of what may not be repeated, is final."""
    error = problem_of(problem)
    if isinstance(problem, LASTING) or not work.repeatable:
        return {"state": "failed", "error": error}
    if work.attempts >= work.max_attempts:
        return {"state": "dead", "error": error}
    return {"state": "pending", "error": error}


def _by(work: Work) -> Requester | None:
    """Who asked, where only the key's id is known: what it may do is not known any more."""
    return Requester(key=work.by, name=work.by, scopes=frozenset({"chat"})) if work.by else None
