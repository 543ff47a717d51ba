"""What happens while agents work together; each tells the whole of what a list of it shows."""

from dataclasses import dataclass
from typing import Literal

from skill_agent.values import CollaborationState, MessageType, Pattern, RouteReason, TaskState

from .any_event import AnyEvent, counted, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRouted(AnyEvent):
    """Another agent answers than the conversation's own; `agent` is the one that answers."""

    came_from: str
    reason: RouteReason
    confidence: float
    explanation: str = ""

    @property
    def line(self) -> str:
        why = f": {self.explanation}" if self.explanation else ""
        return one_line(f"{self.agent} answers instead of {self.came_from}{why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged(AnyEvent):
    """A task was made, begun, ended or given up. `agent` works on it; `session` and `turn` are
    those it came from, empty where it came from none; `work` is the turn in which it is done."""

    task: str
    title: str
    status: TaskState
    created_by: str
    depth: int
    parent_task: str | None = None
    collaboration: str | None = None
    stage: str = ""
    attempt: int = 1
    work_session: str | None = None
    work: str | None = None
    tokens_used: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    problem: str = ""
    dead: bool = False

    @property
    def line(self) -> str:
        done = f" in {self.seconds:.1f} s" if self.status == "completed" else ""
        problem = f" ({self.problem})" if self.problem else ""
        state = self.status.replace("_", " ")
        return one_line(f"{self.agent} · {self.title}: {state}{done}{problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollaborationChanged(AnyEvent):
    """A collaboration came to another state or stage; `agent` leads it."""

    collaboration: str
    pattern: Pattern
    goal: str
    status: CollaborationState
    stage: str = ""
    participants: tuple[str, ...] = ()
    estimate_s: float | None = None
    tokens_used: int = 0
    cost_usd: float = 0.0
    problem: str = ""

    @property
    def line(self) -> str:
        people = counted(len(self.participants), "agent", "agents")
        stage = f", {self.stage}" if self.stage else ""
        problem = f" ({self.problem})" if self.problem else ""
        pattern = self.pattern.replace("_", " ")
        expected = _expected(self.estimate_s) if self.status == "planning" else ""
        told = f"{self.status}{expected}{stage}{problem}"
        return one_line(f"{pattern} of {people}: {told} · {self.goal}")


def _expected(seconds: float | None) -> str:
    """What takes over a minute is said before it begins."""
    if seconds is None or seconds < 60:
        return ""
    return f", about {counted(round(seconds / 60), 'minute', 'minutes')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentWrote(AnyEvent):
    """`agent` wrote to a colleague, or to all."""

    message_id: str
    to: str | None
    channel: str
    message_type: MessageType
    content: str

    @property
    def line(self) -> str:
        return one_line(f"{self.agent} to {self.to or 'all'}: {self.content}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOff(AnyEvent):
    """A conversation went from one agent to another; `agent` has it now."""

    came_from: str
    reason: str

    @property
    def line(self) -> str:
        return one_line(f"{self.came_from} hands over to {self.agent}: {self.reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatChanged(AnyEvent):
    """An agent was invited into a conversation, joined or left it."""

    change: Literal["invited", "joined", "left"]

    @property
    def line(self) -> str:
        return one_line(f"{self.agent} {self.change.replace('invited', 'was invited')}")


TeamEvent = AgentRouted | TaskChanged | CollaborationChanged | AgentWrote | HandedOff | SeatChanged
"""What happens between agents."""
