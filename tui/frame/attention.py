"""Telling a person who looks elsewhere: the bell, a notification of the terminal, the title.

Nothing is told while the terminal has the focus, unless the settings want it always. A terminal
that never says whether it has the focus is taken for one that has it; its bell alone rings there.
"""

import time
from collections.abc import Callable, Mapping

from skill_agent.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    HostLost,
    InboxArrived,
    JobRunChanged,
    QuestionAnswered,
    QuestionAsked,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    WorkChanged,
)

from .plain import one_line
from .terminal import POP_TITLE, PUSH_TITLE

LONGEST = 160
BETWEEN_BELLS = 1.0
"""Seconds; one thing may have several reasons to ring."""
_HEARD = (
    ApprovalAnswered, ApprovalAsked, HostLost, InboxArrived, JobRunChanged, QuestionAnswered,
    QuestionAsked, TurnFailed, TurnFinished, TurnStarted, WorkChanged,
)  # fmt: skip


class Attention:
    """One window's. `write` takes what the terminal is told."""

    def __init__(
        self,
        write: Callable[[str], None],
        environ: Mapping[str, str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._environ, self._now = write, environ, now
        self._notify, self._bell, self._rang = "unfocused", True, -BETWEEN_BELLS
        self.focused: bool | None = None
        """None until the terminal says."""
        self._running: dict[str, str] = {}
        """The turns that go on, with their conversations."""
        self._asked: dict[str, str] = {}
        """What waits for a decision, with its turn."""
        self._title = ""

    def use(self, *, notify: str, bell: bool) -> None:
        """What the settings want."""
        self._notify, self._bell = notify, bell

    # -- what is told --------------------------------------------------------------------------

    def hear(self, event: AnyEvent, session: str | None, name: Callable[[str], str]) -> bool:
        """Tells what matters; whether the title may have changed. `session` is the one shown."""
        if not isinstance(event, _HEARD):
            return False
        self._count(event)
        if (words := _words(event, session, name)) and self._away:
            self.tell(words)
        return True

    @property
    def _away(self) -> bool:
        wanted = self._notify
        return wanted == "always" or (wanted == "unfocused" and self.focused is False)

    def tell(self, words: str) -> None:
        """A notification, and the bell."""
        body = one_line(words, LONGEST)
        for sequence in _notifications(body, self._environ):
            self._write(_through(sequence, self._environ))
        self.ring()

    def ring(self) -> None:
        """The bell, where it is wanted; tmux marks its window by it."""
        here = self.focused is True and self._notify != "always"
        soon = self._now() - self._rang < BETWEEN_BELLS
        if self._bell and self._notify != "never" and not here and not soon:
            self._rang = self._now()
            self._write("\x07")

    # -- the title -----------------------------------------------------------------------------

    def entitle(self, *, name: str, title: str, unread: int, session: str | None) -> None:
        """`(2) ● Kyra — Deploying`: what waits, that a reply is being made, who, and what about."""
        waiting = len(self._asked) + unread
        told = f"({waiting}) " if waiting else ""
        told += "● " if session and session in self._running.values() else ""
        told += name or "skill-agent"
        told += f" — {title}" if title else ""
        told = one_line(told, LONGEST)
        if told != self._title:
            self._title = told
            self._show_title()

    def leave(self) -> None:
        """The terminal is somebody else's for a while."""
        self._write(POP_TITLE)

    def come_back(self) -> None:
        """It is ours again."""
        self._write(PUSH_TITLE)
        self._show_title()

    def _show_title(self) -> None:
        if not self._environ.get("TERM", "").startswith("linux"):
            self._write(f"\x1b]2;{self._title}\x1b\\")

    def _count(self, event: AnyEvent) -> None:
        match event:
            case TurnStarted():
                self._running[event.turn] = event.session
            case TurnFinished() | TurnFailed():
                self._running.pop(event.turn, None)
                self._asked = {one: of for one, of in self._asked.items() if of != event.turn}
            case ApprovalAsked():
                self._asked[event.approval] = event.turn
            case ApprovalAnswered():
                self._asked.pop(event.approval, None)
            case QuestionAsked():
                self._asked[event.question] = ""
            case QuestionAnswered():
                self._asked.pop(event.question, None)
            case HostLost():
                self._running, self._asked = {}, {}
            case _:
                pass


def _words(event: AnyEvent, session: str | None, name: Callable[[str], str]) -> str:
    """What a person elsewhere wants to know; empty where it is nothing."""
    match event:
        case TurnFinished() if event.session == session:
            return f"{name(event.agent)}: {event.text}"
        case TurnFailed() if event.session == session and event.reason != "cancelled":
            return f"{name(event.agent)} could not answer: {event.message}"
        case ApprovalAsked():
            return f"{name(event.agent)} waits for your decision: {event.tool}"
        case QuestionAsked():
            return f"{name(event.agent) or 'A job'} asks: {event.text}"
        case JobRunChanged(state="failed"):
            return f"The job {event.name} failed: {event.problem}"
        case WorkChanged(state="failed" | "dead"):
            return f"{event.title} failed: {event.problem}"
        case InboxArrived(rings=True):
            return f"In the inbox: {event.title}"
        case _:
            return ""


def _notifications(body: str, environ: Mapping[str, str]) -> list[str]:
    """OSC 9 or OSC 777: both only where it is not known which one the terminal has, for some have
    both and would tell everything twice."""
    nine, seven = f"\x1b]9;{body}\x1b\\", f"\x1b]777;notify;skill-agent;{body}\x1b\\"
    program, term = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    if term.startswith("linux"):
        return []
    if program in ("iTerm.app", "WezTerm", "ghostty") or term.startswith(
        ("xterm-kitty", "xterm-gh")
    ):
        return [nine]
    if "VTE_VERSION" in environ or term.startswith(("rxvt", "foot")):
        return [seven]
    return [nine, seven]


def _through(sequence: str, environ: Mapping[str, str]) -> str:
    """As tmux hands it on to the terminal around it, where it is allowed to."""
    if "TMUX" not in environ:
        return sequence
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"
