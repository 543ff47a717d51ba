"""The parts of a runtime that work while nobody types: jobs, delivery, questions, bridges."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.backups.making import Backups
from skill_agent.bridges.bridges import Bridges
from skill_agent.bridges.chats import Chats
from skill_agent.bridges.host_side import TELEGRAM, Board, HostSide
from skill_agent.bridges.pairing import Pairings
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
from skill_agent.settings.schema import Settings
from skill_agent.tools.approvals import ApprovalDesk
from skill_agent.turns.operations import TurnOperations


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

    def publish(self, event: Event) -> None:
        self.bus.publish(event)


class AutomationParts:
    """They are made here, begun after the team, and ended before turns are."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.asks: Asks = Asking()
        self.bridges = _bridges(means)
        self.delivers: Delivers = Delivering(means.ledger, means.clock, means.publish)

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {"bridges": self.bridges}

    async def begin(self) -> None:
        """Takes up what a crash cut short, and begins what a process that stays does unasked."""

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""


def _bridges(means: Means) -> Bridges:
    return Bridges(
        HostSide(
            pairings=Pairings(
                means.home.pairings, means.clock, allow=map(str, means.settings.telegram.allow)
            ),
            chats=Chats(means.ledger, TELEGRAM),
            board=Board(TELEGRAM, means.clock, means.publish),
        )
    )
