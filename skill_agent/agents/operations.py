"""What can be done with agents, as an interface with its routes."""

from typing import TYPE_CHECKING, Any, Protocol

from skill_agent.route import route
from skill_agent.values import AgentStatus, PageFormat, Pages

if TYPE_CHECKING:
    from .dna import AgentDNA

Agents = list["AgentDNA"]  # `list` is a method
Texts = list[str]


class AgentOperations(Protocol):
    """The team as agents.toml has it."""

    @route("GET", "/v1/agents", scope="read", id="agents")
    async def list(self) -> Agents:
        """The agents in the order of agents.toml."""
        ...

    @route("POST", "/v1/agents", scope="admin", status=201, id="new_agent", once=True)
    async def new(self, slug: str, fields: dict[str, Any] | None = None) -> "AgentDNA":
        """Adds an agent; `fields` is its table as agents.toml writes it."""
        ...

    @route("GET", "/v1/agents/{slug}", scope="read", id="agent")
    async def get(self, slug: str) -> "AgentDNA":
        """One agent by slug or display name."""
        ...

    @route("PATCH", "/v1/agents/{slug}", scope="admin", id="set_agent_status")
    async def set_status(self, slug: str, status: AgentStatus) -> "AgentDNA":
        """Pauses, activates or archives an agent."""
        ...

    @route("PATCH", "/v1/agents/{slug}/model", scope="admin", id="set_agent_model")
    async def set_model(self, slug: str, model: str) -> "AgentDNA":
        """Has an agent answer with a model from its next turn on: `provider/model`, a tier or
        `default`. What would choose another one for it (`force_tier`, routing among tiers of its
        own) gives way."""
        ...

    @route(
        "POST", "/v1/agents/{slug}/clone", scope="admin", status=201, id="clone_agent", once=True
    )
    async def clone(self, slug: str, new_slug: str, name: str = "") -> "AgentDNA":
        """Adds an agent with this one's configuration, never its memories."""
        ...

    @route("POST", "/v1/agents/export", scope="admin", local=True, id="export_agents")
    async def export(
        self, agents: Texts, *, to: str, page_format: PageFormat, force: bool = False
    ) -> Pages:
        """Writes agents (all, where none is named) as Markdown that follows them."""
        ...
