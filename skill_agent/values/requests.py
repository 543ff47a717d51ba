"""What is asked of a store, as values."""

from dataclasses import dataclass, field
from datetime import datetime

from .nouns import (
    Memory,
    MemoryStatus,
    MemoryType,
    Scope,
    Tier,
)


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
    current_session: str | None = None
    """For conversation continuity."""
    weights: dict[str, float] = field(default_factory=dict)
    """The agent's retrieval weights by signal name; empty uses the defaults."""
    floor: float = 0.0
    """Hits scoring below it are dropped (identity and pinned ones stay)."""
