"""One message while several agents are asked for it: each is a task, all draw from one purse.

Limits are held here and travel with each task. What one agent does wrong is kept beside what the
others gave, and ends nobody else's work.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID, uuid5

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import BudgetExhausted, SkillAgentError
from skill_agent.models.money.purses import Purse
from skill_agent.ports import Model
from skill_agent.team.groups import task_group
from skill_agent.team.sessions.material import Piece, fitted
from skill_agent.team.sessions.wording import Wording, attributed
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.text.redaction import redact
from skill_agent.turns.fitting import Tokens
from skill_agent.values import (
    AgentTask,
    Allowance,
    ExpertResponse,
    NewTask,
    Origin,
    SeveralRequest,
    all_origins,
)

_GRACE = 0.9
"""A task gets this part of the time that is left, so that it ends by itself; but never more than a
second less than all of it."""
_LEAST_SECONDS = 0.05
ANSWER = "answer"
_log = logging.getLogger(__name__)

Person = tuple[AgentDNA, Model]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one agent is asked."""

    stage: str
    agent: str
    instructions: str
    reads: tuple[Piece, ...] = ()
    """Texts of others, by who gave them."""
    model: str | None = None
    schema: dict[str, Any] | None = None
    tools: bool = True


@dataclass(slots=True, kw_only=True)
class Round:
    """What was asked, and what has come of it so far."""

    id: str
    request: SeveralRequest
    agents: Sequence[str]
    """Those that are to answer, the best first."""
    people: Mapping[str, Person]
    confidence: Mapping[str, float]
    wording: Wording
    tasks: RunsTasks
    purse: Purse
    ends: float
    """When its time is over, by the event loop's clock."""
    tokens: Tokens = field(default_factory=Tokens)
    responses: dict[str, ExpertResponse] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    capped: Literal["", "money", "time"] = ""
    tokens_used: int = 0
    _lane: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.ends - asyncio.get_running_loop().time()

    @property
    def answers(self) -> list[ExpertResponse]:
        """The best fitting agent's first."""
        return [self.responses[one] for one in self.agents if one in self.responses]

    def name(self, agent: str) -> str:
        return attributed(self.people[agent][0])

    async def all(self) -> None:
        """Everybody's answer. They are asked at the same time, but for those whose models share
        this machine."""
        async with task_group() as group:
            for agent in self.agents:
                group.create_task(self.answer(agent), name=f"the answer of {agent}")

    async def answer(self, agent: str, reads: tuple[Piece, ...] = ()) -> AgentTask | None:
        """Asks an agent, and keeps its answer or why there is none."""
        step = Step(stage=ANSWER, agent=agent, instructions=self.request.text, reads=reads)
        async with self._lane_of(self.people[agent][1]):
            began = asyncio.get_running_loop().time()
            task, problem = await self._tried(step)
            seconds = asyncio.get_running_loop().time() - began
        if task is None or problem:
            self.problems[agent] = problem
            return task
        self.origins = all_origins(self.origins, task.origins)
        self.responses[agent] = ExpertResponse(
            agent_slug=agent,
            agent_name=self.people[agent][0].name,
            content=task.result.strip(),
            confidence=round(self.confidence.get(agent, 0.0), 4),
            tokens_used=task.tokens_used,
            latency_ms=round(seconds * 1000, 1),
            task=task.id,
            origins=all_origins(task.origins, ("agent",)),
        )
        return task

    async def edited(self, step: Step, model: Model) -> str:
        """What somebody makes of the answers; empty where that came to nothing."""
        async with self._lane_of(model):
            task, problem = await self._tried(step, model)
        if task is None or problem:
            _log.info("%s of the answers: %s", step.stage, problem)
            return ""
        return task.result.strip()

    def _lane_of(self, model: Model) -> AbstractAsyncContextManager[Any]:
        """Models on this machine answer one after another, in the order asked."""
        return self._lane if model.info.local else nullcontext()

    async def _tried(self, step: Step, model: Model | None = None) -> tuple[AgentTask | None, str]:
        """The task as it ended, and what went wrong."""
        try:
            if self.left <= _LEAST_SECONDS:
                self.capped = "time"
                return None, "there was no time left"
            self.purse.check()
            task = await self.tasks.run(await self._task(step, model))
        except SkillAgentError as problem:
            if isinstance(problem, BudgetExhausted):
                self.capped = "money"
            return None, problem.message
        except Exception as problem:  # the wall: one agent's bug is not the others' end
            _log.exception("%s of %s", step.stage, step.agent)
            return None, redact(f"{type(problem).__name__}: {problem}")
        self.tokens_used += task.tokens_used
        if task.status == "completed":
            return task, "" if task.result.strip() else "it gave nothing"
        if self.purse.refused:
            self.capped = "money"
        return task, task.error or task.status.replace("_", " ")

    async def _task(self, step: Step, model: Model | None) -> NewTask:
        asked, (dna, own) = self.request, self.people[step.agent]
        context = ""
        if step.reads:
            most = dna.model.max_output_tokens
            context = await fitted(step.reads, model or own, most, step.instructions, self.tokens)
        beside: tuple[Origin, ...] = ("agent",) if step.reads else ()
        usual, left = Allowance(), self.left
        by = asked.requester.key if asked.requester else ""
        return NewTask(
            assigned_to=step.agent,
            instructions=step.instructions,
            title=f"{step.stage}: {' '.join(asked.text.split())}"[:120],
            context=context,
            created_by=asked.created_by,
            parent_task=asked.parent_task,
            parent_turn=asked.parent_turn or self.id,
            collaboration=self.id,
            stage=step.stage,
            model=step.model,
            allowance=replace(
                usual,
                timeout_s=min(usual.timeout_s, max(left - 1.0, left * _GRACE)),
                max_tool_calls=usual.max_tool_calls if step.tools else 0,
            ),
            interactive=asked.interactive,
            origins=all_origins(asked.origins, self.origins if step.reads else (), beside),
            response_schema=step.schema,
            requester=asked.requester,
            key=str(uuid5(UUID(self.id), f"{step.stage}/{step.agent}/{by}")),
        )
