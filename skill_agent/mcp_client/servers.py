"""The servers of a home, their connections, and what of them a turn is offered."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skill_agent.errors import NotFound
from skill_agent.ports import OffersTools, Tool, ToolsWanted
from skill_agent.values import ToolServer

from .offering.offering import Offering
from .operations import Lines, ListOfServers, ListOfTools, McpOperations

if TYPE_CHECKING:
    from .parts import Means


class Servers(McpOperations, OffersTools):
    """Begun by the first turn that may use them; ended with the host."""

    def __init__(self, means: "Means") -> None:
        self.means = means
        self.offering: Offering | None = None
        """What of the servers' tools turns are offered."""

    async def list(self) -> ListOfServers:
        return []

    async def test(self, name: str) -> ToolServer:
        raise NotFound(f"no server {name!r}", hint="ska mcp list")

    async def tools(self, name: str) -> ListOfTools:
        raise NotFound(f"no server {name!r}", hint="ska mcp list")

    async def log(self, name: str, *, lines: int = 100) -> Lines:
        raise NotFound(f"no server {name!r}", hint="ska mcp list")

    async def offered(self, wanted: ToolsWanted) -> Mapping[str, Tool]:
        return await self.offering.offered(wanted) if self.offering else {}

    async def end(self) -> None:
        """Ends every server that was started."""
        if self.offering:
            await self.offering.end()
