"""What of all that happens a person wants to know who looks elsewhere, and how much of it waits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

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

from .attention import Attention
from .status import Figures

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_HEARD = (
    ApprovalAnswered, ApprovalAsked, HostLost, InboxArrived, JobRunChanged, QuestionAnswered,
    QuestionAsked, TurnFailed, TurnFinished, TurnStarted, WorkChanged,
)  # fmt: skip


class Talk(Protocol):
    """The conversation that is shown."""

    @property
    def figures(self) -> Figures: ...
    @property
    def session_id(self) -> str | None: ...
    def name_of(self, slug: str) -> str: ...


class News:
    """One window's: hears every event, and has the terminal told of some."""

    def __init__(self, attention: Attention) -> None:
        self._attention = attention
        self._running: dict[str, str] = {}
        """The turns that go on, with their conversations."""
        self._asked: dict[str, str] = {}
        """What waits for a decision, with its turn."""

    async def attend(self, runtime: "Workstation", talk: Talk) -> None:
        """Every event, until the home closes."""
        with runtime.turns.subscribe() as heard:
            async for event in heard:
                if self.hear(event, talk.session_id, talk.name_of):
                    self.show(talk)

    def show(self, talk: Talk) -> None:
        """The window's title, as things are now."""
        figures = talk.figures
        self.entitle(
            name=figures.member.name, title=figures.title, waiting=figures.waiting,
            session=talk.session_id,
        )  # fmt: skip

    def hear(self, event: AnyEvent, session: str | None, name: Callable[[str], str]) -> bool:
        """Tells what matters; whether the title may have changed. `session` is the one shown."""
        if not isinstance(event, _HEARD):
            return False
        self._count(event)
        if (words := _words(event, session, name)) and self._attention.away:
            self._attention.tell(words)
        return True

    def entitle(self, *, name: str, title: str, waiting: int, session: str | None) -> None:
        """The window's title; `waiting` is what waits in the inbox, asked calls included."""
        busy = bool(session) and session in self._running.values()
        waiting = max(len(self._asked), waiting)
        self._attention.entitle(name=name, title=title, waiting=waiting, busy=busy)

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
