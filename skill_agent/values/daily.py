"""A summary of what happened in a span of time, with where each thing in it was said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from .origins import Origin

SummaryMark = Literal["decided", "promised", "open", "due", "done", "failed", "waiting"]
"""`promised` is also what somebody has to do; `due` has its day in the next days; `done` and
`failed` is what agents and jobs did; `waiting` waits for the person's answer."""

SUMMARY_MARKS: tuple[SummaryMark, ...] = get_args(SummaryMark)
"""In the order of a summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPoint:
    """One thing that belongs into a summary."""

    mark: SummaryMark
    text: str
    """The words in which it was said, a day that is named by its distance with its date."""
    worded: str = ""
    """The same as a short note, by a model; empty where there is none or it did not hold."""
    until: str = ""
    """The day it is for, `2026-12-04`; empty where none was named."""
    at: datetime | None = None
    session: str = ""
    message: str = ""
    memory: str = ""
    work: str = ""
    """The task, collaboration, job run or question it is."""
    origins: tuple[Origin, ...] = ()
    private: bool = False
    """Said for one agent's ears alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTalk:
    """A conversation of the span."""

    id: str
    """The session's."""
    title: str
    agent: str
    messages: int
    """The person's, within the span."""
    origins: tuple[Origin, ...] = ()
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummary:
    """What was talked about, decided, promised and left open."""

    text: str
    """All of it as it is read; one line where there was nothing."""
    since: datetime
    until: datetime
    zone: str
    language: str
    by: str = ""
    """The model whose words are among it; empty where all of them are the program's own."""
    talks: tuple[SummaryTalk, ...] = ()
    points: tuple[SummaryPoint, ...] = ()
    unread: int = 0
    """Messages that were too many to be read."""
    private: bool = False
    origins: tuple[Origin, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing happened that is worth telling."""
        return not self.talks and not self.points


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRequest:
    """Which summary somebody wants."""

    since: datetime | None = None
    """None: the beginning of today."""
    until: datetime | None = None
    """None: now."""
    language: str = ""
    """Empty: the one the person wrote most."""
    zone: str = ""
    """Empty: the one the person wrote in last."""
    plain: bool = False
    """In the program's own words, without a model."""
