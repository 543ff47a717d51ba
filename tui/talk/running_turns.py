"""Which turns run where, and what was heard of each; for coming back to a conversation.

Turns of other windows count like one's own. Nothing is asked or drawn here.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skill_agent.events import Event

_LETTERS = 4
"""Of a token, where a piece holds several."""
_RATED = 1.0
"""Seconds of writing before a speed says anything."""

MOST_OVER = 1_000
"""Ended turns kept in mind, so that nothing late or twice is shown of them."""


@dataclass(slots=True)
class Pace:
    """How long a turn runs and how fast it writes, by the clock of this window."""

    begun: float
    tokens: float = 0
    """What has come, guessed: a piece is a token, or one for every four letters."""
    first: float = 0.0
    last: float = 0.0
    """When its first and its last piece came."""

    @property
    def speed(self) -> float:
        """Tokens a second while it writes; 0 where that is not known yet."""
        took = self.last - self.first
        return self.tokens / took if took >= _RATED else 0.0

    def wrote(self, text: str, now: float) -> None:
        self.first = self.first or now
        self.last, self.tokens = now, self.tokens + max(1, len(text) / _LETTERS)


@dataclass(slots=True)
class _Turn:
    session: str
    pace: Pace
    heard: "list[Event]" = field(default_factory=list)


class RunningTurns:
    """The turns one knows to run."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._turns: dict[str, _Turn] = {}
        self._own: set[str] = set()
        self._over: OrderedDict[str, None] = OrderedDict()

    def own(self, turn: str) -> bool:
        """Whether this window asked for it."""
        return turn in self._own

    def claim(self, turn: str) -> None:
        """This window asks for it now."""
        self._own.add(turn)

    def begin(self, turn: str, session: str) -> None:
        if turn not in self._over:
            self._turns.setdefault(turn, _Turn(session, Pace(self.seconds())))

    def hear(self, event: "Event") -> None:
        """Keeps an event of a turn, which so is known to run."""
        self.begin(event.turn, event.session)
        if (one := self._turns.get(event.turn)) is not None:
            one.heard.append(event)

    def wrote(self, turn: str, text: str) -> None:
        """A piece of its reply, or of what it thinks, has come."""
        if (one := self._turns.get(turn)) is not None:
            one.pace.wrote(text, self.seconds())

    def pace(self, turn: str) -> Pace | None:
        """Of a turn that runs."""
        return self._turns[turn].pace if turn in self._turns else None

    def end(self, turn: str) -> None:
        self._turns.pop(turn, None)
        self._over[turn] = None
        while len(self._over) > MOST_OVER:
            self._own.discard(self._over.popitem(last=False)[0])

    def over(self, turn: str) -> bool:
        return turn in self._over

    def known(self, turn: str) -> bool:
        return turn in self._turns

    def session(self, turn: str) -> str:
        """Of a turn that runs."""
        return self._turns[turn].session

    def all(self) -> list[str]:
        return list(self._turns)

    def of(self, session: str) -> list[str]:
        """The conversation's running turns, the one that is answered now first."""
        return [turn for turn, one in self._turns.items() if one.session == session]

    def heard(self, turn: str) -> "list[Event]":
        """What was heard of it so far; nothing of one that does not run."""
        return list(self._turns[turn].heard) if turn in self._turns else []
