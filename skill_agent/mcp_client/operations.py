"""What can be done with servers of the Model Context Protocol, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import ServerTool, ToolServer

ListOfServers = list[ToolServer]
ListOfTools = list[ServerTool]
Lines = list[str]


class McpOperations(Protocol):
    """Servers whose tools agents may use."""

    @route("GET", "/v1/mcp/servers", scope="read", id="mcp_servers")
    async def list(self) -> ListOfServers:
        """Those of config.toml as it is now, by name, each as it stands."""
        ...

    @route("POST", "/v1/mcp/servers/{name}/test", scope="admin", id="mcp_test")
    async def test(self, name: str) -> ToolServer:
        """Starts it, or asks the one that runs, and says how it stands: what went wrong is told in
        the answer. Raises NotFound for a name there is none of."""
        ...

    @route("GET", "/v1/mcp/servers/{name}/tools", scope="read", id="mcp_tools")
    async def tools(self, name: str) -> ListOfTools:
        """Its tools, also those that are not offered, with the reason; starts it if need be. Raises
        NotFound for a name there is none of, ToolFailed where it cannot be asked."""
        ...

    @route("GET", "/v1/mcp/servers/{name}/log", scope="admin", id="mcp_log")
    async def log(self, name: str, *, lines: int = 100) -> Lines:
        """The last lines it wrote to its standard error, credentials masked."""
        ...
