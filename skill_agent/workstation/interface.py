"""What every front end drives, and the HTTP API, in one table.

A `Workstation` is a home with its groups of operations, in this process or in another one. Each
group's interface lives in the folder of its idea, with a route on every method; server, client and
API document are derived from it, so there is no second protocol. To add a group is one line here,
and an object behind it in the runtime. Nothing heavy is imported: a client reads these pages too.
"""

from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from skill_agent.acp_client.operations import ProgramOperations
from skill_agent.agents.operations import AgentOperations
from skill_agent.backups.operations import BackupOperations
from skill_agent.bridges.operations import BridgeOperations
from skill_agent.conversations.operations import ConversationOperations, FigureOperations
from skill_agent.delivery.operations import InboxOperations
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.imports.operations import ImportOperations
from skill_agent.jobs.operations import JobOperations, WorkOperations
from skill_agent.jobs.summary.operations import DailyOperations
from skill_agent.mcp_client.operations import McpOperations
from skill_agent.memory.operations import (
    ExtractionOperations,
    FeedbackOperations,
    MemoryOperations,
    UpkeepOperations,
)
from skill_agent.models.operations import ModelOperations
from skill_agent.privacy.operations import ErasureOperations, UserOperations
from skill_agent.questions.operations import QuestionOperations
from skill_agent.route import Operation, operations
from skill_agent.settings.operations import ConfigOperations
from skill_agent.skills.operations import SkillOperations, SkillToolOperations
from skill_agent.team.operations import (
    CollaborationOperations,
    MailOperations,
    ReportOperations,
    RoutingOperations,
    SeatOperations,
    StrategyOperations,
    TaskOperations,
)
from skill_agent.team.router.operations import TierOperations
from skill_agent.tools.operations import ApprovalOperations
from skill_agent.turns.operations import SummaryOperations, TurnOperations
from skill_agent.values import TurnRequest
from skill_agent.webhooks.operations import WebhookOperations

from .operations import HostOperations

if TYPE_CHECKING:
    from skill_agent.settings.schema import Settings

Interface = TypeVar("Interface")


class Group(Generic[Interface]):
    """A group of operations as an attribute of the workstation: what it was made with."""

    def __init__(self, interface: type[Interface]) -> None:
        self.interface = interface

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, station: None, owner: type) -> "Group[Interface]": ...
    @overload
    def __get__(self, station: "Workstation", owner: type) -> Interface: ...
    def __get__(self, station: "Workstation | None", owner: type) -> Any:
        return self if station is None else station._groups[self._name]


class Workstation:
    """A home with its agents, conversations and memory, wherever it is open."""

    turns = Group(TurnOperations)
    approvals = Group(ApprovalOperations)
    routing = Group(RoutingOperations)  # its fixed path goes before `/v1/agents/{slug}`
    agents = Group(AgentOperations)
    skills = Group(SkillOperations)
    models = Group(ModelOperations)
    jobs = Group(JobOperations)
    daily = Group(DailyOperations)
    conversations = Group(ConversationOperations)
    summaries = Group(SummaryOperations)
    figures = Group(FigureOperations)
    memory = Group(MemoryOperations)
    extractions = Group(ExtractionOperations)
    upkeep = Group(UpkeepOperations)
    feedback = Group(FeedbackOperations)
    eraser = Group(ErasureOperations)
    user_data = Group(UserOperations)
    imports = Group(ImportOperations)
    tasks = Group(TaskOperations)
    backups = Group(BackupOperations)
    collaborations = Group(CollaborationOperations)
    seats = Group(SeatOperations)
    mail = Group(MailOperations)
    reports = Group(ReportOperations)
    strategies = Group(StrategyOperations)
    tiers = Group(TierOperations)
    inbox = Group(InboxOperations)
    webhooks = Group(WebhookOperations)
    work = Group(WorkOperations)
    questions = Group(QuestionOperations)
    bridges = Group(BridgeOperations)
    mcp = Group(McpOperations)
    programs = Group(ProgramOperations)
    skill_tools = Group(SkillToolOperations)
    config = Group(ConfigOperations)
    host = Group(HostOperations)

    def __init__(self, groups: Mapping[str, Any]) -> None:
        """Each group by its name; raises TypeError where one is missing."""
        if missing := GROUPS.keys() - groups.keys():
            raise TypeError(f"groups without an object behind them: {', '.join(sorted(missing))}")
        self._groups = groups

    @property
    def home(self) -> Home:
        raise NotImplementedError

    @property
    def settings(self) -> "Settings":
        """As they were when the home was opened."""
        raise NotImplementedError

    async def until_stopped(self) -> None:
        """Returns once this process holds the home and somebody asked it to end."""
        raise NotImplementedError

    def ask(self, text: str, **wishes: Any) -> AsyncGenerator[Event, None]:
        """`turns.ask` with the fields of a `TurnRequest`, for scripts."""
        return self.turns.ask(TurnRequest(text, **wishes))


GROUPS: Mapping[str, type] = MappingProxyType(
    {name: one.interface for name, one in vars(Workstation).items() if isinstance(one, Group)}
)


def table() -> tuple[Operation, ...]:
    """Every operation of the API; fixed paths stand before those with parameters."""
    return tuple(one for name, kind in GROUPS.items() for one in operations(name, kind))
