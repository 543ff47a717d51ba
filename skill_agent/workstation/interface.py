"""What every front end drives, and the HTTP API, in one table.

`Workstation` and its desks are what a runtime offers, in this process or in another one. Each
method carries its route; server and client are derived from it, so there is no second protocol.
Nothing here does anything, and nothing heavy is imported: a client reads these pages too.
"""

from collections.abc import AsyncGenerator
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from skill_agent.events import Choice, Event
from skill_agent.files.home import Home
from skill_agent.ports import Progress
from skill_agent.values import (
    Compaction,
    HomeInfo,
    Message,
    ModelInfo,
    ModelTrial,
    Session,
    Skill,
    Submitted,
)

from .groups import (
    ErasureDesk,
    ExtractionDesk,
    FeedbackDesk,
    HostDesk,
    Jobs,
    MemoryDesk,
    UpkeepDesk,
    UserDesk,
)
from .route import Operation, operations, route

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA, AgentStatus
    from skill_agent.events.bus import Subscription
    from skill_agent.settings.schema import Settings
    from skill_agent.values import FileKind, PageFormat, Pages, TurnState, UsageTotals

ELSEWHERE = MappingProxyType(
    {
        "AgentDNA": "agents.dna", "AgentStatus": "agents.dna", "Settings": "settings.schema", "PageFormat": "agents.pages",
        "Pages": "agents.pages", "FeedbackResult": "memory.feedback", "ErasureReport": "privacy.erasure",
        "Erasure": "privacy.erasure_plan", "ConsolidationReport": "memory.consolidate",
        "ExpiryReport": "memory.expiry", "ExtractionJob": "memory.extractions",
        "JobState": "memory.extractions", "Chore": "memory.upkeep", "ChoreStatus": "memory.upkeep",
        "HostStatus": "host.presence", "TurnState": "conversations.turn_states", "UsageTotals": "conversations.usage",
        "UserErasure": "privacy.user_data", "UserExport": "privacy.user_data", "UserImport": "privacy.user_data",
        "FileKind": "files.written",
    }
)  # fmt: skip
"""Where the names live that interfaces mention and only who needs them imports."""


class Workstation(Protocol):
    """A home with its agents, conversations and memory, wherever it is open."""

    @property
    def home(self) -> Home: ...
    @property
    def settings(self) -> "Settings":
        """As they were when the home was opened."""
        ...

    @property
    def memory(self) -> MemoryDesk: ...
    @property
    def extractions(self) -> ExtractionDesk: ...
    @property
    def upkeep(self) -> UpkeepDesk: ...
    @property
    def feedback(self) -> FeedbackDesk: ...
    @property
    def eraser(self) -> ErasureDesk: ...
    @property
    def user_data(self) -> UserDesk: ...
    @property
    def host(self) -> HostDesk: ...

    @route("GET", "/v1/home", scope="read")
    async def info(self) -> HomeInfo:
        """What this home is and who serves it."""
        ...

    # -- turns -------------------------------------------------------------------------------

    @route("POST", "/v1/turns", scope="chat", status=202, limit="chat", key="key")
    async def submit(
        self,
        text: str,
        *,
        session: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        use_memory: bool = True,
        interactive: bool = True,
        key: str | None = None,
    ) -> Submitted:
        """Saves the message and starts its turn; its events are at `/v1/events?turn=`."""
        ...

    def ask(
        self,
        text: str,
        *,
        session: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        use_memory: bool = True,
        interactive: bool = True,
        key: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Submits and gives the turn's events until its end; leaving early cancels the turn."""
        ...

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> "Subscription":
        """Events from now on, or of a whole turn; a context manager and async iterator."""
        ...

    @route("GET", "/v1/tasks", scope="read")
    async def tasks(self, *, limit: int = 50) -> "list[TurnState]":
        """Turns that run, then those that ended lately."""
        ...

    @route("GET", "/v1/tasks/{task}", scope="read")
    async def task(self, task: str) -> "TurnState":
        """What became of a turn."""
        ...

    @route("POST", "/v1/tasks/{turn}/cancel", scope="chat")
    async def cancel(self, turn: str) -> bool:
        """Stops a turn and waits until it has ended; its partial reply is kept."""
        ...

    @route("POST", "/v1/approvals/{approval}", scope="chat")
    async def answer(self, approval: str, choice: Choice, *, by: str = "person") -> bool:
        """Settles an approval; false if it is not waiting."""
        ...

    @route("GET", "/v1/rules", scope="read")
    async def rules(self) -> list[str]:
        """Tool calls allowed with "always"."""
        ...

    @route("DELETE", "/v1/rules", scope="admin")
    async def revoke_rule(self, rule: str) -> None:
        """Takes such a permission back."""
        ...

    # -- agents, skills, models --------------------------------------------------------------

    @route("GET", "/v1/agents", scope="read")
    async def agents(self) -> "list[AgentDNA]":
        """The agents in the order of agents.toml."""
        ...

    @route("POST", "/v1/agents", scope="admin", status=201)
    async def new_agent(self, slug: str, fields: dict[str, Any] | None = None) -> "AgentDNA":
        """Adds an agent; `fields` is its table as agents.toml writes it."""
        ...

    @route("GET", "/v1/agents/{slug}", scope="read")
    async def agent(self, slug: str) -> "AgentDNA":
        """One agent by slug or display name."""
        ...

    @route("PATCH", "/v1/agents/{slug}", scope="admin")
    async def set_agent_status(self, slug: str, status: "AgentStatus") -> "AgentDNA":
        """Pauses, activates or archives an agent."""
        ...

    @route("POST", "/v1/agents/{slug}/clone", scope="admin", status=201)
    async def clone_agent(self, slug: str, new_slug: str, name: str = "") -> "AgentDNA":
        """Adds an agent with this one's configuration, never its memories."""
        ...

    @route("POST", "/v1/agents/{agent}/wake", scope="chat", status=202)
    async def wake(self, agent: str | None = None, *, model: str | None = None) -> None:
        """Makes an agent's first reply quick, in the background."""
        ...

    @route("POST", "/v1/agents/{agent}/prepare", scope="chat")
    async def prepare(self, agent: str, *, model: str | None = None) -> None:
        """As `wake`, but returns when it is done."""
        ...

    @route("GET", "/v1/agents/{agent}/model", scope="read")
    async def model_info(self, agent: str, model: str | None = None) -> ModelInfo:
        """The model that would answer now."""
        ...

    @route("POST", "/v1/agents/export", scope="admin", local=True)
    async def export_agents(
        self, agents: list[str], *, to: str, page_format: "PageFormat", force: bool = False
    ) -> "Pages":
        """Writes agents (all, where none is named) as Markdown that follows them."""
        ...

    @route("GET", "/v1/skills", scope="read")
    async def skills(self) -> list[Skill]:
        """The skills there are."""
        ...

    @route("GET", "/v1/catalogue", scope="read")
    async def models(self) -> list[ModelInfo]:
        """Embedded models known, and the remote ones named in the settings."""
        ...

    @route("POST", "/v1/catalogue/test", scope="admin")
    async def try_model(
        self, name: str | None = None, *, progress: Progress | None = None
    ) -> ModelTrial:
        """Has a model say hello, and times it."""
        ...

    # -- conversations -----------------------------------------------------------------------

    @route("GET", "/v1/conversations", scope="read", keyset=("updated_at", "id"))
    async def sessions(
        self, *, limit: int = 50, before: tuple[datetime, str] | None = None
    ) -> list[Session]:
        """Conversations, the newest activity first."""
        ...

    @route("GET", "/v1/find/conversation", scope="read")
    async def find_session(self, ref: str) -> Session:
        """One conversation by `latest`, id, id prefix or title."""
        ...

    @route("GET", "/v1/conversations/{session_id}/messages", scope="read", keyset=("position",))
    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> list[Message]:
        """Its messages in order; `last` > 0 keeps only that many from the end."""
        ...

    @route("PATCH", "/v1/conversations/{ref}", scope="chat")
    async def rename_session(self, ref: str, title: str) -> Session:
        """Gives a conversation another title."""
        ...

    @route("DELETE", "/v1/conversations/{ref}", scope="chat")
    async def delete_session(self, ref: str) -> Session:
        """Off the list and out of recall; the ledger keeps it."""
        ...

    @route("POST", "/v1/conversations/{session_id}/agent", scope="chat")
    async def set_session_agent(self, session_id: str, agent: str) -> None:
        """Who answers from now on in this conversation."""
        ...

    @route("GET", "/v1/conversations/{session_id}/compactions", scope="read")
    async def compactions(self, session_id: str) -> list[Compaction]:
        """What of a conversation stands in its prompts as a summary, the oldest first."""
        ...

    @route("POST", "/v1/conversations/{ref}/compact", scope="chat")
    async def compact(self, ref: str) -> Compaction | None:
        """Sums up all but the newest messages now; null if there is nothing to."""
        ...

    @route("GET", "/v1/messages", scope="read", limit="search")
    async def search_messages(self, text: str, *, limit: int = 50) -> list[Message]:
        """Messages containing the text, ignoring case, the newest first."""
        ...

    @route("POST", "/v1/messages/lookup", scope="read")
    async def messages_by_id(self, ids: list[str]) -> dict[str, Message]:
        """Those that exist, by exact id."""
        ...

    @route("POST", "/v1/extractions/run", scope="memory")
    async def extract(
        self, session: str | None = None, *, again: bool = False, progress: Progress | None = None
    ) -> Jobs:
        """Reads for memories what nobody has read yet, of one conversation or all."""
        ...

    # -- figures -----------------------------------------------------------------------------

    @route("GET", "/v1/usage", scope="read")
    async def usage(self) -> "UsageTotals":
        """Tokens and cost: last turn, today, all."""
        ...

    @route("GET", "/v1/counts", scope="read")
    async def counts(self) -> dict[str, int]:
        """How many sessions, messages, memories and log rows there are."""
        ...

    @route("GET", "/v1/warnings", scope="read")
    async def warnings(self) -> list[str]:
        """What the ledger found odd when it was opened."""
        ...

    @route("POST", "/v1/written-files", scope="admin", local=True)
    async def note_written(self, path: str, kind: "FileKind") -> None:
        """Keeps a file written outside the home in mind, so that erasing reaches it."""
        ...


GROUPS = MappingProxyType(
    {
        "memory": MemoryDesk,
        "extractions": ExtractionDesk,
        "upkeep": UpkeepDesk,
        "feedback": FeedbackDesk,
        "eraser": ErasureDesk,
        "privacy.user_data": UserDesk,
        "host": HostDesk,
    }
)


def table() -> tuple[Operation, ...]:
    """Every operation of the API; fixed paths stand before those with parameters."""
    return tuple(operations(Workstation, dict(GROUPS)))
