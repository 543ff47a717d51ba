"""The parts of a runtime that make its agents a team: who answers, tasks, collaborations, mail."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import ChoosesAgent, ChoosesModel, Clock, Embedder, Ledger
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.team.router.difficulty import Difficulty
from skill_agent.team.router.router import Router
from skill_agent.team.router.second_opinion import SecondOpinion
from skill_agent.team.router.tiers import TierBook
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
    embedder: Callable[[], Embedder] | None
    publish: Callable[[Event], None]
    hosting: bool


class TeamParts:
    """Made in two steps: what turns ask of the team, then what asks for turns."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.chooses_agent: ChoosesAgent | None = None
        self._difficulty = Difficulty(
            embedder=ground.embedder, vectors=ground.home.kv_cache / "difficulty.vectors"
        )
        self._router = self._make_router(ground)
        self.chooses_model: ChoosesModel | None = self._router
        self._warming: asyncio.Task[None] | None = None

    def join(self, turns: TurnOperations) -> None:
        """Makes what asks for turns; once, before `groups`."""
        ground = self._ground
        self.tasks = Tasks(turns=turns, ledger=ground.ledger, clock=ground.clock)

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {"tiers": self._make_tiers(self._ground)}

    async def begin(self) -> None:
        """Takes up again what a crash cut short; once, after opening. A process that stays learns
        ahead how hard messages are, where that will be asked."""
        if self._ground.hosting and self._router is not None and self._router.chooses:
            self._warming = asyncio.create_task(self._difficulty.warm())

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)

    def _make_router(self, ground: Ground) -> Router | None:
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

    def _make_tiers(self, ground: Ground) -> TierBook:
        return TierBook(
            settings=ground.settings.models,
            directory=ground.directory,
            counter=ground.counter,
            default_agent=ground.settings.general.default_agent,
        )
