"""What is being done right now, in one row above the composer that is always there.

It asks for the figures while something goes on; while nothing does it has no timer. With reduced
motion its words and seconds are all that changes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from ...frame.agents import NOBODY, Member
from ...frame.plain import one_line
from ..running_turns import RunningTurns

MOVES, COUNTS = 0.1, 0.5
"""Seconds between two looks: where something moves, and where only seconds go on."""
TURNING = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
STILL = "•"
OPENING = ""
"""In the place of a turn's id: the home is being opened."""


@dataclass(frozen=True, slots=True)
class _Doing:
    member: Member
    words: str
    since: float


class Throbber(Static):
    """Who does what, for how long, how fast; and how to stop it."""

    def __init__(self, *, id: str) -> None:
        super().__init__("", markup=False, id=id)
        self._turns = RunningTurns()
        self._moves: Callable[[], bool] = bool
        self._doing: dict[str, _Doing] = {}
        self._timer: Timer | None = None
        self._at = 0

    def attend(self, turns: RunningTurns, moves: Callable[[], bool]) -> None:
        """Where the figures come from, and whether anything may move."""
        self._turns, self._moves = turns, moves

    @property
    def idle(self) -> bool:
        return self._timer is None

    def busy(self, turn: str, member: Member, words: str) -> None:
        """A turn of the conversation shown is at this."""
        before = self._doing.get(turn)
        if before and (before.member, before.words) == (member, words):
            return  # as with each piece of a reply
        since = before.since if before else self._turns.seconds()
        self._doing[turn] = _Doing(member, words, since)
        if self._timer is None:
            self._timer = self.set_interval(MOVES if self._moves() else COUNTS, self._step)
        self.refresh()

    def over(self, turn: str) -> None:
        """It is at nothing any more."""
        if self._doing.pop(turn, None) is not None:
            self._rest()

    def clear(self) -> None:
        """Another conversation is shown."""
        self._doing.clear()
        self._rest()

    def _rest(self) -> None:
        if not self._doing and self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.refresh()

    def _step(self) -> None:
        self._at += 1
        self.refresh()

    def render(self) -> Content:
        if not self._doing:
            return Content("")
        turn, doing = next(iter(self._doing.items()))
        pace = self._turns.pace(turn)
        since = pace.begun if pace else doing.since
        seconds = math.floor(self._turns.seconds() - since)
        speed = pace.speed if pace else 0.0
        parts = [
            f"{seconds} s" if seconds else "",
            f"{speed:.0f} tok/s" if speed >= 1 else "",
            "Esc stops" if turn != OPENING else "",
        ]
        colour = f"${doing.member.accent.replace('accent-', 'agent-')}"
        if doing.member is NOBODY:
            colour = "$accent"
        mark = TURNING[self._at % len(TURNING)] if self._moves() else STILL
        told = one_line(f" {doing.words}".rstrip(), 120)
        return Content.assemble(
            (f"{mark} ", f"bold {colour}"),
            (doing.member.name, f"bold {colour}"),
            (f" {told}" if doing.member.name else told, "$foreground-muted"),
            ("".join(f" · {one}" for one in parts if one), "$foreground-muted"),
        )
