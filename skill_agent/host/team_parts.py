"""The parts of a runtime that make its agents a team: who answers, tasks, collaborations, mail."""

from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.conversations import Conversations
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.memory.book import MemoryBook
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import ChoosesAgent, ChoosesModel, Clock, Embedder, KeepsSeats, Ledger
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.team.seats.keeping import SeatKeeper
from skill_agent.team.seats.seats import Seats
from skill_agent.team.sessions.sessions import Sessions
from skill_agent.team.tasks.tasks import Tasks
from skill_agent.turns.operations import TurnOperations


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the parts of a team stand on."""

    home: Home
    settings: Settings
    ledger: Ledger
    clock: Clock
    directory: AgentDirectory
    skillbook: SkillBook
    models: Models
    counter: Counter
    board: TurnBoard
    conversations: Conversations
    book: MemoryBook
    embedder: Callable[[], Embedder] | None
    publish: Callable[[Event], None]
    hosting: bool


class TeamParts:
    """Made in two steps: what turns ask of the team, then what asks for turns."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.chooses_agent: ChoosesAgent | None = None
        self.chooses_model: ChoosesModel | None = None
        handing = ground.settings.features.handoff
        self._seat_keeper = SeatKeeper(
            ledger=ground.ledger,
            clock=ground.clock,
            directory=ground.directory,
            remember=ground.book.add,
            publish=ground.publish,
        )
        self._seats = Seats(
            ledger=ground.ledger,
            directory=ground.directory,
            keeper=self._seat_keeper,
            find=ground.conversations.find,
            model=ground.models.of,
            enabled=handing,
        )
        self.keeps_seats: KeepsSeats | None = self._seats if handing else None

    def join(self, turns: TurnOperations) -> None:
        """Makes what asks for turns; once, before `groups`."""
        ground = self._ground
        self.tasks = Tasks(
            turns=turns,
            ledger=ground.ledger,
            clock=ground.clock,
            directory=ground.directory,
            purses=ground.counter.budgets.purses,
            publish=ground.publish,
            allowed=ground.settings.features.task_delegation,
        )
        self.sessions = Sessions(
            settings=ground.settings,
            ledger=ground.ledger,
            clock=ground.clock,
            directory=ground.directory,
            models=ground.models,
            tasks=self.tasks,
            purses=ground.counter.budgets.purses,
            publish=ground.publish,
        )

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {"tasks": self.tasks, "collaborations": self.sessions, "seats": self._seats}

    async def begin(self) -> None:
        """Takes up again what a crash cut short; once, after opening."""
        await self._seat_keeper.begin()
        await self.tasks.begin(hosting=self._ground.hosting)
        if self._ground.hosting:
            await self.sessions.take_up()

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
        await self.sessions.end()
        await self.tasks.end()
