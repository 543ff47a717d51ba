"""Who is to answer a message and on which model, with every figure that led there."""

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Literal, get_args

from .origins import Origin
from .requests import HOST_ONLY, Requester
from .team import PlannedStep

RouteReason = Literal["user_mention", "requested", "current", "skill_match", "handoff", "default"]
"""`requested`: an agent was named beside the text; `current`: the conversation's agent is able."""
RouteStrategy = Literal["top_1", "top_k", "ensemble", "cascade"]
SeveralStrategy = Literal["top_k", "ensemble", "cascade"]
SEVERAL_STRATEGIES: tuple[SeveralStrategy, ...] = get_args(SeveralStrategy)
TierName = Literal["fast", "balanced", "powerful"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertScore:
    """How well one agent fits a message; every signal is 0..1."""

    agent: str
    name: str = ""
    overall: float
    skill_match: float
    past_performance: float
    personality_fit: float
    load_balance: float
    trust: float = 0.5
    matching_skills: tuple[str, ...] = ()
    able: bool = True
    """False where `cannot_do` covers the message."""
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Who answers, why, and how the others compared."""

    agent: str
    confidence: float
    reason: RouteReason
    explanation: str = ""
    scores: tuple[ExpertScore, ...] = ()
    """The best first; empty where nobody had to be compared."""
    strategy: RouteStrategy = "top_1"
    selected: tuple[str, ...] = ()
    threshold: float = 0.6
    fallback_used: bool = False
    escalated_from: str | None = None
    """The agent that may not do it and names the one who answers (`escalates_to`)."""
    came_from: str | None = None
    """Who would have answered had nobody been compared, where that is another one."""
    routing_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Complexity:
    """How hard a message is, in five dimensions of 0..10."""

    reasoning_depth: float
    domain_specificity: float
    creativity: float
    context_dependency: float
    output_length: float
    sure: float = 1.0
    """0..1; unsure ones are answered on the balanced tier."""
    scorer: Literal["code", "model"] = "code"


Override = Literal["model", "force_tier", "max_tier", "budget_cap", "conversation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Which tier a message is answered on, and why."""

    tier: TierName | None = None
    """None: the agent's own model, nothing was routed."""
    model: str = ""
    why: str = ""
    complexity: Complexity | None = None
    overall: float | None = None
    override: Override | None = None
    """What had the last word instead of the score."""
    routing_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TierInfo:
    """A tier as an agent has it, with what its model costs and can do."""

    id: TierName
    model: str
    """`provider/model`; that of `models.default` where nobody names one for the tier."""
    source: str = ""
    """Where it is named."""
    cost_per_1k_input: float | None = None
    """US dollars; None where no price is known."""
    cost_per_1k_output: float | None = None
    max_output_tokens: int = 0
    suitable_for: tuple[str, ...] = ()
    supports_tools: bool = True
    supports_vision: bool = False
    local: bool = False
    usable: bool = True
    """Not known to lack a file, a key or a provider."""
    allowed: bool = True
    """Not above the agent's `max_tier`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCheck:
    """Whether an agent could pay for a reply now, and on which tier."""

    id: str
    """The agent's slug."""
    allowed: bool
    remaining_today_usd: float
    remaining_month_usd: float
    suggested_tier: TierName | None = None
    """The dearest one that the money reaches for; None where it reaches for none."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided for one turn, as it is kept."""

    id: str
    """The turn's."""
    session: str
    routing: Routing | None = None
    choice: ModelChoice | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """An agent that would answer well."""

    id: str
    """Its slug."""
    name: str
    confidence: float
    matching_skills: tuple[str, ...] = ()
    tagline: str = ""
    personality_preview: str = ""
    """At most 100 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingStats:
    """What was decided so far."""

    decisions: int
    fallbacks: int
    by_agent: dict[str, int] = field(default_factory=dict)
    by_reason: dict[str, int] = field(default_factory=dict)
    by_tier: dict[str, int] = field(default_factory=dict)
    mean_routing_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class SeveralRequest:
    """One message that several agents are to answer."""

    text: str
    _: KW_ONLY
    strategy: SeveralStrategy = "ensemble"
    max_cost_usd: float = 0.50
    """Of all that is asked for it together."""
    max_duration_s: float = 600.0
    interactive: bool = True
    """Somebody may answer approvals; otherwise they are denied at once."""
    key: str | None = None
    """A UUID, from which the answer's id is made; its tasks name that as their collaboration."""
    parent_task: str | None = field(default=None, metadata=HOST_ONLY)
    parent_turn: str | None = field(default=None, metadata=HOST_ONLY)
    created_by: str = field(default="person", metadata=HOST_ONLY)
    origins: tuple[Origin, ...] = field(default=(), metadata=HOST_ONLY)
    """Who wrote the text, where it was not the person."""
    requester: Requester | None = field(default=None, metadata=HOST_ONLY)
    """Whose API key asks; None is the home's own person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralPlan:
    """Who would answer, and what that is expected to take at most."""

    strategy: SeveralStrategy
    plan: tuple[PlannedStep, ...]
    estimate_s: float
    estimate_usd: float | None
    """None where no price is known."""
    max_duration_s: float
    max_cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertResponse:
    """What one of several agents answered."""

    agent_slug: str
    agent_name: str
    content: str
    confidence: float
    """How well the agent fits the message, 0..1."""
    tokens_used: int = 0
    latency_ms: float = 0.0
    task: str = ""
    """The id of the task it was made by."""
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralAnswer:
    """What several agents came to."""

    id: str
    strategy: SeveralStrategy
    text: str = ""
    """Empty where nobody answered."""
    agent: str | None = None
    """Whose answer the text is; None where it was put together, or is none."""
    responses: tuple[ExpertResponse, ...] = ()
    """The best fitting agent's first."""
    problems: dict[str, str] = field(default_factory=dict)
    """By agent, why it gave no answer."""
    merged_by: Literal["", "model", "code"] = ""
    """Who put the answers together; empty where nothing was to be."""
    capped: Literal["", "money", "time"] = ""
    """The limit it stopped at."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote what it came of."""
    tokens_used: int = 0
    cost_usd: float = 0.0
    duration_s: float = 0.0
