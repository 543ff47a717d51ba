"""The parts of a runtime that work while nobody types: jobs, delivery, questions, bridges."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.backups.daily import DailyBackup
from skill_agent.backups.making import Backups
from skill_agent.conversations.conversations import Conversations
from skill_agent.delivery.delivering import Delivering
from skill_agent.events import Event
from skill_agent.events.bus import Bus
from skill_agent.files.home import Home
from skill_agent.jobs.kinds.agent import AgentKind
from skill_agent.jobs.kinds.chores import Consolidate, Expire, MakeBackup
from skill_agent.jobs.kinds.command import CommandKind
from skill_agent.jobs.kinds.kind import Kind
from skill_agent.jobs.parts import JobParts
from skill_agent.jobs.summary.doings import Doings
from skill_agent.jobs.summary.gathering import Gathering
from skill_agent.jobs.summary.kind import SummaryKind
from skill_agent.jobs.summary.span import Coverage
from skill_agent.jobs.summary.summaries import Summaries
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import Alarms, Asks, Calendar, Clock, Delivers, Ledger, Model
from skill_agent.questions.asking import Asking
from skill_agent.settings.schema import Settings
from skill_agent.team.operations import CollaborationOperations, TaskOperations
from skill_agent.tools.approvals import ApprovalDesk
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import JobKind


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
    tasks: TaskOperations
    collaborations: CollaborationOperations
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
        self.delivers: Delivers = Delivering(means.ledger, means.clock, means.publish)
        self._daily_backup = DailyBackup(
            backups=means.backups, home=means.home, ledger=means.ledger, clock=means.clock,
            publish=means.publish,
        )  # fmt: skip
        self._summaries = self._make_summaries()
        self.jobs = self._make_jobs()

    def _make_summaries(self) -> Summaries:
        means = self._means
        doings = Doings(
            tasks=means.tasks,
            collaborations=means.collaborations,
            jobs=lambda: self.jobs.operations,
        )
        return Summaries(Gathering(means.ledger, doings), means.clock, self._model_of)

    async def _model_of(self, agent: str) -> Model:
        """An agent's model, the default agent's for none. Raises where it cannot be asked."""
        means = self._means
        dna = means.directory.get(agent or means.settings.general.default_agent)
        return await means.models.ready(dna)

    def _make_jobs(self) -> JobParts:
        means = self._means
        return JobParts(
            settings=means.settings,
            ledger=means.ledger,
            clock=means.clock,
            directory=means.directory,
            delivers=self.delivers,
            publish=means.publish,
            calendar=means.calendar,
            alarms=means.alarms,
            upkeep=means.upkeep,
            last_backup=self._daily_backup.last,
            kinds=self._job_kinds(),
            host=means.bus.epoch,
            hosting=means.hosting,
            idle=means.idle,
        )

    def _job_kinds(self) -> dict[JobKind, Kind]:
        """What jobs can do: one class a kind."""
        means = self._means
        return {
            "agent": AgentKind(
                turns=means.turns,
                ledger=means.ledger,
                directory=means.directory,
                models=means.models,
                conversations=means.conversations,
                purses=means.counter.budgets.purses,
            ),
            "summary": SummaryKind(
                self._summaries,
                Coverage(means.ledger),
                clock=means.clock,
                directory=means.directory,
                purses=means.counter.budgets.purses,
                model=self._model_of,
            ),
            "consolidate": Consolidate(means.upkeep),
            "expire": Expire(means.upkeep),
            "backup": MakeBackup(self._daily_backup),
            "command": CommandKind(means.settings.jobs.commands),
        }

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {"jobs": self.jobs.operations, "daily": self._summaries}

    async def begin(self) -> None:
        """Takes up what a crash cut short, and begins what a process that stays does unasked."""
        await self.jobs.begin()

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
        await self.jobs.end()
