"""One collaboration while it runs: what its pattern asks for is done, kept and told here.

Limits are held here and travel with each task; no pattern can pass them. A step that was kept
before is not done again, so a pattern may be run from its beginning after a crash.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import BudgetExhausted, SkillAgentError
from skill_agent.events import CollaborationChanged, Event
from skill_agent.models.money.purses import Purse
from skill_agent.ports import Asks, Model
from skill_agent.team.groups import task_group
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.team.tasks.working import to_its_end
from skill_agent.text.redaction import redact
from skill_agent.text.shaping import one_line
from skill_agent.turns.fitting import Tokens
from skill_agent.values import (
    AgentTask,
    Allowance,
    Answer,
    Collaboration,
    CollaborationState,
    NewQuestion,
    NewTask,
    Origin,
    Requester,
    StageOutput,
    TaskType,
    all_origins,
)

from .material import Piece, fitted
from .record import Records, with_output, with_status
from .wording import Wording, attributed

Cap = Literal["money", "time"]
_GRACE = 0.9
"""A task gets this part of the time that is left, so that it ends by itself and what it said stays;
but never more than a second less than all of it."""
_LEAST_SECONDS = 0.05
_ROUNDING = 1e-9

_log = logging.getLogger(__name__)


class Halted(SkillAgentError):
    """The person does not want it to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one agent is to do in one stage."""

    stage: str
    agent: str
    instructions: str
    reads: tuple[Piece, ...] = ()
    """Texts of others, by who gave them."""
    origins: tuple[Origin, ...] = ()
    """Who wrote those, and what of the instructions no person did."""
    task_type: TaskType = "execute"
    schema: dict[str, Any] | None = None
    lead: bool = False
    """It puts together what others gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every collaboration of a home works with."""

    tasks: RunsTasks
    records: Records
    publish: Callable[[Event], None]
    tokens: Tokens
    asks: Callable[[], Asks]
    question_s: float


@dataclass(slots=True, kw_only=True)
class Work:
    """A collaboration that runs."""

    state: Collaboration
    tools: Tools
    people: Mapping[str, tuple[AgentDNA, Model]]
    wording: Wording
    taken_up: datetime
    left_s: float
    """Seconds it had left then."""
    purse: Purse | None = None
    """What its tasks draw from, while it runs."""
    requester: Requester | None = None
    resumed: int = 0
    capped: Cap | None = None
    """The limit it stopped at."""
    ending: str | None = None
    """Why it is being stopped as a whole; None while it is not."""
    dropped: dict[str, str] = field(default_factory=dict)
    """Agents that were taken out, and why."""
    _running: dict[str, "asyncio.Task[AgentTask]"] = field(default_factory=dict)
    _lane: asyncio.Lock = field(default_factory=asyncio.Lock)
    _began: float = 0.0
    timer: asyncio.Timeout | None = None
    """Ends it when its time is over; stands still while a person is asked."""

    def begin(self) -> None:
        """Its time counts from now."""
        self._began = asyncio.get_running_loop().time()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.left_s - (asyncio.get_running_loop().time() - self._began)

    @property
    def money_left(self) -> float:
        """US dollars that it may still spend."""
        return max(0.0, self.state.max_cost_usd - self.state.total_cost_usd)

    # -- for patterns ------------------------------------------------------------------------

    def name(self, agent: str) -> str:
        return attributed(self.people[agent][0])

    def small(self, agent: str) -> bool:
        """Whether its model is told little and trusted with little."""
        return self.people[agent][1].info.profile.small

    @property
    def others(self) -> list[str]:
        """The participants beside the lead."""
        return [one.slug for one in self.state.participants if one.slug != self.state.lead]

    async def ask(self, step: Step) -> StageOutput | None:
        """What came of it; None where that is nothing, which stands with its reason in the
        collaboration."""
        if (known := self._known(step)) is not None:
            return known if known.output.strip() else None
        async with self._lane_of(step.agent):
            if (why := self.dropped.get(step.agent)) is not None:
                await self._keep(_failed(step, why, 0.0), None)
                return None
            if self._spent():
                return None
            await self._working(step)
            output, task = await self._done(step)
            await self._keep(output, task)
        return output if output.output.strip() else None

    async def all(self, steps: Sequence[Step]) -> list[StageOutput]:
        """What came of steps that need nothing of one another, in their order. They run at the same
        time, but for those whose models share this machine; none is lost for another's failure."""
        found: list[asyncio.Task[StageOutput | None]] = []
        async with task_group() as group:
            found += [group.create_task(self.ask(step)) for step in steps]
        return [output for one in found if (output := one.result()) is not None]

    async def checkpoint(self, outputs: Sequence[StageOutput]) -> str:
        """Asks the person, where that is wanted, whether to go on with what a stage gave; gives
        what is to be different, for the next stage. Its own time stands still meanwhile. Raises
        Halted where it is not to go on."""
        if not self.state.ask_between or not outputs or self._spent():
            return ""
        left, stage = self.left, outputs[-1].stage
        if self.timer is not None:
            self.timer.reschedule(None)
        await self.become("active", current_stage=f"asks after {stage}", left=left)
        answer = await self._decided(stage, outputs)
        self.left_s = left
        self.begin()
        if self.timer is not None:
            self.timer.reschedule(self._began + max(0.0, left))
        if answer.action == "cancel":
            raise Halted(f"stopped after {stage} (by {answer.by})")
        return answer.words if answer.action == "revise" else ""

    async def _decided(self, stage: str, outputs: Sequence[StageOutput]) -> Answer:
        one, asks = self.state, self.tools.asks()
        key = str(uuid5(UUID(one.id), f"asked after {stage}/{self.resumed}"))
        question = NewQuestion(
            text=f"Go on after {stage}? {one_line(one.goal, 200)}",
            detail="\n\n".join(f"{self.name(each.agent_slug)}:\n{each.output}" for each in outputs),
            source="collaboration",
            about=one.id,
            timeout_s=self.tools.question_s,
            agent=one.lead,
            session=one.conversation,
            turn=one.id,
            origins=all_origins(("agent",), one.origins),
            asker=self.requester.key if self.requester else None,
            key=key,
        )
        try:
            return await asks.ask(question)
        except asyncio.CancelledError:
            if self.ending is not None:  # closing the home leaves the question where it is
                await to_its_end(asks.withdraw(key))
            raise

    # -- for whoever drives it ---------------------------------------------------------------

    async def become(self, status: CollaborationState, **changes: Any) -> None:
        """Another state, kept and then told; `final` is the id of the message with the result."""
        final, left = changes.pop("final", None), changes.pop("left", None)
        self.state = replace(self.state, status=status, **changes)
        given = {"final": final, "origins": [*self.state.origins]} if final else {}
        given |= {"left": left} if left is not None else {}
        await self.tools.records.state(self.state, **given)
        self.tell()

    def tell(self) -> None:
        one = self.state
        self.tools.publish(
            CollaborationChanged(
                session=one.conversation or "",
                turn=one.id,
                parent=one.parent_turn,
                agent=one.lead,
                collaboration=one.id,
                pattern=one.pattern,
                goal=one.goal,
                status=one.status,
                stage=one.current_stage,
                participants=tuple(each.slug for each in one.participants),
                estimate_s=one.estimate_s,
                tokens_used=one.total_tokens,
                cost_usd=one.total_cost_usd,
                problem=one.error,
            )
        )

    async def drop(self, agent: str, reason: str) -> None:
        """Takes an agent out; the others go on. Returns once its task has ended."""
        self.dropped[agent] = reason
        if (task := self._running.get(agent)) is not None:
            task.cancel()
            await asyncio.wait([task])

    # -- one step ----------------------------------------------------------------------------

    def _known(self, step: Step) -> StageOutput | None:
        for one in self.state.stage_outputs:
            if (one.stage, one.agent_slug) == (step.stage, step.agent):
                return one
        return None

    def _lane_of(self, agent: str) -> AbstractAsyncContextManager[Any]:
        """Models on this machine share it: they answer one after another, in the order asked."""
        return self._lane if self.people[agent][1].info.local else nullcontext()

    def _spent(self) -> bool:
        """Whether a limit of the whole is reached."""
        if self.capped is None and self.state.max_cost_usd and self.money_left <= _ROUNDING:
            self.capped = "money"
        if self.capped is None and self.left <= _LEAST_SECONDS:
            self.capped = "time"
        return self.capped is not None

    async def _working(self, step: Step) -> None:
        status: CollaborationState = "synthesizing" if step.lead else "active"
        changed = replace(self.state, status=status, current_stage=step.stage)
        self.state = with_status(changed, step.agent, "working")
        await self.tools.records.working(self.state, step.agent)
        self.tell()

    async def _done(self, step: Step) -> tuple[StageOutput, AgentTask | None]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            task = await self._run(step.agent, await self._task(step))
        except asyncio.CancelledError:
            mine = asyncio.current_task()
            if step.agent not in self.dropped or (mine is not None and mine.cancelling()):
                raise
            return _failed(step, self.dropped[step.agent], loop.time() - began), None
        except SkillAgentError as problem:
            if isinstance(problem, BudgetExhausted):
                self.capped = "money"
            return _failed(step, problem.message, loop.time() - began), None
        except Exception as problem:  # the wall: one participant's bug is not the others' end
            _log.exception("a task of collaboration %s", self.state.id)
            told = redact(f"{type(problem).__name__}: {problem}")
            return _failed(step, told, loop.time() - began), None
        if task.status == "failed" and self.purse is not None and self.purse.refused:
            self.capped = "money"
        return _output(step, task, loop.time() - began), task

    async def _run(self, agent: str, new: NewTask) -> AgentTask:
        """The task's end. One that ended as stopped before this was taken up was stopped with the
        home, and is done anew."""
        task = await self._ran(agent, new)
        ended = task.completed_at
        if task.status == "cancelled" and ended is not None and ended <= self.taken_up:
            key = str(uuid5(UUID(new.key or task.id), "again"))
            return await self._run(agent, replace(new, key=key))
        return task

    async def _ran(self, agent: str, new: NewTask) -> AgentTask:
        running = asyncio.create_task(self.tools.tasks.run(new), name=f"{new.stage} of {agent}")
        self._running[agent] = running
        try:
            return await running
        finally:
            self._running.pop(agent, None)

    async def _task(self, step: Step) -> NewTask:
        one, (dna, model) = self.state, self.people[step.agent]
        context = await self._context(step, dna, model)
        beside: tuple[Origin, ...] = ("agent",) if step.reads else ()
        usual, left = Allowance(), self.left
        return NewTask(
            assigned_to=step.agent,
            instructions=step.instructions,
            title=f"{step.stage}: {one.goal}"[:120],
            task_type=step.task_type,
            context=context,
            created_by=one.created_by,
            parent_task=one.parent_task,
            parent_turn=one.parent_turn or one.id,
            conversation=one.conversation,
            collaboration=one.id,
            stage=step.stage,
            allowance=replace(
                usual,
                timeout_s=min(usual.timeout_s, max(left - 1.0, left * _GRACE)),
            ),
            interactive=one.interactive,
            origins=all_origins(one.origins, step.origins, beside),
            response_schema=step.schema,
            requester=self.requester,
            key=str(uuid5(UUID(one.id), f"{step.stage}/{step.agent}/{self.resumed}")),
        )

    async def _context(self, step: Step, dna: AgentDNA, model: Model) -> str:
        given = self.state.context
        pieces = (*((("", given),) if given else ()), *step.reads)
        if not pieces:
            return ""
        most = dna.model.max_output_tokens
        return await fitted(pieces, model, most, step.instructions, self.tools.tokens)

    async def _keep(self, output: StageOutput, task: AgentTask | None) -> None:
        """Written down before anybody sees it."""
        self.state = with_output(self.state, output)
        await self.tools.records.output(self.state, output, task)
        self.tell()


def _output(step: Step, task: AgentTask, seconds: float) -> StageOutput:
    ended_well = task.status == "completed"
    told = task.error or ("" if ended_well else task.status.replace("_", " "))
    if ended_well and not task.result.strip():
        told = "it gave nothing"
    return StageOutput(
        stage=step.stage,
        agent_slug=step.agent,
        output=task.result,
        task=task.id,
        tokens_used=task.tokens_used,
        cost_usd=task.cost_usd,
        duration_seconds=round(seconds, 3),
        origins=all_origins(task.origins),
        problem="" if ended_well and task.result.strip() else told,
    )


def _failed(step: Step, problem: str, seconds: float) -> StageOutput:
    return StageOutput(
        stage=step.stage,
        agent_slug=step.agent,
        output="",
        duration_seconds=round(seconds, 3),
        problem=problem or "it was stopped",
    )
