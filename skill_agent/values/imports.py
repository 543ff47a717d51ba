"""What is brought in from other programs: what is asked for, what was found, what became of it."""

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Literal, get_args

from .erasures import digest_of

PastSource = Literal["chatgpt", "claude", "claude-code", "mem0", "letta", "markdown", "obsidian"]
PAST_SOURCES: tuple[PastSource, ...] = get_args(PastSource)

BatchState = Literal["unfinished", "reading", "done", "undone"]
"""`unfinished`: cut short, the same import goes on with it; `reading`: some of its conversations
wait to be read for memories."""


@dataclass(frozen=True, slots=True)
class PastRequest:
    """A file or folder of another program, to be brought in."""

    path: str
    _: KW_ONLY
    source: PastSource
    agent: str = ""
    """Whose the conversations become; empty is the default agent."""
    read: bool = True
    """Whether its conversations are read for memories in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPlan:
    """What a file or folder of another program holds."""

    source: PastSource
    conversations: int = 0
    messages: dict[str, int] = field(default_factory=dict)
    """By role."""
    memories: int = 0
    """Kept there as memories, or sections of notes."""
    there: int = 0
    """How many of the conversations and memories are here already."""
    left_out: dict[str, int] = field(default_factory=dict)
    """What does not come in, in words."""
    problems: tuple[str, ...] = ()
    """The first places that could not be read, and why."""
    first: datetime | None = None
    last: datetime | None = None
    languages: dict[str, int] = field(default_factory=dict)
    """Of the first conversations and memories, by ISO 639-1 code."""
    titles: tuple[str, ...] = ()
    """The first ones."""
    goes_on: str = ""
    """The batch that was cut short and would be finished; empty where a new one begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBatch:
    """What came in at once, and can be taken out again at once."""

    id: str
    source: str
    path: str
    at: datetime
    state: BatchState
    conversations: int = 0
    messages: int = 0
    memories: int = 0
    stretches: int = 0
    """Parts of its conversations that are to be read for memories."""
    unread: int = 0
    """How many of them wait, or are being read."""
    failed: int = 0
    """How many could not be read so far."""
    confirmed_at: datetime | None = None
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUndo:
    """What undoing a batch takes away, and what it leaves."""

    id: str
    sessions: tuple[str, ...] = ()
    messages: int = 0
    memories: tuple[str, ...] = ()
    """Those that came in, and those read from its conversations."""
    kept: dict[str, int] = field(default_factory=dict)
    """What stays, by why."""

    @property
    def digest(self) -> str:
        """Of everything that goes: another plan's differs."""
        return digest_of([*self.sessions, *self.memories, str(self.messages)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """What nobody has vouched for yet, of a batch or a single memory."""

    id: str
    """Of the batch, or of the memory."""
    memories: int = 0
    sample: tuple[str, ...] = ()
    """What some of them say."""
