"""The shape of agents.toml: the DNA of each agent.

Pydantic, because outside text enters here; frozen, because nobody may change an agent in place.
Reading TOML and pointing at its mistakes is `parsing`'s work.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from skill_agent.settings.schema import Table
from skill_agent.values import AgentStatus

Tone = Literal[
    "professional", "friendly", "casual", "academic", "playful", "empathetic", "direct", "custom"
]
ModelTier = Literal["fast", "balanced", "powerful"]


class VoiceExample(Table):
    """A sample exchange that shows how the agent sounds."""

    user_message: str
    agent_response: str
    context: str = ""


class Personality(Table):
    """How the agent thinks, speaks and behaves."""

    system_prompt_template: str = ""
    """Replaces the built-in identity text unless empty; `{name}`, `{tagline}` … are filled in."""
    tone: Tone = "friendly"
    verbosity: Literal["concise", "balanced", "detailed", "verbose"] = "balanced"
    formality: Literal["formal", "semi-formal", "informal", "adaptive"] = "adaptive"
    language: str = Field(default="auto", pattern=r"^(auto|[a-z]{2,3}(-[A-Za-z]{2,4})?)$")
    """ISO 639-1 code the agent answers in where a message is too short to tell its language;
    it answers in that of the message otherwise."""
    traits: dict[str, float] = Field(default_factory=dict)
    """Trait name to weight in 0..1."""
    voice_examples: tuple[VoiceExample, ...] = ()
    always_rules: tuple[str, ...] = ()
    never_rules: tuple[str, ...] = ()
    custom_instructions: str = ""


class TierModel(Table):
    """A model for one tier of one agent."""

    tier: ModelTier
    model_name: str


class ModelConfig(Table):
    """Which model speaks for the agent."""

    model_name: str = "default"
    """`provider/model`, a tier (`fast`, `balanced`, `powerful`), or `default` of config.toml, which
    leaves it to each message where `[models.roles]` names more than one."""
    temperature: float = Field(default=0.7, ge=0.0, le=2.0)
    max_output_tokens: int = Field(default=4096, ge=100, le=32000)
    provider_overrides: dict[str, Any] = Field(default_factory=dict)
    enable_model_routing: bool = True
    """Each message is answered on the tier it needs, where `model_name` is `default` or there are
    `custom_tiers` beside a `provider/model`; otherwise `model_name` is what counts."""
    force_tier: ModelTier | None = None
    """This tier's model instead of `model_name`; `-m` goes before it."""
    max_tier: ModelTier | None = None
    """The highest tier that `force_tier`, a tier in `model_name` or a message may come to."""
    custom_tiers: tuple[TierModel, ...] = ()
    """The models of tiers for this agent; those of `[models.roles]` otherwise."""
    daily_budget_usd: float = Field(default=5.0, ge=0.0)
    """What paid models may cost on a day of the host's clock; 0 allows free ones only."""
    monthly_budget_usd: float = Field(default=100.0, ge=0.0)
    """The same for a month."""


class RetrievalWeights(Table):
    """Weights of the recall signals, each in 0..1."""

    semantic: float = Field(default=0.35, ge=0.0, le=1.0)
    recency: float = Field(default=0.20, ge=0.0, le=1.0)
    importance: float = Field(default=0.20, ge=0.0, le=1.0)
    continuity: float = Field(default=0.15, ge=0.0, le=1.0)
    relationship: float = Field(default=0.10, ge=0.0, le=1.0)


class MemoryConfig(Table):
    """How the agent remembers."""

    token_budget: int = Field(default=2000, ge=100, le=8000)
    """Tokens recall may put beside one message."""
    retrieval_weights: RetrievalWeights = Field(default_factory=RetrievalWeights)
    auto_extract: bool = True
    auto_pin_preferences: bool = True
    auto_share: bool | Literal["ask"] = True
    """Whether what it hears of the team, a project or the company is every agent's; with `ask` it
    waits for a person's yes (`ska memory shares`)."""
    summarize_interval: int = Field(default=20, ge=2)
    """Messages between automatic summaries."""
    remember_commands: tuple[str, ...] = (
        "remember this", "remember that", "don't forget", "keep in mind", "note that",
    )  # fmt: skip
    """Phrases by which a message asks to be remembered; handled by code."""


class Boundaries(Table):
    """What the agent may and may not do."""

    can_do: tuple[str, ...] = ()
    cannot_do: tuple[str, ...] = ()
    escalates_to: str | None = None
    """Slug of the agent that takes what this one may not do."""
    max_autonomy: Literal["execute", "suggest", "ask"] = "execute"
    allowed_domains: tuple[str, ...] = ()
    """Hosts the HTTP tool reaches without asking; a leading `*.` matches subdomains."""
    allow_private_addresses: bool = False
    """Lets the HTTP tool reach loopback and private networks."""
    max_tool_calls_per_turn: int = Field(default=10, ge=1, le=50)


class Runs(Table):
    """The outside program that an agent runs on, in place of a model."""

    acp: str | tuple[str, ...]
    """The name of a known program (`claude`, `codex`, `gemini`, `opencode`, `goose`, or one of
    `[acp.programs]`), or a command as a list; it speaks the Agent Client Protocol."""

    @field_validator("acp")
    @classmethod
    def _not_empty(cls, acp: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not acp:
            raise ValueError("name a program, or give a command")
        return acp


class AgentDNA(Table):
    """The complete identity document of a named agent: one table of agents.toml."""

    slug: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    """Its table's name; how `@slug` and `-a slug` find it."""
    name: str = Field(min_length=1, max_length=60)
    tagline: str = ""
    avatar_emoji: str = ""
    status: AgentStatus = "active"
    created_at: datetime | None = None
    updated_at: datetime | None = None
    personality: Personality = Field(default_factory=Personality)
    shared_skill_names: tuple[str, ...] = ()
    """This agent's view of the team's shared skills; filled from `[team]` where absent."""
    custom_skill_names: tuple[str, ...] = ()
    disabled_skill_names: tuple[str, ...] = ()
    craft_skill_names: tuple[str, ...] = ()
    """Skills that are the agent's own trade: their instructions stand in every prompt of it, and
    it need not open them."""
    mcp: tuple[str, ...] = ()
    """Tools of `[mcp.servers]` it may use: `github` for all of a server's, `files:read_*` for those
    whose names match."""
    runs: Runs | None = None
    """Answers by an outside program; its own tools and model then count, and not `model`."""
    model: ModelConfig = Field(default_factory=ModelConfig)
    memory: MemoryConfig = Field(default_factory=MemoryConfig)
    boundaries: Boundaries = Field(default_factory=Boundaries)

    @property
    def effective_skills(self) -> tuple[str, ...]:
        """Shared plus custom minus disabled, each once, in that order."""
        wanted = dict.fromkeys(self.shared_skill_names + self.custom_skill_names)
        return tuple(name for name in wanted if name not in self.disabled_skill_names)


class TeamTable(Table):
    """`[team]` of agents.toml."""

    shared_skill_names: tuple[str, ...] = ()
    """Skills every agent has, unless it says otherwise or disables them."""
