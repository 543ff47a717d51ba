"""What the parts behind the screen ask of it: `listener`, `sender` and `asking`."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Literal, Protocol

from skill_agent.errors import SkillAgentError
from skill_agent.events import Event, TurnFailed, TurnFinished
from skill_agent.values import Session, Usage

from .foot.approvals import ApprovalBar
from .foot.footer import Footer
from .foot.questions import QuestionBar

if TYPE_CHECKING:
    from skill_agent.workstation.past import Past


class Display(Protocol):
    """What all of them ask."""

    def run_worker(
        self, work: Coroutine[Any, Any, None], *, group: str, exclusive: bool = False
    ) -> object:
        """Does it beside what the screen does, and gives it up when the screen goes."""
        ...

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: Literal["information", "warning", "error"] = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None: ...

    async def show_error(self, title: str, error: SkillAgentError) -> None:
        """In the conversation."""
        ...

    def draw_waiting(self) -> None:
        """The messages that wait have changed."""
        ...


class ConversationDisplay(Display, Protocol):
    """What the listener asks: it alone says which conversation is shown, and what is new in it."""

    @property
    def approvals(self) -> ApprovalBar: ...

    @property
    def questions(self) -> QuestionBar: ...

    @property
    def footer(self) -> Footer: ...

    @property
    def speaker(self) -> str:
        """Slug of who answers."""
        ...

    async def show(
        self,
        session: Session | None,
        past: "Past",
        agent: str,
        recent: list[Session],
    ) -> None:
        """Another conversation, with its draft."""
        ...

    def named(self, session_id: str) -> None:
        """The new conversation has its id: what is written from now on belongs there."""
        ...

    def became(self, session: Session) -> None:
        """The conversation has its title; a mention may have chosen its agent."""
        ...

    async def apply(self, event: Event) -> None:
        """An event of the conversation shown."""
        ...

    def ended(self, event: TurnFinished | TurnFailed) -> None:
        """A turn of any conversation is over."""
        ...

    def look_for_disputes(self) -> None:
        """What waits for a decision may have changed."""
        ...

    def look_into_inbox(self) -> None:
        """Counts what waits there, soon."""
        ...

    def ring(self) -> None:
        """The bell of the terminal."""

    def look_at_today(self) -> None:
        """Today has used more."""
        ...

    def look_for_background(self) -> None:
        """What is done in the background has changed."""

    def look_for_questions(self) -> None:
        """Other questions may wait for the person."""
        ...

    def look_for_agents(self) -> None:
        """The agents may have changed."""
        ...

    def look_for_work(self) -> None:
        """What the team has to do may have changed."""
        ...

    def recovered(self) -> None:
        """The home was found again, and what was missed is shown."""
        ...


class SendingDisplay(Display, Protocol):
    """What the sender asks."""

    def chosen_model(self, key: str | None = None) -> str | None:
        """The model that was chosen for a talk; None for the agent's own."""
        ...

    @property
    def speaker(self) -> str:
        """Slug of who answers."""
        ...

    async def steered(self, turn: str, text: str) -> None:
        """A turn that runs was told this."""
        ...

    def sends_slowly(self, slowly: bool) -> None:
        """What is on its way takes so long that it is to be seen."""
        ...

    def give_back(self, key: str, error_text: str) -> None:
        """A message that was refused returns to the composer, or stays queued and held."""
        ...

    def hold(self, key: str, error_text: str) -> None:
        """A message that may or may not have arrived stays queued until the person says so."""
        ...


class FigureDisplay(Display, Protocol):
    """What is asked once something looked up is there."""

    @property
    def approvals(self) -> ApprovalBar: ...

    @property
    def questions(self) -> QuestionBar: ...

    def became(self, session: Session) -> None:
        """The conversation shown has another title."""
        ...

    def set_model(self, model: str, window: int) -> None:
        """Who would answer, and the window that is really loaded."""
        ...

    def set_at_work(self, count: int) -> None:
        """How much of the team's work goes on."""
        ...

    def set_waiting(self, count: int) -> None:
        """How much waits for the person."""

    def set_today(self, used: Usage) -> None:
        """What today has used so far."""
        ...

    def set_background(self, brief: str) -> None:
        """What is done in the background."""
        ...

    def set_disputed(self, count: int) -> None:
        """How many disputes wait for the person."""
        ...
