"""What the readers find, whatever program it comes from, and what they leave out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

_PROBLEMS = 20
"""Places that are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something said in a conversation."""

    id: str
    """Its own within the conversation, the same at each export."""
    role: Literal["user", "assistant"]
    text: str
    at: datetime | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation."""

    id: str
    title: str
    lines: tuple[Line, ...]
    at: datetime | None = None

    @property
    def first_said(self) -> str:
        """What the person said first; empty where they said nothing."""
        return next((one.text for one in self.lines if one.role == "user"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A memory of another program's, or a section of a note."""

    id: str
    text: str
    at: datetime | None = None
    changed_at: datetime | None = None
    subject: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    """The name of the note it is a section of, as links name it."""
    names: tuple[str, ...] = ()
    """Everything else links may call that note."""
    links: tuple[str, ...] = ()
    """Names of other notes that it links to."""


Item = Talk | Fact
Items = Iterator[Item]


class LeftOut:
    """What a reader could not, or would not, take along; counted, and the first told by place."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.problems: list[str] = []

    def count(self, what: str, many: int = 1) -> None:
        """Of a kind that is never brought in."""
        if many:
            self.counts[what] += many

    def problem(self, what: str, place: str, why: str) -> None:
        """Something that should have come in and could not be read."""
        self.counts[what] += 1
        if len(self.problems) < _PROBLEMS:
            self.problems.append(f"{place}: {why}")
