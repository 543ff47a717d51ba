"""What a ledger erases, finds or takes in whole for a person, and what it answers; values only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .nouns import Memory, Message, Session
from .results import ImportResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """What is to be erased for good; ids that are not there (any more) are passed over."""

    memories: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    """With the data blocks and other notes about them."""
    notes: tuple[int, ...] = ()
    """Sequences of further log rows to be emptied: notes, or changes of a memory that stays."""
    titles: dict[str, str] = field(default_factory=dict)
    """By session, its title from now on; every earlier one is erased."""
    sessions: tuple[str, ...] = ()
    """Sessions that go whole: their messages and the notes about them."""
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeResult:
    """What a purge found to erase."""

    memories: int = 0
    messages: int = 0
    sessions: int = 0
    rows: int = 0
    """Log rows that lost their content."""
    problem: str = ""
    """Why the old bytes are still in the file; the next opening tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """Where a phrase stands, word for word, ignoring case and the spaces between its words."""

    memories: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    """In the text or a tool call."""
    notes: frozenset[int] = frozenset()
    """Sequences of log rows that are not about a memory's or a session's own state."""
    changes: dict[int, str] = field(default_factory=dict)
    """Sequences of rows of a memory's story, with the memory's id."""
    titles: frozenset[str] = frozenset()
    """Sessions that bear it, or once bore it, as a title."""
    fixed: frozenset[int] = frozenset()
    """Rows of an older ledger whose reason holds it: that is hashed and cannot be erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A log row that changes nothing, on its way from one ledger to another."""

    kind: str
    entity: str
    actor: str
    at: datetime
    data: dict[str, Any]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Everything of a person's, with ids, times and positions."""

    sessions: tuple[Session, ...] = ()
    messages: tuple[Message, ...] = ()
    """Without their data blocks: those are notes of kind `recalled`."""
    memories: tuple[Memory, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BelongingsResult:
    """What became of each part of an import."""

    sessions: ImportResult
    messages: ImportResult
    memories: ImportResult
    notes: ImportResult
