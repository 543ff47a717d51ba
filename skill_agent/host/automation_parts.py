"""The parts of a runtime that work while nobody types: jobs, delivery, questions, bridges."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid5

from skill_agent.agents.directory import AgentDirectory
from skill_agent.backups.making import Backups
from skill_agent.conversations.conversations import Conversations
from skill_agent.delivery.delivering import Delivering
from skill_agent.events import Event
from skill_agent.events.bus import Bus
from skill_agent.files.home import Home
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import Alarms, Asks, Calendar, Clock, Delivers, Ledger
from skill_agent.questions.asking import Asking
from skill_agent.questions.questions import Questions
from skill_agent.settings.schema import Settings
from skill_agent.tools.approvals import ApprovalDesk
from skill_agent.tools.kept_approvals import left_approvals, note_withdrawn
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import Dispatch

_WITHDRAWN = UUID("0f6cf3a6-5b0c-5f21-8a55-9d6f0f9c8b3e")
"""By which an approval and the item that tells of its end belong together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What these parts stand on."""

    home: Home
    settings: Settings
    ledger: Ledger
    clock: Clock
    directory: AgentDirectory
    models: Models
    counter: Counter
    conversations: Conversations
    book: MemoryBook
    upkeep: Upkeep
    backups: Backups
    desk: ApprovalDesk
    turns: TurnOperations
    bus: Bus
    calendar: Calendar
    alarms: Alarms
    idle: Callable[[float], Awaitable[bool]]
    """Returns once no turn runs, or after so many seconds."""
    hosting: bool
    watched: Callable[[], bool]
    """Whether a person is at a screen of this home."""

    def publish(self, event: Event) -> None:
        self.bus.publish(event)


class AutomationParts:
    """They are made here, begun after the team, and ended before turns are."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.delivers: Delivers = Delivering(means.ledger, means.clock, means.publish)
        self._asking = Asking(
            ledger=means.ledger,
            clock=means.clock,
            publish=means.publish,
            delivers=self.delivers,
            watched=means.watched,
        )
        self.asks: Asks = self._asking

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {"questions": Questions(self._asking, self._means.settings.hitl.words)}

    async def begin(self) -> None:
        """Takes up what a crash cut short, and begins what a process that stays does unasked."""
        await self._asking.begin()
        await self._tell_of_approvals()

    async def _tell_of_approvals(self) -> None:
        """What waited for an approval when the process before ended, waits no more."""
        for one in await left_approvals(self._means.ledger):
            dispatch = Dispatch(
                title="An approval was withdrawn",
                text=f"{one.what}\n\nThe program ended before you answered, and with it the turn "
                "that asked. Nothing was done; ask again if it is still wanted.",
                sort="notice",
                agent=one.agent,
                session=one.session,
                private=True,
                key=str(uuid5(_WITHDRAWN, one.id)),
            )
            await self.delivers.deliver(dispatch)
            await note_withdrawn(self._means.ledger, one.id, one.session)

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
        await self._asking.end()
