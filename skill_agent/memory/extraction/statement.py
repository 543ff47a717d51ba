"""The values extraction works on: what was stated, and what may become a memory of it.

Nothing here is compared with what is stored; what becomes of a candidate is decided in `intake`.
"""

from dataclasses import dataclass
from datetime import datetime

from skill_agent.text.language import ENGLISH
from skill_agent.values import MemoryType, Message, Origin, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence of a person's message, with what it cannot be understood without."""

    text: str
    """As it stands in the message."""
    message: Message
    before: str = ""
    """The sentence it leans on, which stands right before it in the message."""
    question: str = ""
    """What the assistant had asked just before, where the sentence is a short answer."""
    languages: tuple[str, ...] = (ENGLISH,)
    """What it may be written in, the likeliest first: a short sentence does not tell."""
    private: bool = False
    """Meant for the agent's eyes alone."""
    invented: bool = False
    """Supposed, quoted, or said in a message that works on a text: it tells nothing of the
    person."""
    led: bool = False
    """Behind a colon, so that it may be another's: nothing is certain by it."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote of the message and of that question."""

    @property
    def told(self) -> str:
        """The person's words, so that they can be read alone."""
        said = f"{self.before} {self.text}" if self.before else self.text
        return f"{self.question} — {said}" if self.question else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One thing a person said that may be worth keeping."""

    content: str
    memory_type: MemoryType
    subject: str | None
    """Dotted category, e.g. `user.location`."""
    importance: int
    """1..10: 10 asked for, 9 who somebody is, 8 what stands for years, 7 a decision, 6 a deadline
    or requirement, 5 useful, 4 mild, 3 the rest."""
    confidence: float
    """0..1."""
    quote: str
    """The words it rests on, as they stand in the message."""
    source: Source
    said_at: datetime
    speaker: str | None = "user"
    model: str | None = None
    """The model that found it; None is a certain pattern."""
    private: bool = False
    """Meant for the agent's eyes alone."""
    team: bool = False
    """It concerns the team, a project or the company."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote of what it was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """Everything found in a stretch of conversation, and how."""

    candidates: tuple[Candidate, ...]
    certain: int = 0
    """How many patterns found."""
    judged: int = 0
    """How many a model added."""
    dropped: int = 0
    """What a model did not think worth keeping, or said without its being there."""
    passes: int = 0
    """How often a model read it."""
    model: str = ""
    problem: str = ""
    """Why a model's reading failed; what was found until then is kept."""
