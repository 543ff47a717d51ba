"""What one listener has seen of each turn, so that nothing is told twice and every turn ends.

Events in, events out; no connection and no clock.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from skill_agent.conversations.turn_states import told
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Event,
    HandedOff,
    MemoryRecalled,
    SeatChanged,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.values import TurnState

MOST_ENDED = 1_000

_WITHIN = (TurnStarted, MemoryRecalled, TextDelta, ThoughtDelta, ToolStarted, ToolFinished,
           ApprovalAsked, ApprovalAnswered, TurnFinished, TurnFailed, HandedOff,
           SeatChanged)  # fmt: skip
"""What a turn tells before it has ended; the rest may come later, or in no turn."""


@dataclass(slots=True)
class _Seen:
    """A turn that runs, as far as it was told."""

    session: str = ""
    agent: str = ""
    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    repeated: int = 0
    """Characters of text that are told once more and left out."""
    rethought: int = 0
    """The same of thoughts."""


class Following:
    """The turns of one listener; `turn` is the only one it wants, where it wants only one."""

    def __init__(self, turn: str | None = None) -> None:
        self._turn = turn
        self._open: dict[str, _Seen] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    @property
    def open(self) -> list[str]:
        """Turns that began, or are awaited, and have not ended."""
        awaited = {self._turn} if self._turn and self._turn not in self._ended else set()
        return [*self._open, *(awaited - self._open.keys())]

    def began(self, turn: str) -> bool:
        """Something of this turn was told."""
        return turn in self._open

    def expect(self, turn: str, session: str, agent: str) -> None:
        """A turn was begun whose events may be on their way."""
        if turn not in self._ended:
            self._open.setdefault(turn, _Seen(session, agent))

    def repeating(self) -> None:
        """From here on the turn is told from its beginning again."""
        for seen in self._open.values():
            seen.repeated = sum(map(len, seen.text))
            seen.rethought = sum(map(len, seen.thoughts))

    def take(self, event: Event) -> Event | None:
        """The event, or what of it is new; None where it was told before."""
        turn = event.turn
        if not isinstance(event, _WITHIN) or not turn:
            return event
        if turn in self._ended:
            return None
        seen = self._open.get(turn)
        if isinstance(event, TurnFinished | TurnFailed):
            self._end(turn)
            return event
        if seen is None:
            seen = self._open[turn] = _Seen(event.session, event.agent)
        if isinstance(event, TextDelta):
            seen.repeated, fresh = _fresh(event, seen.repeated, seen.text)
            return fresh
        if isinstance(event, ThoughtDelta):
            seen.rethought, fresh = _fresh(event, seen.rethought, seen.thoughts)
            return fresh
        if event.id in seen.ids:
            return None
        seen.ids.add(event.id)
        return event

    def settle(self, task: TurnState) -> Iterator[Event]:
        """The rest of a turn that has ended elsewhere, and its end; nothing for one that runs."""
        if task.state == "running" or task.id in self._ended:
            return
        text = "".join(self._open.get(task.id, _Seen()).text)
        self._end(task.id)
        end = told(task)
        if isinstance(end, TurnFailed):
            yield end if len(end.text) >= len(text) else replace(end, text=text)
            return
        if end.text.startswith(text) and (rest := end.text[len(text) :]):
            yield TextDelta(session=end.session, turn=end.turn, agent=end.agent, text=rest)
        yield end

    def lose(self, turn: str, why: str) -> Iterator[Event]:
        """Ends a turn nobody knows anything of any more."""
        seen = self._open.get(turn, _Seen())
        if turn in self._ended:
            return
        self._end(turn)
        yield TurnFailed(
            session=seen.session,
            turn=turn,
            agent=seen.agent,
            reason="host_lost",
            message=why,
            hint="ask again",
            text="".join(seen.text),
        )

    def _end(self, turn: str) -> None:
        self._open.pop(turn, None)
        self._ended[turn] = None
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)


Piece = TypeVar("Piece", TextDelta, ThoughtDelta)


def _fresh(event: Piece, repeated: int, told: list[str]) -> tuple[int, Piece | None]:
    """What of a piece was not told yet, added to what was; and how much is still to be repeated."""
    known = min(repeated, len(event.text))
    if known:
        event = replace(event, text=event.text[known:])
    if not event.text:
        return repeated - known, None
    told.append(event.text)
    return repeated - known, event
