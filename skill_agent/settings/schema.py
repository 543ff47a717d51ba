"""The shape of config.toml.

Pydantic, because outside text enters here; frozen, because nobody may change a setting in place.
Reading TOML and pointing at its mistakes is `parsing`'s work.
"""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from skill_agent.errors import UsageError

from .quiet_hours import QuietHours


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class GeneralSettings(Table):
    """`[general]`"""

    default_agent: str = "kyra"
    """Slug of the agent that answers when none is named."""
    user: str = Field(default="me", min_length=1, max_length=60)
    """Whose memories and profile these are."""


class RoleSettings(Table):
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
    rerank: str = ""
    """Puts in order what recall found, as far as 150 ms allow; empty for none."""


class EmbeddedSettings(Table):
    """`[models.embedded]`: the in-process llama.cpp."""

    context_window: int = Field(default=8192, ge=1024, le=131072)
    """Tokens the window is loaded with."""
    threads: int = Field(default=0, ge=0, le=256)
    """0 uses the physical cores."""
    kv_cache_mb: int = Field(default=512, ge=0)
    """Size limit of the kept persona states on disk; 0 keeps none."""
    thinking: Literal["off", "on"] = "off"
    """Whether models that can think in text before they answer do so; it takes minutes."""


class ModelSettings(Table):
    """`[models]`"""

    default: str = "embedded/qwen2.5-coder-1.5b"
    """`provider/model`: anything litellm knows, or `embedded/NAME` of `ska models list`."""
    fallback: tuple[str, ...] = ()
    """Tried in order on 5xx, time-outs and exhausted 429s; never on 400 or 401."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Longest wait for the first token, and between two."""
    reply_timeout_s: float = Field(default=600.0, gt=0)
    """Longest time one whole reply may take; what came by then is kept."""
    roles: RoleSettings = Field(default_factory=RoleSettings)
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)
    api_base: dict[str, str] = Field(default_factory=dict)
    """Provider name to base URL, e.g. `openai = "http://127.0.0.1:8080/v1"`."""


class MemorySettings(Table):
    """`[memory]`"""

    relevance_floor: float = Field(default=0.20, ge=0.0, le=1.0)
    """Memories with less evidence than this (0 to 1) never enter a prompt."""
    history_messages: int = Field(default=40, ge=2)
    """At most so many earlier messages are sent with a turn."""
    episodic_days: int = Field(default=180, ge=0)
    """Events below importance 8 are archived after so many days; 0 keeps them."""


class ToolSettings(Table):
    """`[tools]`"""

    approval_timeout_s: float = Field(default=300.0, gt=0)
    """An approval nobody answers is denied after this long."""
    http_timeout_s: float = Field(default=20.0, gt=0)
    """Longest time one HTTP request of an agent may take."""
    http_max_bytes: int = Field(default=200_000, ge=1_000)
    """An answer longer than this is cut."""


class PrivacySettings(Table):
    """`[privacy]`"""

    prompt_days: int = Field(default=30, ge=0, le=3650)
    """What was sent to models, and what they answered, can be looked up so long; 0 keeps none."""
    prompt_mb: int = Field(default=64, ge=0, le=4096)
    """At most so much of it is kept, the newest; 0 keeps none."""


class ServeSettings(Table):
    """`[serve]`"""

    requests_at_once: int = Field(default=64, ge=1, le=500)
    """Requests of one address that `ska serve` answers at the same time, open streams among them;
    all that come through a proxy come from one."""


class BackupSettings(Table):
    """`[backup]`"""

    folder: str = ""
    """Where backups are put, best on another disk; empty is a folder beside the home, its name with
    `-backups`."""
    daily: bool = True
    """A host that stays open makes one a day by itself, if anything has changed."""
    keep_daily: int = Field(default=7, ge=1, le=3650)
    """Of those it made, the newest of each of so many days is kept …"""
    keep_weekly: int = Field(default=4, ge=0, le=520)
    """… and the newest of each of so many weeks."""


class FeatureSettings(Table):
    """`[features]`: each off means that the program works as if it were not there."""

    expert_gate: bool = True
    """A message that names nobody goes to the agent that fits it best."""
    ensemble: bool = False
    """Several agents answer one message and their answers are put together; slow on one machine."""
    model_routing: bool = True
    """Easy messages go to the fast tier and hard ones to the powerful, where those are named."""
    task_delegation: bool = True
    """A person's "ask Luke to …" and `ska team` give tasks to agents."""
    delegation_by_models: bool = False
    """Models that proved able may give tasks, ask for reports and begin collaborations."""
    collaboration: bool = True
    """Agents work on one goal together."""
    handoff: bool = True
    """A request that an agent may not do goes to the one it names in `escalates_to`."""
    team_memory: bool = True
    """What concerns the team is shared among its agents."""


class JobSettings(Table):
    """`[jobs]`"""

    enabled: bool = True
    """A host that stays runs jobs at their times."""
    timezone: str = ""
    """In which times of day are meant; empty is the zone of this machine."""
    concurrent: int = Field(default=2, ge=1, le=32)
    """At most so many runs at the same time; with a local model one at a time."""
    give_up_after: int = Field(default=3, ge=1, le=100)
    """A job that failed so often in a row is stopped and told."""
    quiet_hours: str = ""
    """`22:00-07:00`: what is told then waits until they are over; failures do not."""

    @field_validator("quiet_hours")
    @classmethod
    def _is_span(cls, text: str) -> str:
        try:
            QuietHours.parsed(text)
        except UsageError as problem:
            raise ValueError(f"{problem.message}; {problem.hint}") from None
        return text

    commands: tuple[str, ...] = ()
    """Programs that a job may run, by their whole path; none unless named here."""
    after_commands: bool = True
    """Chores that are due are done by a process of their own after a command that needed the home,
    where no host stays that would do them."""


class UpkeepSettings(Table):
    """`[upkeep]`: the chores of the memory."""

    consolidate: bool = True
    """Sums up what has ended, merges what is the same, moves what has aged."""
    consolidate_hours: int = Field(default=6, ge=1, le=8760)
    expire: bool = True
    """Archives what has run out."""
    expire_hours: int = Field(default=24, ge=1, le=8760)


class DeliverySettings(Table):
    """`[delivery]`"""

    folder: str = ""
    """Where `file` puts things; empty is the folder `inbox` of the home."""


class TelegramSettings(Table):
    """`[telegram]`; the token is TELEGRAM_BOT_TOKEN, or in the keyring."""

    enabled: bool = True
    """`ska up` and `ska serve` run the bot where there is a token."""
    allow: tuple[int, ...] = ()
    """Ids of chats that are let in without pairing."""
    groups: bool = False
    """Answers in groups that were let in, where it is mentioned."""
    agent: str = ""
    """Who answers where nobody is named; empty is the default agent."""
    api_url: str = "https://api.telegram.org"
    """Of a Bot API server of your own."""
    max_file_mb: int = Field(default=20, ge=0, le=50)
    """Larger photos and documents are refused."""


class HitlSettings(Table):
    """`[hitl]`: how questions that wait for a person are answered."""

    timeout_hours: float = Field(default=24.0, gt=0, le=8760)
    """After which the safe answer holds."""
    words: dict[str, dict[Literal["proceed", "revise", "cancel"], tuple[str, ...]]] = Field(
        default_factory=dict
    )
    """Words of yours, by language, e.g. `words.de.proceed = ["passt"]`; beside the known ones."""

    @field_validator("words")
    @classmethod
    def _plain(cls, words: Any) -> Any:
        """Raises ValueError for a word that would mean two things."""
        if words:
            from skill_agent.text.answers.lexicon import clashes

            if wrong := list(clashes(words)):
                raise ValueError("; ".join(wrong))
        return words


class WebhookSettings(Table):
    """`[webhooks]`"""

    allow_private: tuple[str, ...] = ()
    """Hosts in private networks, or on this machine, that may be told things."""


class McpServer(Table):
    """`[mcp.servers.NAME]`: a program, or an address, whose tools agents may use."""

    command: str = ""
    """The program, found on PATH or by its whole path; spoken to over its standard streams."""
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    """Names of variables of this program's environment that it gets, beside a few harmless ones;
    values never stand here."""
    cwd: str = ""
    """Where it is started; empty is a private folder of its own."""
    url: str = ""
    """Of a server that is spoken to over streamable HTTP, instead of a program."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Names of headers to names of variables of the environment that hold their values."""
    enabled: bool = True

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not re.match(r"https?://[^\s/]", url):
            raise ValueError("expected an address that begins with http:// or https://")
        return url

    @model_validator(mode="after")
    def _one_way(self) -> "McpServer":
        if bool(self.command) == bool(self.url):
            raise ValueError("give either command or url")
        return self


class McpSettings(Table):
    """`[mcp]`: the Model Context Protocol."""

    servers: dict[str, McpServer] = Field(default_factory=dict)
    """By names of letters, digits, `-` and `_`; agents.toml says who may use which."""
    start_timeout_s: float = Field(default=30.0, gt=0)
    """Longest time a server may take until it answers."""
    call_timeout_s: float = Field(default=120.0, gt=0)
    """Longest time one call of a tool may take without a sign of progress."""
    idle_minutes: float = Field(default=30.0, ge=0)
    """A server nobody used for so long is ended; it is started again when it is needed."""
    tools_share: float = Field(default=0.15, gt=0, le=0.5)
    """Of a model's window that tools of servers may take; the rest is found with `find_tool`."""

    @field_validator("servers")
    @classmethod
    def _plain_names(cls, servers: Any) -> Any:
        for name in servers:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", name):
                raise ValueError(f"{name!r} is no name: at most 32 letters, digits, - and _")
        return servers


class AcpProgram(Table):
    """`[acp.programs.NAME]`: an agent of another make that speaks the Agent Client Protocol."""

    command: tuple[str, ...] = Field(min_length=1)
    """The program with its arguments."""
    env: tuple[str, ...] = ()
    """Names of variables of this program's environment that it gets, beside a few harmless ones."""


class AcpSettings(Table):
    """`[acp]`: agents that run on outside programs."""

    programs: dict[str, AcpProgram] = Field(default_factory=dict)
    """Beside the known ones, which they may replace; `runs = { acp = "NAME" }` in agents.toml."""
    start_timeout_s: float = Field(default=60.0, gt=0)
    """Longest time until the program is ready for a session."""
    silence_timeout_s: float = Field(default=600.0, gt=0)
    """Longest silence within a turn; then it is given up."""
    idle_minutes: float = Field(default=30.0, ge=0)
    """A program nobody talked to for so long is ended; its session is gone on with when it is
    needed, where it can do that."""


class InterfaceSettings(Table):
    """`[tui]`"""

    theme: str = "auto"
    """Name of a theme; the command palette lists them. `auto` is the one chosen last, or else the
    workstation's own, dark or light as the terminal's background is."""
    motion: Literal["full", "reduced"] = "full"
    """With `reduced` nothing moves that need not."""
    notify: Literal["unfocused", "always", "never"] = "unfocused"
    """When the terminal is told that a reply, a question or a decision waits."""
    bell: bool = True
    """Whether that rings the terminal's bell as well."""
    keys: dict[str, str] = Field(default_factory=dict)
    """Keys of your own by the ids that `ska config keys` lists, e.g. `"talk.new" = "ctrl+t"`."""


class Settings(Table):
    """config.toml as a whole."""

    general: GeneralSettings = Field(default_factory=GeneralSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    memory: MemorySettings = Field(default_factory=MemorySettings)
    tools: ToolSettings = Field(default_factory=ToolSettings)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    serve: ServeSettings = Field(default_factory=ServeSettings)
    backup: BackupSettings = Field(default_factory=BackupSettings)
    features: FeatureSettings = Field(default_factory=FeatureSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    upkeep: UpkeepSettings = Field(default_factory=UpkeepSettings)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    hitl: HitlSettings = Field(default_factory=HitlSettings)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)
    mcp: McpSettings = Field(default_factory=McpSettings)
    acp: AcpSettings = Field(default_factory=AcpSettings)
    tui: InterfaceSettings = Field(default_factory=InterfaceSettings)
