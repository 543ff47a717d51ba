"""The runtime: one open home as a workstation; the object every front end drives.

It joins the parts, begins them and ends them in the right order. What each group can do stands in
the folder of its idea; nothing here draws, prints, or knows what a store is made of.
"""

import logging
import os
from collections.abc import Callable
from functools import partial

from skill_agent import __version__
from skill_agent.agents.agents import Agents
from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.pages import AgentPages, figures
from skill_agent.backups.making import Backups
from skill_agent.conversations.conversations import Conversations
from skill_agent.conversations.figures import Figures
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.conversations.unfinished import UnfinishedReplies, mark_unfinished
from skill_agent.events.bus import Bus
from skill_agent.files.home import Home
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.summaries.compaction import Read
from skill_agent.models.models import Models
from skill_agent.models.money.budget import Budgets
from skill_agent.models.money.metered import Counter, limits_in
from skill_agent.ports import (
    Alarms,
    Asks,
    Calendar,
    Clock,
    Delivers,
    Embedder,
    Ledger,
    LedgerCopies,
    ModelGateway,
    TableReader,
)
from skill_agent.settings.config_file import ConfigFile
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.skills.shelf import SkillShelf
from skill_agent.text.redaction import redact
from skill_agent.tools.approvals import ApprovalDesk, Approvals, RuleBook
from skill_agent.tools.gate.gate import Gate
from skill_agent.turns.calls import CallLog
from skill_agent.turns.fitting import Tokens
from skill_agent.turns.recollection import Recollector
from skill_agent.turns.runner import TurnRunner
from skill_agent.turns.summaries import Summaries
from skill_agent.turns.turns import Turns
from skill_agent.turns.workbench import Workbench
from skill_agent.values import HomeInfo
from skill_agent.workstation import Workstation

from .automation_parts import AutomationParts, Means
from .door_parts import DoorParts, Frame
from .memory_parts import MemoryParts
from .presence import Presence, attached, client
from .team_parts import Ground, TeamParts

_log = logging.getLogger(__name__)


class Runtime(Workstation):
    """One open home, held by this process; closed by whoever opened it."""

    def __init__(
        self,
        *,
        home: Home,
        settings: Settings,
        ledger: Ledger,
        copies: LedgerCopies,
        projector: Projector,
        directory: AgentDirectory,
        skillbook: SkillBook,
        gateway: ModelGateway,
        tables: TableReader,
        clock: Clock,
        calendar: Calendar,
        alarms: Alarms,
        hosting: bool = False,
        read: Read | None = None,
        presence: Presence,
        embedder: Callable[[], Embedder] | None = None,
    ) -> None:
        """`hosting` says that the process stays open: only then it reads and tidies up unasked.
        `read` stands in for the reader where messages leave a prompt. By the `embedder`, loaded
        when first needed, messages are likened to what tools are asked for."""
        self._home, self._settings = home, settings
        self.ledger, self.directory, self.gateway = ledger, directory, gateway
        self._projector, self._presence = projector, presence
        self._tables, self._hosting, self._clock = tables, hosting, clock
        self._bus = Bus()
        self._pages = AgentPages(home, directory)
        self._budgets = Budgets(ledger, clock, partial(limits_in, directory))
        counter = Counter(gateway, directory, settings.models, self._budgets)
        self._standings = counter.standings
        self._backups = Backups(
            home=home, settings=settings.backup, ledger=ledger, copies=copies, clock=clock
        )
        self._mind = mind = MemoryParts(
            home=home,
            settings=settings,
            ledger=ledger,
            projector=projector,
            directory=directory,
            gateway=counter.gateway,
            clock=clock,
            publish=self._bus.publish,
            hosting=hosting,
            read=read,
            backups=self._backups.since,
        )
        self.book, self.reconciler = mind.book, mind.reconciler
        self._models = Models(gateway, directory, settings.models, counter, embedder)
        self._conversations = self._make_conversations(clock)
        self._unfinished = UnfinishedReplies(home.unfinished)
        desk, rules = ApprovalDesk(clock), RuleBook(home.rules)
        self._embedder, board = embedder, TurnBoard()
        self._team = self._make_team(skillbook, counter, board)
        self._doors = self._make_doors(skillbook)
        self._turns = self._make_turns(skillbook, desk, rules, board)
        self._team.join(self._turns)
        self._automation = AutomationParts(self._means(calendar, alarms, desk, counter))
        self._team.proposes = self._automation.jobs.operations.add
        own = self._own(skillbook, desk, rules)
        super().__init__({**self._kept(clock), **self._team.groups(), **own})

    def _make_doors(self, skillbook: SkillBook) -> DoorParts:
        return DoorParts(
            Frame(
                home=self._home,
                settings=self._settings,
                ledger=self.ledger,
                clock=self._clock,
                directory=self.directory,
                skillbook=skillbook,
                embedder=self._embedder,
                publish=self._bus.publish,
                asks=lambda: self._automation.asks,
                on_purge=self._mind.on_purge,
            )
        )

    def _own(self, book: SkillBook, desk: ApprovalDesk, rules: RuleBook) -> dict[str, object]:
        """The groups of who may do what, of the doors and of what runs by itself."""
        return {
            "approvals": Approvals(desk, rules),
            "skills": SkillShelf(book, rules),
            "host": self._presence,
            **self._doors.groups(),
            **self._automation.groups(),
        }

    def _kept(self, clock: Clock) -> dict[str, object]:
        """The groups of what a home keeps, and of what is done with it."""
        mind = self._mind
        return {
            "turns": self._turns,
            "agents": Agents(
                self.directory,
                self._pages,
                self.ledger,
                model=self.gateway.model,
                publish=self._bus.publish,
            ),
            "models": self._models,
            "conversations": self._conversations,
            "summaries": Summaries(
                mind.shield,
                mind.compactor,
                conversations=self._conversations,
                directory=self.directory,
                models=self._models,
            ),
            "figures": Figures(
                self.ledger,
                clock,
                self._info,
                budgets=self._standings,
                settled=self._budgets.settled,
            ),
            "memory": mind.book,
            "extractions": mind.reader,
            "upkeep": mind.upkeep,
            "feedback": mind.feedback,
            "eraser": mind.eraser,
            "user_data": mind.user_data,
            "imports": mind.imports,
            "backups": self._backups,
            "config": ConfigFile(
                self._home.config,
                os.environ,
                running=self._settings,
                slugs=lambda: self.directory.slugs,
            ),
        }

    def _means(
        self, calendar: Calendar, alarms: Alarms, desk: ApprovalDesk, counter: Counter
    ) -> Means:
        mind = self._mind
        return Means(
            home=self._home,
            settings=self._settings,
            ledger=self.ledger,
            clock=self._clock,
            directory=self.directory,
            models=self._models,
            counter=counter,
            conversations=self._conversations,
            book=mind.book,
            upkeep=mind.upkeep,
            backups=self._backups,
            imports=mind.imports,
            collaborations=self._team.sessions,
            desk=desk,
            turns=self._turns,
            tasks=self._team.tasks,
            bus=self._bus,
            calendar=calendar,
            alarms=alarms,
            idle=partial(self.drain, own=True),
            on_purge=mind.on_purge,
            hosting=self._hosting,
            watched=lambda: self._presence.watched,
        )

    def _make_conversations(self, clock: Clock) -> Conversations:
        return Conversations(
            self.ledger,
            clock,
            slug_of=lambda name: self.directory.get(name).slug,
            names=lambda: {dna.slug: dna.name for dna in self.directory.list()},
            before_deletion=self._mind.reader.finish_session,
            touched=self._projector.touch,
        )

    def _make_team(self, skillbook: SkillBook, counter: Counter, board: TurnBoard) -> TeamParts:
        return TeamParts(
            Ground(
                home=self._home,
                settings=self._settings,
                ledger=self.ledger,
                clock=self._clock,
                directory=self.directory,
                skillbook=skillbook,
                models=self._models,
                gateway=self.gateway,
                counter=counter,
                board=board,
                conversations=self._conversations,
                book=self.book,
                embedder=self._embedder,
                publish=self._bus.publish,
                asks=lambda: self._automation.asks,
                hosting=self._hosting,
            )
        )

    def _make_bench(
        self, skillbook: SkillBook, desk: ApprovalDesk, rules: RuleBook, tokens: Tokens
    ) -> Workbench:
        mind = self._mind
        return Workbench(
            ledger=self.ledger,
            book=mind.book,
            recollector=Recollector(
                ledger=self.ledger,
                book=mind.book,
                projector=self._projector,
                hot=mind.hot,
                settings=self._settings,
                clock=self._clock,
                tokens=tokens,
            ),
            skillbook=skillbook,
            desk=desk,
            rules=rules,
            settings=self._settings,
            clock=self._clock,
            hot=mind.hot,
            tokens=tokens,
            tables=self._tables,
            colleagues=lambda: self._team.colleagues,
            reconcile=mind.reconcile,
            foreign=self._doors.servers,
            active_skills=self._doors.skill_tools,
            gate=Gate(
                known=skillbook.skills_lately,
                embedder=self._embedder,
                vectors=self._home.kv_cache / "requests.vectors",
            ),
        )

    def _make_turns(
        self, skillbook: SkillBook, desk: ApprovalDesk, rules: RuleBook, board: TurnBoard
    ) -> Turns:
        mind, clock, tokens = self._mind, self._clock, Tokens()
        self._calls = calls = CallLog(self.ledger, clock, tokens, self._settings.privacy)
        bench = self._make_bench(skillbook, desk, rules, tokens)
        runner = TurnRunner(
            ledger=self.ledger,
            bench=bench,
            bus=self._bus,
            clock=clock,
            touched=self._projector.touch,
            compactor=mind.compactor,
            reader=mind.reader,
            board=board,
            for_others=attached,
            calls=calls,
            unfinished=self._unfinished,
            seats=self._team.keeps_seats,
            name=self._name_of,
            outside=self._doors.outside,
        )
        return Turns(
            ledger=self.ledger,
            clock=clock,
            directory=self.directory,
            conversations=self._conversations,
            models=self._models,
            projector=self._projector,
            bench=bench,
            runner=runner,
            bus=self._bus,
            board=board,
            calls=calls,
            client=client,
            chooses_agent=self._team.chooses_agent,
            chooses_model=self._team.chooses_model,
            seats=self._team.keeps_seats,
            decisions=self._team.decisions,
        )

    def _name_of(self, agent: str) -> str:
        """One that has left the team is called by its slug."""
        return next((dna.name for dna in self.directory.list() if dna.slug == agent), agent)

    @property
    def home(self) -> Home:
        return self._home

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def asks(self) -> Asks:
        """Asks the person, wherever that one is."""
        return self._automation.asks

    @property
    def delivers(self) -> Delivers:
        """Brings things to the person."""
        return self._automation.delivers

    async def until_stopped(self) -> None:
        await self._presence.stopped.wait()

    def _info(self) -> HomeInfo:
        general = self._settings.general
        return HomeInfo(
            id=str(self._home.root),
            version=__version__,
            pid=os.getpid(),
            role=self._presence.role,
            epoch=self._bus.epoch,
            user=general.user,
            default_agent=general.default_agent,
            settings=self._settings.model_dump(mode="json"),
        )

    # -- begin and end -----------------------------------------------------------------------

    async def begin(self) -> None:
        """Finishes what a crash cut short, and begins the background work; once, after opening."""
        if lost := await mark_unfinished(self.ledger, self._unfinished, self._clock):
            _log.warning("%d turns were cut short when the program ended last", lost)
        if owed := await self._mind.begin():
            _log.warning("%s", redact(owed))
        await self._team.begin()
        await self._automation.begin()
        if self._hosting:
            await self._calls.tidy()

    async def chores_due(self) -> bool:
        """Whether the home's own jobs have something to do that no host was there for."""
        return await self._automation.jobs.book.chores_due()

    async def do_chores(self) -> None:
        """What is due of the home's own jobs, done now by a process that does not stay."""
        await self._automation.jobs.engine.do_chores()

    async def settle(self) -> None:
        """Returns once the turns that ended were read by the rules and summed up where needed."""
        await self._turns.settle()
        await self._mind.settle()
        await self._calls.settle()
        await self._budgets.settled()

    async def drain(self, seconds: float, *, own: bool = False) -> bool:
        """Waits for the turns that run for other processes, with `own` for all; whether they
        ended in time."""
        return await self._turns.drain(seconds, own=own)

    async def end_turns(self) -> None:
        """No turn begins any more, and those that run end. The rest still works until `close`."""
        await self._automation.end()
        await self._team.end()
        await self._turns.end()

    async def close(self) -> None:
        """Ends running turns (partial replies kept), then the stores."""
        await self._automation.end()
        await self._team.end()
        await self._turns.close()
        await self._doors.end()
        await self._calls.settle()
        await self._mind.close()
        await self._budgets.settled()
        await self._refresh_pages()
        await self.gateway.close()
        await self._projector.close()
        await self.ledger.close()

    async def _refresh_pages(self) -> None:
        if not self._pages.any:
            return
        try:
            self._pages.refresh(await figures(self.ledger))
        except Exception as problem:  # a page is a courtesy; the stores have to be closed
            _log.warning("agent pages: %s", redact(str(problem)))
