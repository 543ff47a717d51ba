"""A collaboration driven from its pattern's first step to its end, whatever happens on the way."""

import asyncio
import logging
from dataclasses import dataclass, replace

from skill_agent.errors import SkillAgentError
from skill_agent.models.money.purses import Purses
from skill_agent.ports import Clock
from skill_agent.team.tasks.working import to_its_end
from skill_agent.text.redaction import redact
from skill_agent.text.shaping import one_line
from skill_agent.values import CollaborationState, FailureReason

from .giving import Giving, all_read, worded
from .patterns import KINDS, Result, missing_in
from .work import Halted, Work

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Runs collaborations of one home."""

    giving: Giving
    purses: Purses
    clock: Clock

    async def drive(self, work: Work) -> None:
        """To its end, which is written down and told. Cancelled without `work.ending` it leaves the
        collaboration as it stands: the home is being closed, and the next opening takes it up."""
        work.begin()
        try:
            result = await self._result(work)
        except asyncio.CancelledError:
            if work.ending is None:
                raise
            await to_its_end(self._over(work, "cancelled", error=work.ending))
            return
        except Halted as stopped:
            await to_its_end(self._over(work, "cancelled", error=stopped.message))
            return
        except Exception as problem:  # the wall: whatever went wrong, it ends
            told = redact(f"{type(problem).__name__}: {problem}")
            if isinstance(problem, SkillAgentError):
                told = problem.message
            else:
                _log.exception("collaboration %s", work.state.id)
            await to_its_end(self._over(work, "failed", error=told))
            return
        await to_its_end(self._ended(work, result))

    async def stop(self, work: Work, status: CollaborationState, reason: str) -> None:
        """Ends one that nobody runs."""
        await self._over(work, status, error=reason)

    async def _result(self, work: Work) -> Result:
        """What the pattern came to; nothing where its time was over before. All of its tasks draw
        from one purse."""
        one = work.state
        around = self.purses.of(one.parent_turn) if one.parent_turn else None
        name, usd = f"the collaboration {one_line(one.goal, 40)!r}", work.money_left
        try:
            with self.purses.collaboration(one.id, name, usd=usd, around=around) as purse:
                work.purse = purse
                async with asyncio.timeout(max(0.0, work.left)) as work.timer:
                    return await KINDS[one.pattern].run(work)
        except TimeoutError:
            work.capped = "time"
            return Result()

    async def _ended(self, work: Work, result: Result) -> None:
        """The result is given first: whoever hears of the end finds it."""
        try:
            text = worded(work, result)
            status, error = _judged(work, text)
            if not text:
                await self._over(work, status, error=error)
                return
            message = await self.giving.give(work.state, text, all_read(work))
            origins = all_read(work)
            work.state = replace(work.state, final_output=text, origins=origins)
            await self._over(work, status, error=error, message=message)
        except SkillAgentError as problem:  # as of a conversation that was erased meanwhile
            await self._over(work, "failed", error=f"its result was not kept: {problem.message}")

    async def _over(
        self, work: Work, status: CollaborationState, *, error: str = "", message: str = ""
    ) -> None:
        work.state = replace(work.state, error=error, completed_at=self.clock(), status=status)
        try:
            await self.giving.end(work.state, message, _reason(status))
            await work.become(status, final=message)
        except SkillAgentError as problem:  # the next opening finds it open, and decides
            _log.warning("the end of a collaboration is not noted: %s", problem.message)
            work.tell()


def _judged(work: Work, text: str) -> tuple[CollaborationState, str]:
    """How it ended, and what is missing of it."""
    missing = missing_in(work)
    told = [f"without {missing}"] if missing else []
    if work.capped == "time":
        told.insert(0, f"stopped after {work.state.max_duration_s:g} s")
        return "timed_out", "; ".join(told)
    if work.capped == "money":
        told.insert(0, f"stopped at ${work.state.max_cost_usd:g}")
    if text:
        return "completed", "; ".join(told)
    return "failed", "; ".join(told) or "nobody gave anything"


def _reason(status: CollaborationState) -> FailureReason:
    if status == "cancelled":
        return "cancelled"
    return "limit" if status == "timed_out" else "error"
