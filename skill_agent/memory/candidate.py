"""What reading a conversation yields: candidates for memories, not yet compared with any.

How they are found is in `floor` and `extract`; what becomes of them in `intake`.
"""

from dataclasses import dataclass
from datetime import datetime

from skill_agent.values import MemoryType, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One thing a person said that may be worth keeping, as a sentence that stands alone."""

    content: str
    memory_type: MemoryType
    subject: str | None
    """Dotted category, e.g. `user.location`."""
    importance: int
    """1..10 on the scale of `floor`."""
    confidence: float
    """0..1."""
    quote: str
    """The words it rests on, as they stand in the message."""
    source: Source
    said_at: datetime
    speaker: str | None = "user"
    model: str | None = None
    """The model that found it; None is the rule floor."""
    changes: bool = False
    """The sentence itself says that it replaces something."""
    private: bool = False
    """Meant for the agent's eyes alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """Everything found in a stretch of conversation, and how."""

    candidates: tuple[Candidate, ...]
    floor: int = 0
    """How many the rules found."""
    first_pass: int = 0
    """How many the model's first reading added."""
    second_pass: int = 0
    """How many its review added."""
    dropped: int = 0
    """What a model said that did not stand up to a check."""
    model: str = ""
    problem: str = ""
    """Why a model's passes failed; the floor's candidates are kept."""
