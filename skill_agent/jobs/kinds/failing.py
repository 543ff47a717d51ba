"""Of what class a failure is: that says whether another try makes sense."""

from collections.abc import Mapping
from types import MappingProxyType

from skill_agent.errors import (
    AgentUnavailable,
    BudgetSpent,
    ConfigError,
    HomeBusy,
    ModelFailed,
    ModelRejected,
    ModelUnavailable,
    SkillAgentError,
    StoreError,
    TurnLimit,
    UsageError,
)
from skill_agent.text.redaction import redact
from skill_agent.values import ErrorKind, FailureReason

from .kind import Outcome

_OF_TURNS: Mapping[FailureReason, ErrorKind] = MappingProxyType(
    {
        "model_unavailable": "passing",
        "model_failed": "passing",
        "host_closed": "passing",
        "error": "passing",
        "budget": "budget",
        "rejected": "configuration",
        "limit": "lasting",
        "filtered": "lasting",
        "cancelled": "lasting",
        "abandoned": "lasting",
        "host_lost": "crash",
    }
)


def class_of_turn(reason: FailureReason | None) -> ErrorKind:
    """The class of what ended a turn."""
    return _OF_TURNS[reason] if reason else "lasting"


def failed(problem: Exception) -> Outcome:
    """The outcome of a run that raised."""
    if isinstance(problem, SkillAgentError):
        return Outcome(
            error_kind=_class_of(problem), error=redact(problem.message), hint=problem.hint
        )
    return Outcome(
        error_kind="passing" if isinstance(problem, OSError) else "lasting",
        error=redact(f"{type(problem).__name__}: {problem}"),
    )


def _class_of(problem: SkillAgentError) -> ErrorKind:
    match problem:
        case BudgetSpent():
            return "budget"
        case ModelRejected() | UsageError() | ConfigError() | AgentUnavailable():
            return "configuration"
        case ModelUnavailable() | ModelFailed() | StoreError() | HomeBusy():
            return "passing"
        case TurnLimit():
            return "lasting"
        case _:
            return "passing"
