"""AgentDNA and Settings: the shape of agents.toml and config.toml.

Pydantic, because outside text enters here; frozen, because nobody may change an agent in place.
Reading TOML and pointing at its mistakes is `config`'s work.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Tone = Literal[
    "professional", "friendly", "casual", "academic", "playful", "empathetic", "direct", "custom"
]
ModelTier = Literal["fast", "balanced", "powerful"]
AgentStatus = Literal["draft", "active", "paused", "archived"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class VoiceExample(_Part):
    """A sample exchange that shows how the agent sounds."""

    user_message: str
    agent_response: str
    context: str = ""


class Personality(_Part):
    """How the agent thinks, speaks and behaves."""

    system_prompt_template: str = ""
    """Replaces the built-in identity text unless empty; `{name}`, `{tagline}` … are filled in."""
    tone: Tone = "friendly"
    verbosity: Literal["concise", "balanced", "detailed", "verbose"] = "balanced"
    formality: Literal["formal", "semi-formal", "informal", "adaptive"] = "adaptive"
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$")
    """ISO 639-1 code the agent answers in."""
    traits: dict[str, float] = Field(default_factory=dict)
    """Trait name to weight in 0..1."""
    voice_examples: tuple[VoiceExample, ...] = ()
    always_rules: tuple[str, ...] = ()
    never_rules: tuple[str, ...] = ()
    custom_instructions: str = ""


class TierModel(_Part):
    """A model for one tier of one agent."""

    tier: ModelTier
    model_name: str


class ModelConfig(_Part):
    """Which model speaks for the agent."""

    model_name: str = "default"
    """`provider/model`, a role (`fast`, `balanced`, `powerful`), or `default` of config.toml."""
    temperature: float = Field(default=0.7, ge=0.0, le=2.0)
    max_output_tokens: int = Field(default=4096, ge=100, le=32000)
    provider_overrides: dict[str, Any] = Field(default_factory=dict)
    enable_model_routing: bool = True
    force_tier: ModelTier | None = None
    max_tier: ModelTier | None = None
    custom_tiers: tuple[TierModel, ...] = ()
    daily_budget_usd: float = Field(default=5.0, ge=0.0)
    monthly_budget_usd: float = Field(default=100.0, ge=0.0)


class RetrievalWeights(_Part):
    """Weights of the recall signals, each in 0..1."""

    semantic: float = Field(default=0.35, ge=0.0, le=1.0)
    recency: float = Field(default=0.20, ge=0.0, le=1.0)
    importance: float = Field(default=0.20, ge=0.0, le=1.0)
    continuity: float = Field(default=0.15, ge=0.0, le=1.0)
    relationship: float = Field(default=0.10, ge=0.0, le=1.0)


class MemoryConfig(_Part):
    """How the agent remembers."""

    token_budget: int = Field(default=2000, ge=100, le=8000)
    """Tokens recall may put beside one message."""
    retrieval_weights: RetrievalWeights = Field(default_factory=RetrievalWeights)
    auto_extract: bool = True
    auto_pin_preferences: bool = True
    summarize_interval: int = Field(default=20, ge=2)
    """Messages between automatic summaries."""
    remember_commands: tuple[str, ...] = (
        "remember this", "remember that", "don't forget", "keep in mind", "note that",
    )  # fmt: skip
    """Phrases by which a message asks to be remembered; handled by code."""


class Boundaries(_Part):
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


class AgentDNA(_Part):
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
    model: ModelConfig = Field(default_factory=ModelConfig)
    memory: MemoryConfig = Field(default_factory=MemoryConfig)
    boundaries: Boundaries = Field(default_factory=Boundaries)

    @property
    def effective_skills(self) -> tuple[str, ...]:
        """Shared plus custom minus disabled, each once, in that order."""
        wanted = dict.fromkeys(self.shared_skill_names + self.custom_skill_names)
        return tuple(name for name in wanted if name not in self.disabled_skill_names)


class TeamTable(_Part):
    """`[team]` of agents.toml."""

    shared_skill_names: tuple[str, ...] = ()
    """Skills every agent has, unless it says otherwise or disables them."""


class GeneralSettings(_Part):
    """`[general]`"""

    default_agent: str = "kyra"
    """Slug of the agent that answers when none is named."""
    user: str = Field(default="me", min_length=1, max_length=60)
    """Whose memories and profile these are."""


class RoleSettings(_Part):
    """`[models.roles]`: which model serves each role; empty falls back to `models.default`."""

    fast: str = ""
    """For simple questions."""
    balanced: str = ""
    """For everyday work."""
    powerful: str = ""
    """For hard questions."""
    extract: str = ""
    """Reads memories out of conversations."""
    embed: str = "embedded/all-minilm-l6-v2"
    """Turns text into vectors for recall; another model means `ska memory rebuild`."""


class EmbeddedSettings(_Part):
    """`[models.embedded]`: the in-process llama.cpp."""

    context_window: int = Field(default=8192, ge=1024, le=131072)
    """Tokens the window is loaded with."""
    threads: int = Field(default=0, ge=0, le=256)
    """0 uses the physical cores."""
    kv_cache_mb: int = Field(default=512, ge=0)
    """Size limit of the kept persona states on disk; 0 keeps none."""


class ModelSettings(_Part):
    """`[models]`"""

    default: str = "embedded/qwen2.5-coder-1.5b"
    """`provider/model`: anything litellm knows, or `embedded/NAME` of `ska models list`."""
    fallback: tuple[str, ...] = ()
    """Tried in order on 5xx, time-outs and exhausted 429s; never on 400 or 401."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Longest wait for the first token, and between two."""
    roles: RoleSettings = Field(default_factory=RoleSettings)
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)
    api_base: dict[str, str] = Field(default_factory=dict)
    """Provider name to base URL, e.g. `openai = "http://127.0.0.1:8080/v1"`."""


class MemorySettings(_Part):
    """`[memory]`"""

    relevance_floor: float = Field(default=0.20, ge=0.0, le=1.0)
    """Memories with less evidence than this (0 to 1) never enter a prompt."""
    history_messages: int = Field(default=40, ge=2)
    """At most so many earlier messages are sent with a turn."""
    episodic_days: int = Field(default=180, ge=0)
    """Events below importance 8 are archived after so many days; 0 keeps them."""


class ToolSettings(_Part):
    """`[tools]`"""

    approval_timeout_s: float = Field(default=300.0, gt=0)
    """An approval nobody answers is denied after this long."""
    http_timeout_s: float = Field(default=20.0, gt=0)
    """Longest time one HTTP request of an agent may take."""
    http_max_bytes: int = Field(default=200_000, ge=1_000)
    """An answer longer than this is cut."""


class InterfaceSettings(_Part):
    """`[tui]`"""

    theme: str = "workstation"
    """Name of a Textual theme; the command palette lists them."""


class Settings(_Part):
    """config.toml as a whole."""

    general: GeneralSettings = Field(default_factory=GeneralSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    memory: MemorySettings = Field(default_factory=MemorySettings)
    tools: ToolSettings = Field(default_factory=ToolSettings)
    tui: InterfaceSettings = Field(default_factory=InterfaceSettings)
