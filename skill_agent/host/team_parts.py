"""The parts of a runtime that make its agents a team: who answers, tasks, collaborations, mail."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.models.models import Models
from skill_agent.models.money.metered import Counter
from skill_agent.ports import ChoosesAgent, ChoosesModel, Clock, Embedder, Ledger, ModelGateway
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.team.mail.asking import Asking
from skill_agent.team.mail.beside import TeamBeside
from skill_agent.team.mail.directory import Colleagues
from skill_agent.team.mail.mail import Mail
from skill_agent.team.mail.messages import Messages
from skill_agent.team.mail.passing import PassesOn
from skill_agent.team.reports.reports import Reports
from skill_agent.team.tasks.tasks import Tasks
from skill_agent.team.tools.ability import Abilities
from skill_agent.team.tools.offering import Offering
from skill_agent.team.tools.tools import Means
from skill_agent.turns.colleagues import Colleagues as TurnsColleagues
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import Memory, NewMemory


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
    embedder: Callable[[], Embedder] | None
    publish: Callable[[Event], None]
    remember: Callable[[NewMemory], Awaitable[Memory]]
    hosting: bool


class TeamParts:
    """Made in two steps: what turns ask of the team, then what asks for turns."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.chooses_agent: ChoosesAgent | None = None
        self.chooses_model: ChoosesModel | None = None
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
        )
        self.colleagues: TurnsColleagues | None = None

    def join(self, turns: TurnOperations) -> None:
        """Makes what asks for turns; once, before `groups`."""
        ground = self._ground
        self.tasks = Tasks(turns=turns, ledger=ground.ledger, clock=ground.clock)
        self.reports = Reports(
            directory=ground.directory,
            colleagues=self.experts,
            tasks=self.tasks,
            settings=ground.settings.models,
            clock=ground.clock,
            info=ground.models.info,
            remember=ground.remember,
        )
        self.offering = Offering(
            features=ground.settings.features,
            abilities=Abilities(ground.home.models / ".delegating.json"),
            gateway=ground.gateway,
            means=Means(tasks=self.tasks, messages=self.messages, reports=self.reports),
            depth=lambda request: int(request.task is not None),
        )
        self.colleagues = TeamBeside(
            directory=ground.directory,
            messages=self.messages,
            asking=Asking(
                embedder=ground.embedder, vectors=ground.home.kv_cache / "asking.vectors"
            ),
            passes_on=PassesOn(ledger=ground.ledger, directory=ground.directory, tasks=self.tasks),
            offering=self.offering,
            delegates=ground.settings.features.task_delegation,
        )

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        mail = Mail(self.experts, self.messages, self.offering.prove)
        return {"mail": mail, "reports": self.reports}

    async def begin(self) -> None:
        """Takes up again what a crash cut short; once, after opening."""

    async def end(self) -> None:
        """Ends what runs, before turns are ended."""
