"""What is asked for, as values: a wish added later is a field here, and nothing else."""

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from .nouns import (
    ClientContext,
    Image,
    ItemKind,
    Memory,
    MemoryStatus,
    MemoryType,
    Scope,
    Source,
    SourceType,
    Tier,
)
from .origins import Attachment, Origin

HOST_ONLY = MappingProxyType({"host_only": True})
"""Marks a field that is only said within the process of the host, never in a request to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """One life event of a memory: its whole new state, and why."""

    kind: str
    """`memory.created`, `memory.pinned`, `memory.archived`, `memory.superseded` …"""
    memory: Memory
    actor: str
    reason: str = ""
    expected: Memory | None = None
    """The state this was worked out from; None does not look. If the stored one differs, nothing
    of the batch is written and MemoryChanged is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFilter:
    """Which memories a listing wants; empty fields do not restrict."""

    agent: str | None = None
    """Only what this agent may see (its own, team-wide and unscoped)."""
    user: str | None = None
    memory_types: tuple[MemoryType, ...] = ()
    statuses: tuple[MemoryStatus, ...] = ()
    tiers: tuple[Tier, ...] = ()
    pinned: bool | None = None
    subject: str | None = None
    """Exactly this subject."""
    session: str | None = None
    min_importance: int = 1
    review: bool = False
    """Only those flagged for review."""
    limit: int = 100
    offset: int = 0
    before: tuple[datetime, str] | None = None
    """(created_at, id) of the last one already had: only what a listing shows after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallQuery:
    """What is being asked, by whom, and how signals are weighed."""

    text: str
    scope: Scope
    limit: int = 10
    now: datetime
    """In the person's time zone: what they call "yesterday" is a day of theirs."""
    current_session: str | None = None
    """For conversation continuity."""
    weights: dict[str, float] = field(default_factory=dict)
    """The agent's retrieval weights by signal name; empty uses the defaults."""
    floor: float = 0.0
    """Hits scoring below it are dropped (identity and pinned ones stay)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks by an API key. The home's own person, who needs none, is no requester."""

    key: str
    """The key's id; tokens made from a key ask as that key, another key of its name does not."""
    name: str
    scopes: frozenset[str]

    def may(self, *scopes: str) -> bool:
        """Whether the key has one of these scopes; `admin` stands for all of them."""
        return "admin" in self.scopes or not self.scopes.isdisjoint(scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTool:
    """A tool of a client program, which that program runs itself."""

    name: str
    description: str = ""
    parameters: dict[str, Any]
    """A JSON schema of type object."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What somebody asks an agent for."""

    text: str
    """What the person typed; it may be empty where something is attached."""
    _: KW_ONLY
    session: str | None = None
    """An id, title or `latest`; None begins a new one."""
    begins: str = ""
    """The id that a new conversation is to have, a UUID nothing has yet; empty makes one."""
    agent: str | None = None
    """Slug; `@slug` in the text wins over it."""
    model: str | None = None
    use_memory: bool = True
    interactive: bool = True
    """Somebody may answer approvals; otherwise they are denied at once."""
    key: str | None = None
    """The turn's id, a UUID: asked again with it, also after a crash, the same turn is given and
    nothing runs twice."""
    system: str = ""
    """The person's own instructions for this reply; they stand beside the message and are not
    kept."""
    options: dict[str, Any] | None = None
    """How the model speaks in this reply: `temperature`, `max_tokens`, `top_p`, `seed`, `stop` and
    so on; a name nobody here knows goes to the provider as it is."""
    response_schema: dict[str, Any] | None = None
    """A JSON schema: the reply is JSON that satisfies it, or the turn fails."""
    images: tuple[Image, ...] = ()
    """What is shown with the words: PNG, JPEG, WebP or GIF; 5 MB each and 7 MB in all at most."""
    attachments: tuple[Attachment, ...] = ()
    """Texts that come with the words and are not the person's: read, never obeyed as theirs."""
    zone: str = ""
    """IANA name of the person's time zone, or an offset as `+02:00`; "" is the host's."""
    detach: bool = False
    """It goes on when whoever asked goes away; otherwise it is stopped soon after."""
    folder: str = ""
    """Where an agent that runs on an outside program works, as a whole path; kept for the rest of
    the conversation. Empty: where it worked before, else nowhere."""
    client_context: ClientContext | None = field(default=None, metadata=HOST_ONLY)
    """What a program sends beside the person's words."""
    client_tools: tuple[ClientTool, ...] = field(default=(), metadata=HOST_ONLY)
    """Offered to the model in place of the agent's own; a reply that calls them ends there."""
    tool_choice: str = field(default="auto", metadata=HOST_ONLY)
    """`auto`, `none`, `required`, or the name of the one of them that must be called."""
    requester: Requester | None = field(default=None, metadata=HOST_ONLY)
    """Whose API key asks; None is the home's own person."""
    parent: str | None = field(default=None, metadata=HOST_ONLY)
    """The turn that starts this one, whose events name it."""
    task: str | None = field(default=None, metadata=HOST_ONLY)
    """The task it is done for; its conversation is begun archived, found by its task."""
    origins: tuple[Origin, ...] = field(default=(), metadata=HOST_ONLY)
    """Who wrote `text`, where it was not the person."""
    max_tool_calls: int | None = field(default=None, metadata=HOST_ONLY)
    """So many at most, where the agent's own limit is not lower."""
    chain: tuple[str, ...] = field(default=(), metadata=HOST_ONLY)
    """Who asked whom for what, up to this turn; approvals name it."""

    @property
    def keeps(self) -> bool:
        """Whether what is said may become memory."""
        return self.requester is None or self.requester.may("memory")


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory to be kept."""

    content: str
    _: KW_ONLY
    memory_type: MemoryType = "semantic"
    subject: str | None = None
    importance: int = 8
    agent: str | None = None
    user: str | None = None
    pinned: bool = False
    speaker: str | None = None
    source: Source | None = None
    source_type: SourceType = "explicit"
    expires_at: datetime | None = None
    origins: tuple[Origin, ...] = field(default=(), metadata=HOST_ONLY)
    metadata: dict[str, Any] | None = None
    actor: str = "person"
    reason: str = ""
    key: str | None = None
    """Its id: asked again with it, the memory kept before is given."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in memories and messages, and by whom."""

    query: str
    _: KW_ONLY
    agent: str | None = None
    """None is the person, who sees all of their own."""
    limit: int = 10
    cold: bool = False
    kinds: tuple[ItemKind, ...] = ("memory", "turn")
    memory_types: tuple[MemoryType, ...] = ()
    session: str | None = None
    floor: float = 0.0
