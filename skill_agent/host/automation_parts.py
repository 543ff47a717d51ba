"""The parts of a runtime that work while nobody types: jobs, delivery, questions, bridges."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from skill_agent.agents.directory import AgentDirectory
from skill_agent.backups.daily import DailyBackup
from skill_agent.backups.making import Backups
from skill_agent.bridges.bridges import Bridges
from skill_agent.bridges.chats import Chats
from skill_agent.bridges.host_side import TELEGRAM, Board, HostSide
from skill_agent.bridges.pairing import Pairings
from skill_agent.conversations.conversations import Conversations
from skill_agent.delivery.delivering import Delivering
from skill_agent.delivery.inbox import Inbox
from skill_agent.delivery.sinks.to_apprise import AppriseSink
from skill_agent.delivery.sinks.to_desktop import DesktopSink
from skill_agent.delivery.sinks.to_file import FileSink
from skill_agent.events import Event
from skill_agent.events.bus import Bus
from skill_agent.files.home import Home
from skill_agent.files.written import WrittenFiles
from skill_agent.imports.operations import ImportOperations
from skill_agent.jobs.kinds.agent import AgentKind
from skill_agent.jobs.kinds.chores import Consolidate, Expire, MakeBackup
from skill_agent.jobs.kinds.command import CommandKind
from skill_agent.jobs.kinds.kind import Kind
from skill_agent.jobs.parts import JobParts
from skill_agent.jobs.records import JobRecords
from skill_agent.jobs.summary.doings import Doings
from skill_agent.jobs.summary.gathering import Gathering
from skill_agent.jobs.summary.kind import SummaryKind
from skill_agent.jobs.summary.span import Coverage
from skill_agent.jobs.summary.summaries import Summaries
from skill_agent.jobs.work.background import Background
from skill_agent.jobs.work.kind import Kind as WorkKind
from skill_agent.jobs.work.kinds.backup import MakeBackup as MakeBackupNow
from skill_agent.jobs.work.kinds.collaboration import Together
from skill_agent.jobs.work.kinds.importing import Import
from skill_agent.jobs.work.kinds.memory import Consolidate as ConsolidateNow
from skill_agent.jobs.work.kinds.memory import Rebuild, Verify
from skill_agent.jobs.work.limits import at_once
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import Alarms, Asks, Calendar, Clock, Delivers, Ledger, Model, Sink
from skill_agent.questions.asking import Asking
from skill_agent.questions.questions import Questions
from skill_agent.settings.quiet_hours import QuietHours
from skill_agent.settings.schema import Settings
from skill_agent.team.operations import CollaborationOperations, TaskOperations
from skill_agent.tools.approvals import ApprovalDesk
from skill_agent.tools.kept_approvals import left_approvals, note_withdrawn
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import Dispatch, JobKind, JobRun
from skill_agent.webhooks.sink import WebhookSink
from skill_agent.webhooks.webhooks import Webhooks

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
    imports: ImportOperations
    tasks: TaskOperations
    collaborations: CollaborationOperations
    idle: Callable[[float], Awaitable[bool]]
    """Returns once no turn runs, or after so many seconds."""
    on_purge: Callable[[Callable[[], None]], None]
    """Has somebody let go of what he keeps of texts in memory, whenever something was erased."""
    hosting: bool
    watched: Callable[[], bool]
    """Whether a person is at a screen of this home."""

    def publish(self, event: Event) -> None:
        self.bus.publish(event)


def make_delivering(means: Means) -> Delivering:
    jobs, home = means.settings.jobs, means.home
    folder = means.settings.delivery.folder
    files = WrittenFiles(home, means.clock)
    to_file = FileSink(
        Path(folder).expanduser() if folder else home.inbox,
        home=home.root,
        zone=jobs.timezone,
        written=lambda file: files.add(file, "inbox"),
    )
    return Delivering(
        means.ledger,
        means.clock,
        means.publish,
        sinks=(to_file, DesktopSink(), AppriseSink()),
        quiet=QuietHours.parsed(jobs.quiet_hours, jobs.timezone),
    )


def make_background(means: Means, asks: Asks, delivers: Delivers) -> Background:
    kinds: tuple[WorkKind, ...] = (
        Rebuild(means.book),
        ConsolidateNow(means.upkeep),
        Verify(means.book),
        Import(means.imports, means.book),
        Together(means.collaborations, means.turns),
        MakeBackupNow(means.backups),
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
        self._delivering = make_delivering(means)
        self.delivers: Delivers = self._delivering
        self.bridges = self._make_bridges()
        self._asking = Asking(
            ledger=means.ledger,
            clock=means.clock,
            publish=means.publish,
            delivers=self.delivers,
            watched=means.watched,
        )
        self.asks: Asks = self._asking
        self.questions = Questions(self._asking, means.settings.hitl.words)
        self._daily_backup = DailyBackup(
            backups=means.backups, home=means.home, ledger=means.ledger, clock=means.clock,
            publish=means.publish,
        )  # fmt: skip
        self._summaries = self._make_summaries()
        self.jobs = self._make_jobs()
        self.work = make_background(means, self.asks, self.delivers)
        means.on_purge(self.work.forget)
        self.webhooks = self._make_webhooks()
        self.add_sink(WebhookSink(self.webhooks))

    def _make_webhooks(self) -> Webhooks:
        means = self._means
        return Webhooks(
            home=means.home,
            settings=means.settings,
            ledger=means.ledger,
            clock=means.clock,
            directory=means.directory,
            delivers=self.delivers,
            publish=means.publish,
            find_run=self._run,
        )

    def _make_bridges(self) -> Bridges:
        means = self._means
        return Bridges(
            HostSide(
                pairings=Pairings(
                    means.home.pairings, means.clock, allow=map(str, means.settings.telegram.allow)
                ),
                chats=Chats(means.ledger, TELEGRAM),
                board=Board(TELEGRAM, means.clock, means.publish),
                add_sink=self.add_sink,
                drop_sink=self.drop_sink,
            )
        )

    async def _run(self, run: str) -> JobRun | None:
        """A run of a job, for whoever tells of it."""
        return next(iter(await JobRecords(self._means.ledger).runs([run])), None)

    def _make_summaries(self) -> Summaries:
        means = self._means
        doings = Doings(
            tasks=means.tasks,
            collaborations=means.collaborations,
            jobs=lambda: self.jobs.operations,
            questions=self.questions,
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
            done={
                "consolidate": means.upkeep.last_consolidated,
                "expire": means.upkeep.last_expired,
                "backup": self._daily_backup.last,
            },
            kinds=self._job_kinds(),
            host=means.bus.epoch,
            hosting=means.hosting,
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
            "backup": MakeBackup(self._daily_backup, means.idle),
            "command": CommandKind(means.settings.jobs.commands),
        }

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        means = self._means
        return {
            "jobs": self.jobs.operations,
            "inbox": Inbox(self._delivering, means.clock, means.publish),
            "webhooks": self.webhooks,
            "work": self.work,
            "bridges": self.bridges,
            "questions": self.questions,
            "daily": self._summaries,
        }

    def add_sink(self, sink: Sink) -> None:
        """Another way out of the home, as a bot that runs now; what waited for it goes."""
        self._delivering.register(sink)

    def drop_sink(self, kind: str) -> None:
        """That way is not there any more; what is to go there waits."""
        self._delivering.unregister(kind)

    async def begin(self) -> None:
        """Takes up what a crash cut short, and begins what a process that stays does unasked."""
        await self._delivering.begin(take_up=self._means.hosting)
        await self._asking.begin()
        await self._tell_of_approvals()
        await self.jobs.begin()
        await self.work.begin(hosting=self._means.hosting)
        if self._means.hosting:
            self.webhooks.begin()

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
        await self.jobs.end()
        await self.work.end()
        await self.webhooks.end()
        await self._asking.end()
        await self._delivering.end()
