"""The parts of a runtime that make its agents a team: who answers, tasks, collaborations, mail."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import (
    ChoosesAgent,
    ChoosesModel,
    Clock,
    Embedder,
    KeepsDecisions,
    Ledger,
)
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.team.gate.comparing import Comparing
from skill_agent.team.gate.decisions import Decisions
from skill_agent.team.gate.gate import ExpertGate
from skill_agent.team.gate.load import Loads
from skill_agent.team.gate.routing import AgentRouting
from skill_agent.team.tasks.tasks import Tasks
from skill_agent.text.redaction import redact
from skill_agent.turns.operations import TurnOperations

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
    counter: Counter
    board: TurnBoard
    embedder: Callable[[], Embedder] | None
    publish: Callable[[Event], None]
    hosting: bool


class TeamParts:
    """Made in two steps: what turns ask of the team, then what asks for turns."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._gate = gate = _gate(ground)
        self._warming: asyncio.Task[None] | None = None
        on = ground.settings.features.expert_gate
        self.chooses_agent: ChoosesAgent | None = gate if on else None
        self.decisions: KeepsDecisions | None = Decisions(ground.ledger) if on else None
        self.chooses_model: ChoosesModel | None = None

    def join(self, turns: TurnOperations) -> None:
        """Makes what asks for turns; once, before `groups`."""
        ground = self._ground
        self.tasks = Tasks(turns=turns, ledger=ground.ledger, clock=ground.clock)

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        ground = self._ground
        return {"routing": AgentRouting(ground.ledger, ground.directory, self._gate)}

    async def begin(self) -> None:
        """Takes up again what a crash cut short; once, after opening."""
        if self._ground.hosting and self.chooses_agent is not None:
            self._warming = asyncio.create_task(_warmed(self._gate), name="gate made ready")

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)


def _gate(ground: Ground) -> ExpertGate:
    settings = ground.settings
    return ExpertGate(
        ledger=ground.ledger,
        clock=ground.clock,
        directory=ground.directory,
        default_agent=settings.general.default_agent,
        comparing=Comparing(
            skills=ground.skillbook, embedder=ground.embedder, folder=ground.home.kv_cache
        ),
        loads=Loads(board=ground.board, clock=ground.clock),
        escalates=settings.features.handoff,
    )


async def _warmed(gate: ExpertGate) -> None:
    """Nothing depends on it: the first message does the same."""
    try:
        await gate.warm()
    except Exception as problem:
        _log.warning("the agents are not compared yet: %s", redact(str(problem)))
