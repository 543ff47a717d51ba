"""What operations give back."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from .nouns import (
    FailureReason,
    Finish,
    Memory,
    Message,
    Rating,
    Session,
    ToolCall,
    Usage,
)
from .origins import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What a bulk insert did."""

    added: int = 0
    skipped: int = 0
    """Already there, identical."""
    conflicts: tuple[str, ...] = ()
    """Ids that exist with other content; left alone."""
    demoted: int = 0
    """Of those added, how many say less than what was brought."""


Signed = Literal["no", "own", "other"]
"""Whose signature a file bears: nobody's, this home's, that of the key a person named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What an import would bring in, counted, and what of it would not come in as it is."""

    memories: dict[str, int] = field(default_factory=dict)
    """By type."""
    pinned: int = 0
    sessions: int = 0
    messages: dict[str, int] = field(default_factory=dict)
    """By role."""
    notes: dict[str, int] = field(default_factory=dict)
    """By kind."""
    there: int = 0
    """How many of the memories and sessions are here already."""
    demoted: dict[str, int] = field(default_factory=dict)
    """Memories that come in as less than they say, by what they do not become: `identity`,
    `user_profile`, `shared`, `pinned`, `importance`."""
    refused: dict[str, int] = field(default_factory=dict)
    """What does not come in at all, in words."""
    unknown_agents: tuple[str, ...] = ()
    """Named in it, and not in the team here."""
    signed: Signed = "no"
    trusted: bool = False
    """Everything comes in as it is."""

    def plus(self, other: "ImportPlan") -> "ImportPlan":
        """Both together, for what is looked at in pieces."""
        names = {*self.unknown_agents, *other.unknown_agents}
        return ImportPlan(
            memories=_sum(self.memories, other.memories),
            pinned=self.pinned + other.pinned,
            sessions=self.sessions + other.sessions,
            messages=_sum(self.messages, other.messages),
            notes=_sum(self.notes, other.notes),
            there=self.there + other.there,
            demoted=_sum(self.demoted, other.demoted),
            refused=_sum(self.refused, other.refused),
            unknown_agents=tuple(sorted(names)),
            signed=self.signed,
            trusted=self.trusted,
        )


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What `verify` found; `problems` empty means the ledger is whole."""

    rows: int
    memories: int
    messages: int
    problems: tuple[str, ...] = ()


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
    reranker: str = ""
    """What looks a second time at what was found; empty where nothing does."""
    reranking_problem: str = ""
    """Why the last search went without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCoverage:
    """What memory can do in a language."""

    id: str
    """Its ISO 639-1 code."""
    messages: int
    """That were lately said in it."""
    share: float
    """Of all that were."""
    rules: tuple[str, ...]
    """What its file holds: `remember`, `words`, `time`, `changes`, `facts`, `standing`."""
    embedder: bool | None
    """Whether the one that recall goes by knows it; None where nobody can tell."""
    model: bool | None
    """Whether the default chat model does."""
    advice: tuple[str, ...] = ()
    """Commands that would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserExport:
    """What an export holds."""

    path: Path
    counts: dict[str, int]
    """`sessions`, `messages`, `memories`, `notes`, `usage`."""
    key: str = ""
    """The public key of this home: another one trusts the file if a person names it there."""
    masked: int = 0
    """Credentials that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserImport:
    """What an import added, found there already, and left alone."""

    added: dict[str, int]
    skipped: dict[str, int]
    conflicts: tuple[str, ...]
    """Ids that exist with other content, or messages whose place another has."""
    plan: ImportPlan
    """What the file held, what came in as less and what stayed out."""


PageFormat = Literal["claude", "markdown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One exported document."""

    agent: str
    path: str
    format: PageFormat
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What an export or a refresh did."""

    written: tuple[Page, ...] = ()
    edited: tuple[str, ...] = ()
    """Paths of pages that were changed by others and left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedClient:
    """A process that works through this host."""

    name: str
    pid: int
    first_seen: datetime
    last_seen: datetime
    streams: int
    """Streams of events and WebSockets it has open now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """A host, as `ska status` tells of it."""

    id: str
    """The home's path."""
    pid: int
    role: str
    """`up`, `tui`, `chat`, `serve`, or the command that became host by being there first."""
    version: str
    since: datetime
    socket: str
    """Empty while it is not open."""
    addresses: tuple[str, ...]
    """TCP addresses, `host:port`."""
    clients: tuple[AttachedClient, ...]
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A memory that went into a rated reply."""

    memory: Memory
    old: int
    """Importance before and after."""
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackResult:
    """What a rating did."""

    message: Message
    """The reply."""
    rating: Rating
    memories: tuple[Rated, ...]
    """Everything recalled for it; those left alone have the same importance before and after."""
    flagged: tuple[str, ...]
    """Ids of memories that stand below importance 3 now and should be looked at."""
    repeated: bool = False
    """The reply had this rating already, so nothing was done."""

    @property
    def changed(self) -> tuple[Rated, ...]:
        return tuple(one for one in self.memories if one.old != one.new)


UsageBy = Literal["day", "agent", "model", "session", "tier", "strategy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What was consumed on one day, or by one agent, by a model, in a conversation and so on."""

    id: str
    """The day (YYYY-MM-DD), the agent's slug, the model's name, the conversation's id, the tier or
    the strategy the agent was chosen by; empty for what belongs to none."""
    turns: int = 0
    calls: int = 0
    """Of models; not counted before each was noted."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    """Calls no price is known for: it cost more than `cost_usd`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an agent may spend, and has spent; held is what calls that run may come to cost."""

    id: str
    """The agent's slug."""
    name: str = ""
    daily_usd: float = 0.0
    monthly_usd: float = 0.0
    spent_today_usd: float = 0.0
    spent_month_usd: float = 0.0
    held_usd: float = 0.0
    left_today_usd: float = 0.0
    """Of the day's money, as far as the month's reaches; never less than nothing."""
    left_month_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSession(Session):
    """A conversation that fits what somebody looks for."""

    hit: str = ""
    """The place in its newest message that holds the text; empty where only the title fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTotals:
    """What was consumed, with the number of turns."""

    last: Usage
    today: Usage
    total: Usage
    turns: int
    rows: tuple[UsageRow, ...] = ()
    """By what was asked for; nothing where nothing was."""
    budgets: tuple[Budget, ...] = ()
    """What each agent may still spend; told with rows."""


TurnStatus = Literal["running", "finished", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnState:
    """A turn as work. `interrupted` is one whose process died: its message is kept, it does not
    run and is never run again."""

    id: str
    """The turn."""
    kind: Literal["turn"] = "turn"
    state: TurnStatus
    session: str
    agent: str
    started_at: datetime
    """When the person's message was saved."""
    words: str = ""
    """How that message begins."""
    by: str = ""
    """Who asked, while it is known: an API key's name, or `COMMAND/PROCESS` of an attached window;
    empty for the process of the host itself."""
    message_id: str | None = None
    """The reply, whole or what was kept of it."""
    text: str = ""
    """Of that reply."""
    usage: Usage | None = None
    finish: Finish = "stop"
    """Why that reply ended; `stop` also where that was not yet kept."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Of a client program's tools, for that program to carry out."""
    reason: FailureReason | None = None
    """Why it failed, as far as it is known."""
    problem: str = ""
    """That in words, with what to do next in `hint`."""
    hint: str = ""
    notices: tuple[str, ...] = ()
    """Warnings that were told with it."""
    saved: tuple[str, ...] = ()
    """Ids of what it put into memory because the person asked for it."""
    ended_at: datetime | None = None


JobState = Literal["waiting", "running", "failed", "done"]
Trigger = Literal["messages", "idle", "closed", "compaction", "asked", "turn", "import"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionJob:
    """A stretch of a session to be read for memories."""

    id: str
    session: str
    agent: str
    start: int
    """Position of its first message."""
    end: int
    """Position after its last message."""
    trigger: Trigger
    state: JobState = "waiting"
    queued_at: datetime
    attempts: int = 0
    next_try: datetime | None = None
    """When a failed one is tried again; None for one that waits to be asked for."""
    error: str = ""
    passes: int = 0
    """How often a model read it; 0 is the rules alone."""
    model: str = ""
    created: int = 0
    versioned: int = 0
    disputed: int = 0
    skipped: int = 0
    ended_at: datetime | None = None


Chore = Literal["consolidate", "expire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoreStatus:
    """When a chore ran, when it is due, what it did in all its runs."""

    id: Chore
    runs: int
    last_run: datetime | None
    next_run: datetime
    """When its job is due; a moment in the past is due now."""
    totals: dict[str, int] = field(default_factory=dict)
    is_running: bool = False
    interval_hours: int
    last_run_time: datetime | None
    """As `last_run`."""
    next_run_time: datetime
    """As `next_run`."""
    total_cleanups: int
    """As `runs`."""
    total_deleted: int
    """What it archived, or superseded by something that says the same, in all its runs."""


ActionKind = Literal["merged", "summarised", "promoted", "demoted", "fading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing done, or to be done."""

    kind: ActionKind
    ids: tuple[str, ...]
    """The memories it was done to."""
    text: str
    """What stands in their place, or what they say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidationReport:
    """What a run did, or would have."""

    dry_run: bool
    actions: tuple[Action, ...]
    left_alone: int
    """Batches given up because somebody else changed a memory meanwhile."""
    seconds: float

    def count(self, kind: ActionKind) -> int:
        return sum(len(one.ids) for one in self.actions if one.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryReport:
    """What ran out, or would have."""

    dry_run: bool
    expired: tuple[Memory, ...]
    left_alone: int = 0
    """Changed by somebody else meanwhile."""
    success: bool = True
    deleted_count: int = 0
    """How many were archived; none in a dry run."""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingApproval:
    """A question that waits for somebody's decision."""

    id: str
    agent: str
    session: str
    turn: str
    tool: str
    arguments: dict[str, Any]
    rule: str
    """What `always` would store."""
    reason: str
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote what the model was told before it asked."""
    chain: tuple[str, ...] = ()
    """Who asked whom for what, where an agent works for another one."""
    since: datetime
    expires: datetime
    """When it is denied if nobody answers."""
