"""The nouns of the product as frozen values; nothing here does anything or touches the world.

Times are timezone-aware UTC. Ids are UUIDv7 strings unless a person gave their own.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .origins import Attachment, Origin, all_origins

Role = Literal["system", "user", "assistant", "tool"]
MemoryType = Literal[
    "semantic", "episodic", "procedural", "agent_private", "shared", "identity", "user_profile"
]
MemoryStatus = Literal["active", "superseded", "archived", "disputed"]
Tier = Literal["hot", "warm", "cold"]
UpdateState = Literal["waiting", "updated"]
SourceType = Literal["explicit", "extraction", "import", "system", "feedback", "consolidation"]
ItemKind = Literal["memory", "turn"]
MessageState = Literal["complete", "partial"]
Rating = Literal["up", "down"]
AgentStatus = Literal["draft", "active", "paused", "archived"]
SkillTrust = Literal["trusted", "approved", "changed", "not approved"]
"""Whether it came with the program, was approved as it is, as it was, or never."""

Finish = Literal["stop", "length", "filtered", "cut", "limit", "tool_calls"]
"""Why a reply that is kept as whole ended: the model was done, or had reached its length limit; the
provider withheld the rest; the stream broke off without an end; a limit of this program's; it
asks a client program for calls of that program's tools."""
FailureReason = Literal[
    "cancelled",
    "model_unavailable",
    "model_failed",
    "rejected",
    "limit",
    "error",
    "host_lost",
    "host_closed",
    "filtered",
    "abandoned",
    "budget",
]
"""`host_lost`: the process that ran the turn is gone; `host_closed`: it was closed under it;
`filtered`: the provider withheld the whole reply; `abandoned`: whoever asked went away; `budget`:
the agent's money is spent."""
Choice = Literal["once", "always", "deny"]
"""What a person answers to an approval."""

MEMORY_TYPES: tuple[MemoryType, ...] = (
    "semantic", "episodic", "procedural", "agent_private", "shared", "identity", "user_profile",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one model call, or one turn, consumed."""

    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens the provider did not have to read again."""
    cost_usd: float = 0.0
    priced: bool = True
    """Whether a price is known for all of it; otherwise it cost more than `cost_usd`."""
    first_token_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to run a tool."""

    id: str
    name: str
    arguments: dict[str, Any]
    problem: str = ""
    """Why it cannot be carried out: what the model wrote is no call. It is told so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """What became of a tool call."""

    ok: bool
    seconds: float = 0.0
    choice: Choice | None = None
    """What was answered where somebody had to allow it."""
    by: str = ""
    """Who answered."""
    said: int = 0
    """So many characters of the reply had been said before the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture a person shows to an agent."""

    data: str
    """Its bytes in base64."""
    media_type: str = ""
    """`image/png` and so on; what the bytes say counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContext:
    """What came beside a person's words: from a client program, a pipe, a file."""

    instructions: str = ""
    """Its own, as they are told to the model."""
    earlier: str = ""
    """A talk held elsewhere, as it is told to the model; a long one has lost its beginning."""
    exchanges: int = 0
    """How many exchanges the whole of that talk has."""
    digest: str = ""
    """Tells the whole of that talk from another one."""
    images: tuple[Image, ...] = ()
    """What was shown with the words; a model that cannot see is told that there was something."""
    attachments: tuple[Attachment, ...] = ()
    """Texts that came with the words: piped in, out of a file, pasted."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Who wrote it; what stands in a picture nobody typed."""
        client: tuple[Origin, ...] = ("client",) if self.instructions or self.exchanges else ()
        shown: tuple[Origin, ...] = ("file",) if self.images else ()
        return all_origins(client, shown, (one.origin for one in self.attachments))


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of a conversation, as it stands in the ledger."""

    id: str
    session: str
    turn: str
    role: Role
    content: str
    """What was said; of a user's message the words the person typed."""
    created_at: datetime
    client_context: ClientContext | None = None
    """What came beside it, which the model reads with the words."""
    agent: str | None = None
    """Who spoke, or who was spoken to for a user's message."""
    context: str = ""
    """The data block (recalled memories) that was sent to the model beside this message."""
    recalled: tuple[str, ...] = ()
    """Ids of the items in `context`."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    outcome: CallOutcome | None = None
    """Of the call whose result this is; None elsewhere, and in messages from before it was kept."""
    zone: str = ""
    """IANA name, or offset as `+02:00`, of the clock of whoever wrote it; "" is this machine's."""
    state: MessageState = "complete"
    usage: Usage | None = None
    origins: tuple[Origin, ...] = ()
    """Who wrote what stands in it, or stood in the prompt it came of, beside the person and this
    program."""
    position: int = 0
    """Order within the session, given by the ledger, from 0."""

    @property
    def words_origins(self) -> tuple[Origin, ...]:
        """Of `content` alone: what a person typed is theirs, whatever came beside it."""
        if self.role != "user" or self.client_context is None:
            return self.origins
        beside = self.client_context.origins
        return tuple(one for one in self.origins if one not in beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation."""

    id: str
    title: str
    agent: str
    created_at: datetime
    updated_at: datetime
    messages: int = 0
    archived: bool = False
    """Off the list: put away, deleted, or that of an agent's task."""
    pinned: bool = False
    branched_from: str = ""
    """The conversation whose messages it began with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a memory came from."""

    session: str | None = None
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Something remembered, in one of seven types, with its whole state."""

    id: str
    content: str
    created_at: datetime
    updated_at: datetime
    memory_type: MemoryType = "semantic"
    subject: str | None = None
    """Dotted category, e.g. `user.preference.language`."""
    importance: int = 5
    confidence: float = 1.0
    agent: str | None = None
    """Owning agent; None is team-wide (or unscoped, for semantic and episodic)."""
    user: str | None = None
    speaker: str | None = None
    status: MemoryStatus = "active"
    tier: Tier = "warm"
    pinned: bool = False
    source: Source = field(default_factory=Source)
    source_type: SourceType = "explicit"
    extraction_model: str | None = None
    version: int = 1
    superseded_by: str | None = None
    contradicts: tuple[str, ...] = ()
    related_to: tuple[str, ...] = ()
    expires_at: datetime | None = None
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote what it was made from; only a person may make such a memory
    identity, profile, team's or pinned."""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How often a memory entered a prompt, counted from the log."""

    count: int = 0
    recent: int = 0
    """Within the window asked for."""
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Memories that say different things of which none is known to be right."""

    id: str
    """The id of the newest of them."""
    memories: tuple[Memory, ...]
    """The newest first."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A memory about which something newer was said; both stand until a person decides."""

    older: Memory
    newer: Memory
    state: UpdateState
    """`updated`: the older one is shown as what was so; `waiting`: it may be."""
    by: str
    """Who noticed: `code`, or a model's name."""
    reason: str = ""
    probability: float | None = None
    at: datetime
    """When it was noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One row of the append-only log.

    `old` and `new` hold the changed fields only; a purge empties them and leaves the digest.
    """

    seq: int
    at: datetime
    kind: str
    entity: str
    actor: str
    reason: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything that happened to a memory and to the versions before and after it."""

    memory: Memory
    versions: tuple[Memory, ...]
    """The whole chain, the oldest first, this one among them."""
    sources: tuple[Message, ...]
    """The messages it was made from, where they still stand."""
    entries: tuple[LogEntry, ...]
    """Every log row of the chain in order: changes, and the prompts it entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDifference:
    """What became of one memory between two moments."""

    id: str
    change: Literal["added", "removed", "changed"]
    memory: Memory
    """The later state, or the last one of a memory that was removed."""
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Name to (before, after) of what differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """A memory that says nearly the same as a given text."""

    item: "IndexItem"
    cosine: float
    """Of the bare texts, without speaker and date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexItem:
    """A memory or a message as the index holds it."""

    id: str
    kind: ItemKind
    seq: int
    """Ledger sequence this row reflects."""
    text: str
    created_at: datetime
    speaker: str | None = None
    session: str | None = None
    position: int = 0
    """Order within the session; neighbours differ by one."""
    agent: str | None = None
    user: str | None = None
    memory_type: MemoryType | None = None
    subject: str | None = None
    status: MemoryStatus = "active"
    tier: Tier = "warm"
    importance: int = 5
    pinned: bool = False
    expires_at: datetime | None = None
    related_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What the index has not seen yet, in ledger order."""

    items: tuple[IndexItem, ...]
    removed: tuple[str, ...]
    up_to: int
    """Every log row up to this sequence is reflected once these are applied."""
    behind: int = 0
    """Log rows still to come after `up_to`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose eyes a recall uses; enforced inside the index query."""

    agent: str | None = None
    """None is the person, who sees everything of theirs."""
    user: str = "me"
    kinds: tuple[ItemKind, ...] = ("memory", "turn")
    memory_types: tuple[MemoryType, ...] = ()
    """Empty is all."""
    session: str | None = None
    """Only items of this session."""
    include_cold: bool = False
    exclude: frozenset[str] = frozenset()
    """Item ids not wanted, e.g. what the conversation already shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One recalled item with the reasons for its rank."""

    item: IndexItem
    score: float
    """Final score in 0..1."""
    signals: dict[str, float]
    """Each signal's own value before weighting, by name."""
    reason: str = ""
    """Why it made the budget, in words."""
    until: datetime | None = None
    """When something newer was said about it, by which it holds no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A hit with the whole memory behind it; `memory` is None for a verbatim turn."""

    hit: Hit
    memory: Memory | None
    relevant: bool = True
    """It would count as having to do with the query; a search shows the others behind it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """Messages of a session that stand in its prompts as a summary."""

    session: str
    up_to: int
    """Position of the last message summed up."""
    turn: str
    """The turn it belongs to."""
    messages: int
    """How many were summed up by this one."""
    memories: tuple[str, ...]
    """Kept from them, each read back from the store."""
    summary: str
    """Of the conversation from its beginning."""
    at: datetime

    @property
    def line(self) -> str:
        """What happened, in words for the person."""
        messages = f"{self.messages:,} earlier message" + ("s" if self.messages > 1 else "")
        count = len(self.memories)
        return f"{messages} summed up, {count:,} memor{'y' if count == 1 else 'ies'} kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """What a model can do; its prompts are built for it."""

    strength: Literal["small", "large"] = "large"
    """A small one copies what its prompt shows it and is told little; some 4 billion parameters
    and more are large."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes it writes well; empty where unknown."""
    tools: bool = True
    """Native tool calls can be relied on."""
    vision: bool = False
    """It reads images."""
    reasoning: bool = False
    """It thinks in text before it answers."""
    continues: bool = False
    """It goes on from the beginning of a reply that it is given."""

    @property
    def small(self) -> bool:
        """Whether it is told little, watched and helped."""
        return self.strength == "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model as a person can choose it."""

    name: str
    """`provider/model`, e.g. `embedded/qwen2.5-coder-1.5b` or `openai/gpt-4o`."""
    provider: str
    context_window: int = 0
    """Tokens of the window that is really loaded; 0 where unknown."""
    local: bool = False
    """It runs on this machine: what it reads does not leave it."""
    own_server: bool = False
    """A server on this machine is asked for it; what stands behind that, nobody knows here."""
    installed: bool = True
    roles: tuple[str, ...] = ()
    size_bytes: int = 0
    size_estimated: bool = False
    """The size is worked out from the weights; whoever serves the file tells it."""
    licence: str = ""
    note: str = ""
    """What it is good at, or where it comes from."""
    profile: ModelProfile = ModelProfile()
    kind: Literal["chat", "embedder", "reranker"] = "chat"
    memory_bytes: int = 0
    """What it takes when loaded, about; 0 where unknown."""
    evaluation: str = ""
    """How it did in our own evaluation; empty where it never ran there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrial:
    """What a model said when it was tried, and how long that took."""

    id: str
    text: str
    first_token_s: float
    seconds: float
    context_window: int
    usage: Usage
    structured: bool = False
    """It filled in a form as asked, which reading memories and calling tools rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A turn that has begun; its user message is on disk."""

    session: str
    turn: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeInfo:
    """A home and the process that serves it."""

    id: str
    """Its folder on the serving machine."""
    version: str
    pid: int
    role: str
    """What the serving process is to its person: `tui`, `ask`, `up` …"""
    epoch: str
    """Identifies this life of the host: ids of events count within it."""
    user: str
    default_agent: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A SKILL.md folder as the catalogue lists it; the body is read on activation."""

    name: str
    description: str
    path: str
    licence: str = ""
    compatibility: str = ""
    allowed_tools: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    loaded: bool = True
    hidden: bool = False
    """Listed for the person, never offered to a model."""
    reason: str = ""
    """Why it could not be loaded, where `loaded` is false."""
    digest: str = ""
    """Of all files of its folder that can be read; another digest is another skill."""
    trust: SkillTrust = "not approved"
    approved_for: tuple[str, ...] = ()
    """The agents it was approved for as it is now; `*` is every agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a diagnosis, with the command that mends it."""

    id: str
    level: Literal["ok", "warning", "error"]
    title: str
    detail: str = ""
    fix: str = ""
