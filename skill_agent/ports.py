"""What the core asks of the outside world, as Protocols; no implementation lives here."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from .belongings import Belongings, BelongingsResult, Occurrences, Purge, PurgeResult
from .projections import Projection, State
from .values import (
    Access,
    Delta,
    Hit,
    LogEntry,
    Memory,
    MemoryStatus,
    MemoryType,
    Message,
    ModelInfo,
    Role,
    Scope,
    Session,
    Similar,
    Tier,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    import numpy as np

Clock = Callable[[], datetime]
"""Gives now, in UTC; injected so that tests own time."""

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what); total 0 is unknown."""


# -- models ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message as a model reads it."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as a model is told of it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call of a model."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    response_schema: dict[str, Any] | None = None
    """A JSON schema the whole reply must satisfy."""
    temperature: float = 0.7
    max_tokens: int = 1024
    overrides: dict[str, Any] = field(default_factory=dict)
    """Provider-specific parameters, passed through."""
    background: bool = False
    """Nobody waits for it; what a person's conversation has made hot stays hot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """The next piece of the model's reply."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPart:
    """A complete tool call."""

    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPart:
    """Something worth telling while one waits ("loading the model", "falling back to …")."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPart:
    """The last part of every stream that did not raise."""

    usage: Usage
    finish: Literal["stop", "length", "tool_calls"] = "stop"


ModelPart = TextPart | ToolPart | StatusPart | EndPart


class Model(Protocol):
    """A chat model. Closing the iterator early stops the generation at once.

    Raises ModelUnavailable, ModelRejected or ModelFailed.
    """

    @property
    def info(self) -> ModelInfo: ...

    async def load(self) -> None:
        """Whatever takes seconds before a first call: reading weights, importing a client."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]: ...

    async def prefill(self, request: ModelRequest) -> None:
        """Make the request's system message and tools hot ahead of its first use.

        A remote model does nothing. Never raises for want of a cache.
        """
        ...

    async def count_tokens(self, text: str) -> int: ...


class ModelGateway(Protocol):
    """Where models come from."""

    async def model(self, name: str, *, prefer: str = "") -> Model:
        """The model for `provider/model`, a role or `default`, with its fallback chain.

        Cheap: nothing heavy is imported or loaded before the first call of the model.
        Raises NotFound for an unknown embedded name.
        """
        ...

    def catalogue(self) -> list[ModelInfo]:
        """Embedded models known, and the remote ones named in config."""
        ...

    async def close(self) -> None: ...


class Embedder(Protocol):
    """Text to unit vectors."""

    @property
    def name(self) -> str:
        """Identifies model and variant; another name means another vector space."""
        ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """float32 array (len(texts), dimensions), rows of length 1. Blocking; call in a thread."""
        ...


# -- the stores ------------------------------------------------------------------------------


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
class ImportResult:
    """What a bulk insert did."""

    added: int = 0
    skipped: int = 0
    """Already there, identical."""
    conflicts: tuple[str, ...] = ()
    """Ids that exist with other content; left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What `verify` found; `problems` empty means the ledger is whole."""

    rows: int
    memories: int
    messages: int
    problems: tuple[str, ...] = ()


class Ledger(Protocol):
    """The truth: sessions, messages and the append-only log. Returning means on disk."""

    async def create_session(self, session: Session) -> Session: ...
    async def session(self, session_id: str) -> Session | None: ...
    async def sessions(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        archived: bool = False,
        before: tuple[datetime, str] | None = None,
    ) -> list[Session]:
        """Newest activity first; `before` is (updated_at, id) of the last one already had."""
        ...

    async def rename_session(self, session_id: str, title: str, *, actor: str) -> None: ...
    async def set_session_agent(self, session_id: str, agent: str) -> None: ...
    async def archive_session(self, session_id: str, *, actor: str) -> None:
        """Takes a session off the list and its turns out of recall; nothing is erased."""
        ...

    async def save_message(self, message: Message) -> Message:
        """Gives the message its position; raises StoreError for an unknown session."""
        ...

    async def message(self, message_id: str) -> Message | None: ...
    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> list[Message]:
        """In order, of positions greater than `after`; `last` > 0 keeps only that many from the
        end, `limit` > 0 from the beginning."""
        ...

    async def turn(self, turn_id: str) -> list[Message]:
        """A turn's messages in order, as `messages` gives them; empty for an unknown turn."""
        ...

    async def search_messages(
        self, text: str, *, limit: int = 50, agent: str | None = None
    ) -> list[Message]:
        """Messages containing the text, ignoring case, newest first."""
        ...

    async def write_memories(self, changes: Sequence[MemoryChange]) -> list[Memory]:
        """All or none; each change is one log row."""
        ...

    async def import_memories(self, memories: Sequence[Memory], *, actor: str) -> ImportResult:
        """One transaction, built for thousands of rows; idempotent by id."""
        ...

    async def memory(self, memory_id: str) -> Memory | None:
        """By id or unambiguous prefix of at least 6 characters; raises NotFound if ambiguous."""
        ...

    async def memories_by_id(self, ids: Sequence[str]) -> dict[str, Memory]:
        """Those that exist, by exact id."""
        ...

    async def memories(self, wanted: MemoryFilter) -> list[Memory]:
        """Newest first."""
        ...

    async def messages_by_id(self, ids: Sequence[str]) -> dict[str, Message]:
        """Those that exist, by exact id, without their data blocks."""
        ...

    async def accesses(self, ids: Sequence[str], *, since: datetime) -> dict[str, Access]:
        """How often each entered a prompt (`recalled` rows naming it), and since a moment; ids
        that never did are left out."""
        ...

    async def note(
        self, kind: str, entity: str, *, actor: str, reason: str = "", data: dict[str, Any]
    ) -> int:
        """A log row that changes no memory (recalled, usage, approval …); returns its seq.

        Kind `recalled` has a message as entity and the data `session`, `memories` (item ids) and
        `block`; `messages` gives the block back as `Message.context`.
        """
        ...

    async def log(
        self,
        entity: str | None = None,
        *,
        kinds: tuple[str, ...] = (),
        after: int = 0,
        limit: int = 1000,
    ) -> list[LogEntry]:
        """In order of sequence. `recalled` rows naming a memory belong to its log too."""
        ...

    async def projected(self, projection: Projection, keys: Sequence[str]) -> dict[str, State]:
        """The states of those keys that have one, as of the last row."""
        ...

    async def state_at(self, moment: datetime) -> list[Memory]:
        """Every memory as it was then, rebuilt from the log alone."""
        ...

    async def delta(self, after: int, *, limit: int = 2000) -> Delta:
        """What changed after a sequence, each entity once in its newest state."""
        ...

    async def last_seq(self) -> int: ...
    async def occurrences(self, phrases: Sequence[str]) -> dict[str, Occurrences]:
        """Where each phrase stands, by phrase; reads everything, so it takes its time."""
        ...

    async def purge(self, purge: Purge) -> PurgeResult:
        """Erases in one transaction, then makes the file anew so that no byte of it stays.

        The chain still verifies: rows keep their digests and lose what they said.
        """
        ...

    async def import_belongings(self, belongings: Belongings, *, actor: str) -> BelongingsResult:
        """One transaction; what exists already is left alone, so it may be repeated. Notes keep
        their time as `LogEntry.at`."""
        ...

    async def verify(self) -> VerifyReport: ...
    async def backup(self, target: str) -> None:
        """A consistent copy into a new database file, made by the database itself."""
        ...

    async def counts(self) -> dict[str, int]:
        """`sessions`, `messages`, `memories`, `log`."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallQuery:
    """What is being asked, by whom, and how signals are weighed."""

    text: str
    scope: Scope
    limit: int = 10
    now: datetime
    current_session: str | None = None
    """For conversation continuity."""
    weights: dict[str, float] = field(default_factory=dict)
    """The agent's retrieval weights by signal name; empty uses the defaults."""
    floor: float = 0.0
    """Hits scoring below it are dropped (identity and pinned ones stay)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding:
    """How far an index is with the vectors of another embedder, which take over once whole."""

    done: int
    total: int
    """Items; they grow while it runs."""
    old: str
    """Name of the embedder that answers meanwhile."""
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """What a person may want to know of the index."""

    embedder: str
    """Whose vectors answer now."""
    lag: int
    """Log rows not seen yet."""
    problem: str = ""
    """Why it does not follow the ledger, or goes by words alone; empty while all is well."""
    rebuilding: Rebuilding | None = None


class MemoryIndex(Protocol):
    """A projection of the ledger for recall; may be deleted and rebuilt at any time."""

    @property
    def embedder(self) -> str:
        """Name of the embedder whose vectors answer now."""
        ...

    @property
    def problem(self) -> str:
        """Why recall goes by words alone; empty while it does not."""
        ...

    @property
    def rebuilding(self) -> Rebuilding | None:
        """How far the vectors of a newly chosen embedder are; None while none are wanted."""
        ...

    async def rebuilt_to(self) -> int:
        """Highest ledger sequence in the vectors being built; 0 where there are none."""
        ...

    async def grow(self, delta: Delta) -> None:
        """Applies what follows `rebuilt_to` to the vectors being built, which take over once they
        have seen all the serving ones have. Raises ModelUnavailable."""
        ...

    async def scrub(self) -> None:
        """Afterwards no file of the index, nor its copy in memory, holds a byte of anything removed
        or replaced. Raises OSError where an old file cannot be deleted."""
        ...

    async def watermark(self) -> int:
        """Highest ledger sequence reflected; 0 for a new index."""
        ...

    async def apply(self, delta: Delta, progress: Progress | None = None) -> None:
        """Upserts and removes, idempotently, and moves the watermark to `up_to`."""
        ...

    async def recall(self, query: RecallQuery) -> list[Hit]:
        """Best first, at most `query.limit`, visibility enforced inside the query."""
        ...

    async def similar(
        self, texts: Sequence[str], *, scope: Scope, limit: int = 8
    ) -> list[list[Similar]]:
        """For each text the memories in scope nearest to it, best first, compared bare: cosine of
        the texts alone. Without an embedder: the share of word stems they have in common."""
        ...

    async def near_pairs(self, *, above: float, scope: Scope) -> list[tuple[str, str, float]]:
        """Pairs of memories in scope whose bare texts are nearer than `above`, nearest first."""
        ...

    async def tend(self) -> None:
        """Compaction and ANN building; called by the host when idle."""
        ...

    async def reset(self) -> None:
        """Empties the index; the next `apply` starts from 0."""
        ...

    async def counts(self) -> dict[str, int]: ...
    async def close(self) -> None: ...


# -- tools -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What a tool gives back to the model, and whether the outside world wrote it."""

    text: str
    untrusted: bool = False


class Tool(Protocol):
    """Something an agent can do. Raises ToolFailed for what the model should read."""

    @property
    def spec(self) -> ToolSpec: ...

    def rule(self, arguments: dict[str, Any]) -> str:
        """The exact rule `always` would store for such a call, e.g. `http_get:example.org`."""
        ...

    def needs_approval(self, arguments: dict[str, Any], *, user_text: str, tainted: bool) -> str:
        """Why a person must allow this call; empty when it may run.

        `tainted` says that text of outside origin is in the context since the user spoke.
        """
        ...

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome: ...
