"""Each agent's money: held to by reserving what a call may cost before it is made.

What was spent is the ledger's to say; what is reserved lives in this one process, which alone
makes calls, so a crash gives all of it back at once. What a call cost that a crash cut off is not
known any more, and not counted.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from skill_agent.agents.dna import ModelConfig
from skill_agent.conversations.accounts import CALL, call_note, day_of, month_of, spent
from skill_agent.conversations.usage import usd
from skill_agent.errors import BudgetSpent, SkillAgentError
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Ledger, ModelRequest
from skill_agent.text.redaction import redact
from skill_agent.values import Budget, Usage

from .purses import Drawn, Purses

_DAILY, _MONTHLY = "daily_budget_usd", "monthly_budget_usd"
_ROUNDING = 1e-9
"""Dollars by which sums of floating-point amounts may differ from what they should be."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an agent may spend, in US dollars."""

    name: str
    daily: float
    monthly: float


@dataclass(slots=True, eq=False)
class Hold:
    """Money that is taken for a call until the ledger says what it cost."""

    agent: str
    usd: float
    drawn: Drawn | None = None
    """What it takes of a task's purse."""


class Budgets:
    """The money of all agents of one home."""

    def __init__(self, ledger: Ledger, clock: Clock, limits: Callable[[str], Limits]) -> None:
        """`limits` gives an agent's by slug, as they are now."""
        self._ledger, self._clock, self._limits = ledger, clock, limits
        self.purses = Purses()
        self._held: defaultdict[str, set[Hold]] = defaultdict(set)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._writing: set[asyncio.Task[None]] = set()

    async def reserve(self, agent: str, most: float | None, drawn: Drawn | None = None) -> Hold:
        """Takes what a call may cost, in one step with looking whether it is there; None stands
        for a price nobody knows. What was drawn from a purse for it goes back where the agent has
        not enough. Raises BudgetSpent."""
        hold = Hold(agent, most or 0.0, drawn)
        if most == 0:
            return hold
        try:
            async with self._locks[agent]:
                await self._look(agent, most)
                self._held[agent].add(hold)
        except BaseException:
            self.release(hold)
            raise
        return hold

    async def check(self, agent: str, most: float | None) -> None:
        """Raises BudgetSpent where `reserve` would, and takes nothing."""
        if most != 0:
            async with self._locks[agent]:
                await self._look(agent, most)

    def release(self, hold: Hold) -> None:
        """Of a call that was not made, or not answered."""
        self._held[hold.agent].discard(hold)
        if hold.drawn is not None:
            hold.drawn.release()

    def settle(self, hold: Hold, usage: Usage, request: ModelRequest) -> "asyncio.Task[None]":
        """What the call cost instead of what it might have; the task ends once that is noted."""
        hold.usd = usage.cost_usd
        if hold.drawn is not None:
            hold.drawn.settle(usage.cost_usd, usage.completion_tokens)
        task = asyncio.create_task(self._note(hold, usage, request), name="usage of a call")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def settled(self) -> None:
        """Returns once every call that ended is noted."""
        while self._writing:
            await asyncio.wait(list(self._writing))

    async def of(self, agent: str) -> Budget:
        """How an agent's money stands now."""
        limits = self._limits(agent)
        async with self._locks[agent]:
            today, month = await self._spent(agent)
            held = self._holding(agent)
        left_month = max(0.0, limits.monthly - month - held)
        return Budget(
            id=agent,
            name=limits.name,
            daily_usd=limits.daily,
            monthly_usd=limits.monthly,
            spent_today_usd=today,
            spent_month_usd=month,
            held_usd=held,
            left_today_usd=min(max(0.0, limits.daily - today - held), left_month),
            left_month_usd=left_month,
        )

    # -- under the agent's lock --------------------------------------------------------------

    async def _note(self, hold: Hold, usage: Usage, request: ModelRequest) -> None:
        """With the lock nobody counts money twice that is noted already and still held. What
        cannot be noted stays held as long as this process lives."""
        data = call_note(
            usage,
            session=request.session,
            purpose=request.purpose,
            tier=request.tier,
            strategy=request.strategy,
        )
        async with self._locks[hold.agent] if hold.usd else nullcontext():
            try:
                await self._ledger.note(CALL, request.turn or new_id(), actor=hold.agent, data=data)
            except SkillAgentError as problem:
                _log.warning("what a call cost was not noted: %s", redact(problem.message))
                return
            self.release(hold)

    async def _look(self, agent: str, most: float | None) -> None:
        limits = self._limits(agent)
        for limit, key in ((limits.daily, _DAILY), (limits.monthly, _MONTHLY)):
            if limit == 0:
                raise _refused(limits, agent, key, most)
        if most is None:
            return
        held = self._holding(agent)
        today, month = await self._spent(agent)
        for already, limit, period, key in (
            (today, limits.daily, "today", _DAILY),
            (month, limits.monthly, "this month", _MONTHLY),
        ):
            if already + held + most > limit + _ROUNDING:
                waiting = f", {usd(held)} more is held for calls that run" if held else ""
                told = f"{limits.name} has spent {usd(already)} of {usd(limit)} {period}{waiting}"
                raise _refused(limits, agent, key, most, told)

    def _holding(self, agent: str) -> float:
        return sum((one.usd for one in self._held[agent]), 0.0)

    async def _spent(self, agent: str) -> tuple[float, float]:
        now = self._clock()
        today, month = await spent(self._ledger, agent, (day_of(now), month_of(now)))
        return today, month


def limits_of(name: str, config: ModelConfig) -> Limits:
    return Limits(name=name, daily=config.daily_budget_usd, monthly=config.monthly_budget_usd)


def _refused(
    limits: Limits, agent: str, key: str, most: float | None, told: str = ""
) -> BudgetSpent:
    told = told or f"{limits.name} may spend nothing ({key} is 0)"
    cost = f"this call may cost up to {usd(most)}" if most else "what this call costs is not known"
    return BudgetSpent(
        f"{told}; {cost}",
        hint=f"ska usage --by agent; to allow more, raise {key} under [agents.{agent}.model] in "
        "agents.toml, or choose a local model with -m",
    )
