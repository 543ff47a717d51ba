"""The parts of a runtime that make its agents a team: who answers, tasks, collaborations, mail."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.conversations import Conversations
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.memory.book import MemoryBook
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import (
    Asks,
    ChoosesAgent,
    ChoosesModel,
    Clock,
    Embedder,
    KeepsDecisions,
    KeepsSeats,
    Ledger,
    ModelGateway,
)
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.team.gate.comparing import Comparing
from skill_agent.team.gate.decisions import Decisions
from skill_agent.team.gate.gate import ExpertGate
from skill_agent.team.gate.load import Loads
from skill_agent.team.gate.routing import AgentRouting
from skill_agent.team.mail.asking import Asking
from skill_agent.team.mail.beside import TeamBeside, colleagues_of
from skill_agent.team.mail.directory import Colleagues
from skill_agent.team.mail.mail import Mail
from skill_agent.team.mail.messages import Messages
from skill_agent.team.mail.passing import PassesOn
from skill_agent.team.reports.reports import Reports
from skill_agent.team.router.difficulty import Difficulty
from skill_agent.team.router.router import Router
from skill_agent.team.router.second_opinion import SecondOpinion
from skill_agent.team.router.tiers import TierBook
from skill_agent.team.seats.keeping import SeatKeeper
from skill_agent.team.seats.seats import Seats
from skill_agent.team.sessions.sessions import Sessions
from skill_agent.team.strategies.strategies import Strategies
from skill_agent.team.tasks.tasks import Tasks
from skill_agent.team.tools.ability import Abilities
from skill_agent.team.tools.offering import Offering
from skill_agent.team.tools.tools import Means, ProposesJob
from skill_agent.text.beside import parted
from skill_agent.text.language import language, language_of
from skill_agent.text.redaction import redact
from skill_agent.turns.colleagues.nearby import Colleagues as TurnsColleagues
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import Job, NewJob, TurnRequest

_log = logging.getLogger(__name__)


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
    gateway: ModelGateway
    counter: Counter
    board: TurnBoard
    conversations: Conversations
    book: MemoryBook
    embedder: Callable[[], Embedder] | None
    publish: Callable[[Event], None]
    asks: Callable[[], Asks]
    hosting: bool


class TeamParts:
    """Made in two steps: what turns ask of the team, then what asks for turns."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._asking = Asking(
            embedder=ground.embedder, vectors=ground.home.kv_cache / "asking.vectors"
        )
        self._gate = gate = self._make_gate()
        features = ground.settings.features
        self.chooses_agent: ChoosesAgent | None = gate if features.expert_gate else None
        self._difficulty = Difficulty(
            embedder=ground.embedder, vectors=ground.home.kv_cache / "difficulty.vectors"
        )
        self._router = self._make_router()
        self.chooses_model: ChoosesModel | None = self._router
        decides = features.expert_gate or features.model_routing
        self.decisions: KeepsDecisions | None = Decisions(ground.ledger) if decides else None
        self._warming: set[asyncio.Task[None]] = set()
        self._seat_keeper = SeatKeeper(
            ledger=ground.ledger,
            clock=ground.clock,
            directory=ground.directory,
            remember=ground.book.add,
            publish=ground.publish,
        )
        self._seats = self._make_seats(self._seat_keeper)
        self.keeps_seats: KeepsSeats | None = self._seats if features.handoff else None
        self.messages = Messages(
            ledger=ground.ledger,
            clock=ground.clock,
            directory=ground.directory,
            publish=ground.publish,
        )
        self.experts = Colleagues(
            directory=ground.directory,
            board=ground.board,
            skills=ground.skillbook.skills_lately,
            embedder=ground.embedder,
            tasks=self._load,
        )
        self.colleagues: TurnsColleagues | None = None
        self.proposes: ProposesJob | None = None
        """Takes the jobs that agents propose; jobs stand above a team."""

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
        self.sessions = self._make_sessions()
        self.reports = self._make_reports()
        self.offering = self._make_offering()
        self.colleagues = TeamBeside(
            directory=ground.directory,
            messages=self.messages,
            asking=self._asking,
            passes_on=PassesOn(ledger=ground.ledger, directory=ground.directory, tasks=self.tasks),
            offering=self.offering,
            delegates=ground.settings.features.task_delegation,
        )

    def _waiting(self) -> Mapping[str, int]:
        return self.tasks.waiting()

    def _load(self, agent: str) -> int:
        return self.tasks.load(agent)

    def _make_gate(self) -> ExpertGate:
        ground = self._ground
        return ExpertGate(
            ledger=ground.ledger,
            clock=ground.clock,
            directory=ground.directory,
            default_agent=ground.settings.general.default_agent,
            comparing=Comparing(
                skills=ground.skillbook, embedder=ground.embedder, folder=ground.home.kv_cache
            ),
            loads=Loads(
                board=ground.board, clock=ground.clock, queued=lambda: self.tasks.waiting()
            ),
            escalates=ground.settings.features.handoff,
            hands_over=self._hands_over,
        )

    async def _hands_over(self, request: TurnRequest, agent: str) -> bool:
        """Whether the words ask this agent to have a colleague do something."""
        words = parted(request.text).words
        if not self._ground.settings.features.task_delegation or not words.strip():
            return False
        others = colleagues_of(self._ground.directory, agent)
        spoken = language(await asyncio.to_thread(language_of, words))
        return await self._asking.errand(words, others, spoken) is not None

    async def _rank(self, goal: str) -> Sequence[str]:
        return [one.agent for one in await self._gate.scores(goal)]

    def _make_router(self) -> Router | None:
        ground = self._ground
        if not ground.settings.features.model_routing:
            return None
        return Router(
            settings=ground.settings.models,
            directory=ground.directory,
            ledger=ground.ledger,
            counter=ground.counter,
            difficulty=self._difficulty,
            second_opinion=SecondOpinion(
                ground.counter.gateway, idle=lambda: not ground.board.running
            ),
        )

    def _make_tiers(self) -> TierBook:
        ground = self._ground
        return TierBook(
            settings=ground.settings.models,
            directory=ground.directory,
            counter=ground.counter,
            default_agent=ground.settings.general.default_agent,
        )

    def _make_seats(self, keeper: SeatKeeper) -> Seats:
        ground = self._ground
        return Seats(
            ledger=ground.ledger,
            directory=ground.directory,
            keeper=keeper,
            find=ground.conversations.find,
            model=ground.models.of,
            enabled=ground.settings.features.handoff,
        )

    def _make_sessions(self) -> Sessions:
        ground = self._ground
        return Sessions(
            settings=ground.settings,
            ledger=ground.ledger,
            clock=ground.clock,
            directory=ground.directory,
            models=ground.models,
            tasks=self.tasks,
            purses=ground.counter.budgets.purses,
            publish=ground.publish,
            asks=ground.asks,
            question_s=ground.settings.hitl.timeout_hours * 3600,
            rank=self._rank if ground.settings.features.expert_gate else None,
        )

    def _make_strategies(self) -> Strategies:
        ground = self._ground
        return Strategies(
            settings=ground.settings,
            ledger=ground.ledger,
            directory=ground.directory,
            models=ground.models,
            gate=self._gate,
            tasks=self.tasks,
            purses=ground.counter.budgets.purses,
        )

    def _make_reports(self) -> Reports:
        ground = self._ground
        return Reports(
            directory=ground.directory,
            colleagues=self.experts,
            tasks=self.tasks,
            settings=ground.settings.models,
            clock=ground.clock,
            info=ground.models.info,
            remember=ground.book.add,
        )

    def _make_offering(self) -> Offering:
        ground = self._ground
        return Offering(
            features=ground.settings.features,
            abilities=Abilities(ground.home.models / ".delegating.json"),
            gateway=ground.gateway,
            means=Means(
                tasks=self.tasks,
                messages=self.messages,
                reports=self.reports,
                give=self.tasks.delegate,
                look=self.tasks.get,
                collaborate=self.sessions.run if ground.settings.features.collaboration else None,
                propose=self._propose,
            ),
            asks=ground.asks,
            question_s=ground.settings.hitl.timeout_hours * 3600,
            depth=lambda request: self.tasks.depth(request.task),
        )

    async def _propose(self, new: NewJob) -> Job:
        assert self.proposes is not None  # set before any turn begins
        return await self.proposes(new)

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {
            "routing": AgentRouting(self._ground.ledger, self._ground.directory, self._gate),
            "tiers": self._make_tiers(),
            "tasks": self.tasks,
            "collaborations": self.sessions,
            "seats": self._seats,
            "mail": Mail(self.experts, self.messages, self.offering.prove),
            "reports": self.reports,
            "strategies": self._make_strategies(),
        }

    async def begin(self) -> None:
        """Takes up again what a crash cut short; once, after opening. A process that stays learns
        ahead who answers what and how hard messages are, where that will be asked."""
        await self._seat_keeper.begin()
        await self.tasks.begin(hosting=self._ground.hosting)
        if not self._ground.hosting:
            return
        await self.sessions.take_up()
        if self.chooses_agent is not None:
            self._warm(self._gate.warm())
        if self._router is not None and self._router.chooses:
            self._warm(self._difficulty.warm())

    def _warm(self, work: Coroutine[Any, Any, None]) -> None:
        """Nothing depends on it: the first message does the same."""
        task = asyncio.create_task(_tried(work), name="a choice made ready")
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
        for one in self._warming:
            one.cancel()
        await asyncio.gather(*self._warming, return_exceptions=True)
        await self.sessions.end()
        await self.tasks.end()


async def _tried(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as problem:
        _log.warning("how messages are routed is not ready yet: %s", redact(str(problem)))
