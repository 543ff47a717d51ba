"""What a team is made of while it works together: tasks, collaborations, messages, reports.

Texts of agents are data wherever they are shown to another agent, never orders of the person's.
"""

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from .nouns import AgentStatus
from .origins import Origin
from .requests import HOST_ONLY, Requester

TaskType = Literal[
    "research", "review", "analyze", "generate", "summarize", "validate", "plan", "execute"
]
TaskState = Literal["pending", "in_progress", "completed", "failed", "cancelled", "timed_out"]
Priority = Literal["low", "normal", "high", "urgent"]
Pattern = Literal[
    "supervisor_worker", "pipeline", "peer_review", "brainstorm", "consensus", "delegation"
]
CollaborationState = Literal[
    "planning", "active", "synthesizing", "completed", "failed", "timed_out", "cancelled"
]
ParticipantRole = Literal["lead", "worker", "reviewer", "contributor"]
ParticipantState = Literal["waiting", "working", "completed", "failed"]
MessageType = Literal[
    "task_request",
    "task_result",
    "task_status",
    "info_request",
    "info_response",
    "notification",
    "collab_invite",
    "collab_update",
    "handoff_request",
    "feedback",
]
ReportType = Literal[
    "code_review",
    "security_audit",
    "research_summary",
    "data_analysis",
    "risk_assessment",
    "performance_report",
    "comparison",
    "action_plan",
]
ReportFormat = Literal["markdown", "json", "bullet_points"]

TASK_TYPES: tuple[TaskType, ...] = get_args(TaskType)
TASK_STATES: tuple[TaskState, ...] = get_args(TaskState)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""The least urgent first."""
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)
MESSAGE_TYPES: tuple[MessageType, ...] = get_args(MessageType)
REPORT_TYPES: tuple[ReportType, ...] = get_args(ReportType)

MAX_DEPTH = 3
"""A person's turn is at depth 0; the deepest task is at this depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one task may take; what is left of its parent's may be less."""

    max_tokens: int = 4000
    """Tokens the models may write in it."""
    max_tool_calls: int = 10
    timeout_s: float = 120.0
    max_usd: float | None = None
    """None: what the agent and the task's parents have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A piece of work for one agent."""

    assigned_to: str
    instructions: str
    title: str = ""
    """Empty: the beginning of the instructions."""
    task_type: TaskType = "execute"
    context: str = ""
    """Text that goes with it and is data: what others found, said or wrote."""
    expected_output: str = ""
    input_artifacts: tuple[str, ...] = ()
    """Ids of tasks whose results it builds on."""
    created_by: str = field(default="person", metadata=HOST_ONLY)
    """`person`, or the slug of the agent that asks."""
    parent_task: str | None = field(default=None, metadata=HOST_ONLY)
    parent_turn: str | None = field(default=None, metadata=HOST_ONLY)
    """The turn that asked for it."""
    conversation: str | None = field(default=None, metadata=HOST_ONLY)
    """The conversation it came from."""
    collaboration: str | None = field(default=None, metadata=HOST_ONLY)
    stage: str = field(default="", metadata=HOST_ONLY)
    priority: Priority = "normal"
    model: str | None = None
    """A model or tier; None leaves it to the agent."""
    allowance: Allowance = field(default_factory=Allowance)
    interactive: bool = True
    """Somebody may answer approvals; otherwise they are denied at once."""
    origins: tuple[Origin, ...] = field(default=(), metadata=HOST_ONLY)
    """Who wrote instructions and context, beside the person."""
    response_schema: dict[str, Any] | None = field(default=None, metadata=HOST_ONLY)
    """A JSON schema: the result is JSON that satisfies it, or the task fails."""
    requester: Requester | None = field(default=None, metadata=HOST_ONLY)
    """Whose API key asks; None is the home's own person."""
    key: str | None = None
    """The task's id, a UUID: asked again with it, the same task is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTask:
    """A task with what has become of it."""

    id: str
    assigned_to: str
    created_by: str
    title: str
    instructions: str
    task_type: TaskType = "execute"
    context: str = ""
    expected_output: str = ""
    input_artifacts: tuple[str, ...] = ()
    parent_task: str | None = None
    parent_turn: str | None = None
    conversation: str | None = None
    collaboration: str | None = None
    stage: str = ""
    priority: Priority = "normal"
    model: str | None = None
    allowance: Allowance = field(default_factory=Allowance)
    response_schema: dict[str, Any] | None = None
    """A JSON schema that its result satisfies."""
    delegation_depth: int = 1
    attempt: int = 1
    status: TaskState = "pending"
    session: str | None = None
    """The conversation in which the agent works on it."""
    turn: str | None = None
    result: str = ""
    result_artifacts: tuple[str, ...] = ()
    """Memory ids, files and so on that came of it."""
    error: str = ""
    interactive: bool = True
    by: str = ""
    """The API key that asked for it, by its id; empty for the home's own person."""
    detached: bool = False
    """Nobody waits for it: it is taken up again after a crash."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote what it read; they go with the result."""
    tokens_used: int = 0
    cost_usd: float = 0.0
    dead: bool = False
    """Given up after its retries; it waits for a person (`ska team deadletter`)."""
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status not in ("pending", "in_progress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """An agent in a collaboration; each is in it once."""

    slug: str
    role: ParticipantRole = "contributor"
    stage: int = 0
    """Its place in a pipeline."""
    task: str = ""
    """What it is to do; empty: what the pattern says."""
    status: ParticipantState = "waiting"
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutput:
    """What one agent gave in one stage."""

    stage: str
    agent_slug: str
    output: str
    task: str = ""
    """The id of the task it was made by."""
    tokens_used: int = 0
    cost_usd: float = 0.0
    duration_seconds: float = 0.0
    origins: tuple[Origin, ...] = ()
    problem: str = ""
    """Why there is no output, or not the whole of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a collaboration before it is begun, with what it is expected to take."""

    stage: str
    agent_slug: str
    model: str = ""
    estimate_s: float = 0.0
    estimate_usd: float | None = 0.0
    """None where no price is known."""


@dataclass(frozen=True, slots=True)
class NewCollaboration:
    """A goal for several agents, and how they are to work on it."""

    goal: str
    _: KW_ONLY
    pattern: Pattern = "supervisor_worker"
    participants: tuple[Participant, ...] = ()
    """Empty: the lead chooses among the agents that fit."""
    lead: str | None = None
    context: str = ""
    conversation: str | None = None
    """The one it came from and to which its result is given; None begins one of its own."""
    max_duration_s: float = 600.0
    max_cost_usd: float = 0.50
    max_rounds: int = 5
    interactive: bool = True
    """Somebody may answer approvals; otherwise they are denied at once."""
    ask_between: bool = False
    """The person is asked before it goes on after a stage, and may say what is to be different; of
    a pipeline and of a supervisor with workers."""
    key: str | None = None
    parent_task: str | None = field(default=None, metadata=HOST_ONLY)
    parent_turn: str | None = field(default=None, metadata=HOST_ONLY)
    created_by: str = field(default="person", metadata=HOST_ONLY)
    origins: tuple[Origin, ...] = field(default=(), metadata=HOST_ONLY)
    """Who wrote the goal, where it was not the person."""
    requester: Requester | None = field(default=None, metadata=HOST_ONLY)
    """Whose API key asks; None is the home's own person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaboration:
    """A collaboration with what has become of it."""

    id: str
    goal: str
    pattern: Pattern
    lead: str
    participants: tuple[Participant, ...]
    context: str = ""
    conversation: str | None = None
    parent_task: str | None = None
    parent_turn: str | None = None
    created_by: str = "person"
    max_duration_s: float = 600.0
    max_cost_usd: float = 0.50
    max_rounds: int = 5
    interactive: bool = True
    ask_between: bool = False
    status: CollaborationState = "planning"
    current_stage: str = ""
    stages_completed: tuple[str, ...] = ()
    stage_outputs: tuple[StageOutput, ...] = ()
    final_output: str = ""
    error: str = ""
    """Why it ended early, or what is missing of it."""
    origins: tuple[Origin, ...] = ()
    total_tokens: int = 0
    total_cost_usd: float = 0.0
    plan: tuple[PlannedStep, ...] = ()
    """Who was to do what, in order, before it began."""
    estimate_s: float | None = None
    """How long it was expected to take, said before it began."""
    estimate_usd: float | None = None
    """What it was expected to cost; None where no price is known."""
    created_at: datetime
    completed_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status not in ("planning", "active", "synthesizing")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMessage:
    """What one agent wrote to another, or to all."""

    id: str
    sender: str
    to: str | None = None
    """A slug; None is every active agent."""
    channel: str = "direct"
    """`direct`, `team`, `task:ID` or `collab:ID`."""
    message_type: MessageType = "notification"
    content: str
    metadata: dict[str, Any] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    created_at: datetime
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProfile:
    """An agent as its colleagues find it."""

    id: str
    """Its slug."""
    name: str
    tagline: str
    status: AgentStatus
    effective_skills: tuple[str, ...] = ()
    can_do: tuple[str, ...] = ()
    cannot_do: tuple[str, ...] = ()
    active_tasks: int = 0
    skill_coverage: float = 0.0
    """Share of the wanted skills it has, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAvailability:
    """Whether an agent can take work now."""

    id: str
    available: bool
    active_tasks: int = 0
    active_conversations: int = 0
    estimated_wait_s: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAbility:
    """Whether a model may ask its agent's colleagues by itself."""

    id: str
    """The model's name."""
    able: bool
    right: int
    of: int
    wrong: tuple[str, ...] = ()
    """The messages it met wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """A report that is wanted of an agent."""

    report_type: ReportType
    title: str
    agent: str | None = None
    """None: whoever fits best."""
    subject: str = ""
    """What it is about: text, which is data."""
    parameters: dict[str, Any] = field(default_factory=dict)
    max_sections: int = 10
    format: ReportFormat = "markdown"
    created_by: str = field(default="person", metadata=HOST_ONLY)
    parent_task: str | None = field(default=None, metadata=HOST_ONLY)
    parent_turn: str | None = field(default=None, metadata=HOST_ONLY)
    conversation: str | None = field(default=None, metadata=HOST_ONLY)
    origins: tuple[Origin, ...] = field(default=(), metadata=HOST_ONLY)
    requester: Requester | None = field(default=None, metadata=HOST_ONLY)
    """Whose API key asks; None is the home's own person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report with its sections by name, in order."""

    id: str
    report_type: ReportType
    title: str
    agent: str
    sections: dict[str, str]
    missing: tuple[str, ...] = ()
    """Required sections that are not there, although they were asked for again."""
    text: str = ""
    """In the format that was wanted."""
    task: str = ""
    memory: str | None = None
    """The id under which it is remembered."""
    origins: tuple[Origin, ...] = ()
    tokens_used: int = 0
    cost_usd: float = 0.0
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """A conversation that one agent gave to another."""

    id: str
    """The conversation's."""
    from_agent: str
    to_agent: str
    reason: str
    context_summary: str = ""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """An agent in a conversation."""

    id: str
    """Its slug."""
    role: Literal["primary", "invited", "handoff_source"] = "invited"
    joined_at: datetime
    left_at: datetime | None = None
