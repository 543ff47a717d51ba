"""The values extraction works on: what was stated, and what may become a memory of it.

Nothing here is compared with what is stored; what becomes of a candidate is decided in `intake`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from skill_agent.values import MemoryType, Message, Origin, Source

if TYPE_CHECKING:
    from skill_agent.memory.english.clauses import Clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A clause of a user's message and what stands around it."""

    clause: "Clause"
    message: Message
    question: str = ""
    """What the assistant had asked just before; only the first clause of a message answers it."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote of the message and of that question."""
    said: str = ""
    """What the person said in the two messages before."""
    previous: "Statement | None" = None
    """The statement before, if it is of this message or the one before."""
    known: bool = False
    """The rules read nearly all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One thing a person said that may be worth keeping, as a sentence that stands alone."""

    content: str
    memory_type: MemoryType
    subject: str | None
    """Dotted category, e.g. `user.location`."""
    importance: int
    """1..10 on the scale of `rule_reading`."""
    confidence: float
    """0..1."""
    quote: str
    """The words it rests on, as they stand in the message."""
    source: Source
    said_at: datetime
    speaker: str | None = "user"
    model: str | None = None
    """The model that found it; None is the rules."""
    changes: bool = False
    """The sentence itself says that it replaces something."""
    private: bool = False
    """Meant for the agent's eyes alone."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote of what it was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """Everything found in a stretch of conversation, and how."""

    candidates: tuple[Candidate, ...]
    by_rules: int = 0
    """How many the rules found."""
    first_pass: int = 0
    """How many the model's first reading added."""
    second_pass: int = 0
    """How many its review added."""
    dropped: int = 0
    """What a model said that did not stand up to a check."""
    model: str = ""
    problem: str = ""
    """Why a model's passes failed; what the rules found is kept."""
