"""Tasks in words: what is told of one, and why it is as it is."""

from skill_agent.errors import BudgetSpent, ModelUnavailable, SkillAgentError
from skill_agent.events import TaskChanged
from skill_agent.values import AgentTask, FailureReason

from .nested import Outcome


def task_event(task: AgentTask) -> TaskChanged:
    """A task as it is told."""
    begun, ended = task.started_at, task.completed_at
    return TaskChanged(
        session=task.conversation or "",
        turn=task.parent_turn or "",
        agent=task.assigned_to,
        task=task.id,
        title=task.title,
        status=task.status,
        created_by=task.created_by,
        depth=task.delegation_depth,
        parent_task=task.parent_task,
        collaboration=task.collaboration,
        stage=task.stage,
        attempt=task.attempt,
        work_session=task.session,
        work=task.turn,
        tokens_used=task.tokens_used,
        cost_usd=task.cost_usd,
        seconds=(ended - begun).total_seconds() if begun and ended else 0.0,
        problem=task.error,
        dead=task.dead,
    )


def told(problem: SkillAgentError) -> str:
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


def all_told(failures: list[str]) -> str:
    """Every cause, each once."""
    return "; ".join(dict.fromkeys(failures))


def late(seconds: float) -> str:
    return f"not done within {seconds:g} seconds"


def missing(outcome: Outcome) -> str:
    """What is to be said of a result that is not whole."""
    match outcome.finish:
        case "length":
            return "the result was cut: it reached the length it may have"
        case "limit":
            return "the result was cut: the agent reached its limits"
        case "cut" | "filtered":
            return "the result broke off"
        case _:
            return ""


def reason_of(problem: SkillAgentError) -> FailureReason:
    """Why a turn could not begin."""
    if isinstance(problem, ModelUnavailable):
        return "model_unavailable"
    return "budget" if isinstance(problem, BudgetSpent) else "rejected"
