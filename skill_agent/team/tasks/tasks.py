"""Tasks as the rest of the team sees them: given, run, stopped."""

from dataclasses import dataclass, replace
from typing import Protocol

from skill_agent.errors import SkillAgentError
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Ledger
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import AgentTask, Attachment, NewTask, TurnRequest

from .nested import nested


class RunsTasks(Protocol):
    """What collaborations and reports ask of the engine."""

    async def run(self, new: NewTask) -> AgentTask:
        """Runs a task to its end under its limits. What goes wrong in it stands in its `status`
        and `error`; raises only what keeps it from being begun (depth, cycle, an agent that is not
        there, money), and lets a cancel through once the task has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks(RunsTasks):
    """The engine of tasks."""

    turns: TurnOperations
    ledger: Ledger
    clock: Clock

    async def run(self, new: NewTask) -> AgentTask:
        task = _begun(new, self.clock)
        beside = [Attachment(new.context, origin="agent", name="context")] if new.context else []
        request = TurnRequest(
            new.instructions,
            agent=new.assigned_to,
            model=new.model,
            attachments=tuple(beside),
            parent=new.parent_turn,
            task=task.id,
            origins=new.origins,
            response_schema=new.response_schema,
            interactive=new.interactive,
            detach=True,
        )
        try:
            outcome = await nested(self.turns, self.ledger, request)
        except SkillAgentError as problem:
            return replace(task, status="failed", error=problem.message)
        return replace(
            task,
            status="completed" if outcome.finish else "failed",
            session=outcome.session,
            turn=outcome.turn,
            result=outcome.text,
            error=outcome.problem,
            origins=outcome.origins,
            tokens_used=outcome.usage.completion_tokens,
            cost_usd=outcome.usage.cost_usd,
            completed_at=self.clock(),
        )


def _begun(new: NewTask, clock: Clock) -> AgentTask:
    now = clock()
    return AgentTask(
        id=new.key or new_id(),
        assigned_to=new.assigned_to,
        created_by=new.created_by,
        title=new.title or new.instructions[:80],
        instructions=new.instructions,
        task_type=new.task_type,
        context=new.context,
        expected_output=new.expected_output,
        parent_task=new.parent_task,
        parent_turn=new.parent_turn,
        conversation=new.conversation,
        collaboration=new.collaboration,
        stage=new.stage,
        priority=new.priority,
        model=new.model,
        allowance=new.allowance,
        status="in_progress",
        created_at=now,
        started_at=now,
    )
