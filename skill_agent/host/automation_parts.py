"""The parts of a runtime that work while nobody types: jobs, delivery, questions, bridges."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.backups.making import Backups
from skill_agent.conversations.conversations import Conversations
from skill_agent.delivery.delivering import Delivering
from skill_agent.events import Event
from skill_agent.events.bus import Bus
from skill_agent.files.home import Home
from skill_agent.imports.operations import ImportOperations
from skill_agent.jobs.work.background import Background
from skill_agent.jobs.work.kind import Kind
from skill_agent.jobs.work.kinds.backup import MakeBackup
from skill_agent.jobs.work.kinds.collaboration import Together
from skill_agent.jobs.work.kinds.importing import Import
from skill_agent.jobs.work.kinds.memory import Consolidate, Rebuild, Verify
from skill_agent.jobs.work.limits import at_once
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import Alarms, Asks, Calendar, Clock, Delivers, Ledger
from skill_agent.questions.asking import Asking
from skill_agent.settings.schema import Settings
from skill_agent.team.operations import CollaborationOperations
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
    imports: ImportOperations
    collaborations: CollaborationOperations
    desk: ApprovalDesk
    turns: TurnOperations
    bus: Bus
    calendar: Calendar
    alarms: Alarms
    idle: Callable[[float], Awaitable[bool]]
    """Returns once no turn runs, or after so many seconds."""
    on_purge: Callable[[Callable[[], None]], None]
    """Has somebody let go of what he keeps of texts in memory, whenever something was erased."""
    hosting: bool

    def publish(self, event: Event) -> None:
        self.bus.publish(event)


def make_background(means: Means, asks: Asks, delivers: Delivers) -> Background:
    kinds: tuple[Kind, ...] = (
        Rebuild(means.book),
        Consolidate(means.upkeep),
        Verify(means.book),
        Import(means.imports, means.book),
        Together(means.collaborations, means.turns),
        MakeBackup(means.backups),
    )
    return Background(
        ledger=means.ledger,
        clock=means.clock,
        kinds=kinds,
        asks=asks,
        delivers=delivers,
        publish=means.publish,
        at_once=at_once(means.settings.models.default),
    )


class AutomationParts:
    """They are made here, begun after the team, and ended before turns are."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.asks: Asks = Asking()
        self.delivers: Delivers = Delivering(means.ledger, means.clock, means.publish)
        self.work = make_background(means, self.asks, self.delivers)
        means.on_purge(self.work.forget)

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {"work": self.work}

    async def begin(self) -> None:
        """Takes up what a crash cut short, and begins what a process that stays does unasked."""
        await self.work.begin(hosting=self._means.hosting)

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
        await self.work.end()
