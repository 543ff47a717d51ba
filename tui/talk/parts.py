"""What every part of the talk screen stands on: its widgets, the open home, who answers.

The screen is made in layers, each with the keys and messages of one idea: `counting` (what waits
elsewhere), `choosing` (who answers, which conversation), `writing`, `reading`, `revisiting` (what
is done with a message), and `screen`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.timer import Timer

from ..frame.agents import NOBODY, AgentList
from ..frame.status import Figures
from .foot.approvals import ApprovalBar
from .foot.composer import Composer
from .foot.footer import Footer
from .foot.outbox import Outbox
from .foot.questions import QuestionBar
from .foot.throbber import Throbber
from .looked import Looked
from .running_turns import RunningTurns
from .shown.conversation import Conversation

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

    from .asking import Asking
    from .listener import Listener
    from .sender import Sender
    from .shown.turn_view import TurnView


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHome:
    """What there is once the home is open."""

    runtime: "Workstation"
    listener: "Listener"
    sender: "Sender"
    asking: "Asking"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TalkParts(Screen[None]):
    """The widgets and what is known."""

    def __init__(
        self,
        outbox: Outbox,
        early: str,
        folder: str = "",
        seconds: Callable[[], float] = time.monotonic,
        *,
        looked: Looked,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`seconds` is the clock by which is told how long something goes on."""
        super().__init__()
        self._outbox, self._folder = outbox, folder
        self.looked, self.now = looked, now
        self.turns = RunningTurns(seconds)
        self._key = early
        """Whose draft the composer holds: a session id, `new`, or a name for before opening."""
        self._home: OpenHome | None = None
        self._agents = AgentList()
        self._member = NOBODY
        self._models: dict[str, str] = {}
        """The model that was chosen for one talk, by the talk's key, in this window."""
        self._view: TurnView | None = None
        self._slow = False
        """Whether what is on its way is shown, for it takes long."""
        self._waking: Timer | None = None

    def _opened(self) -> OpenHome:
        assert self._home is not None, "nothing is heard before the home is open"
        return self._home

    def write(self) -> None:
        """Into the composer, now: `Widget.focus` comes too late for a key that is on its way."""
        self.set_focus(self.composer)

    @property
    def conversation(self) -> Conversation:
        return self.query_one(Conversation)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def footer(self) -> Footer:
        return self.query_one(Footer)

    @property
    def figures(self) -> Figures:
        return self.footer.figures

    @figures.setter
    def figures(self, figures: Figures) -> None:
        self.footer.figures = figures

    @property
    def session_id(self) -> str | None:
        return self._home.listener.session if self._home else None

    @property
    def speaker(self) -> str:
        return self._member.slug

    @property
    def throbber(self) -> Throbber:
        return self.query_one(Throbber)

    @property
    def moves(self) -> bool:
        """Whether anything may move by itself."""
        return self.app.animation_level != "none"

    @property
    def approvals(self) -> ApprovalBar:
        return self.query_one(ApprovalBar)

    @property
    def questions(self) -> QuestionBar:
        return self.query_one(QuestionBar)

    def set_state(self, state: str) -> None:
        self.figures = replace(self.figures, state=state)
