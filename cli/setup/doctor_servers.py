"""What `ska doctor` finds about servers whose tools agents use; none is started."""

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from skill_agent.errors import ConfigError, ToolFailed
from skill_agent.files.home import Home
from skill_agent.values import Finding

if TYPE_CHECKING:
    from skill_agent.settings.schema import McpServer, Settings


def server_findings(home: Home, settings: "Settings | None") -> Iterator[Finding]:
    """Whether what each needs is there, and each that agents name."""
    if settings is None:
        return
    servers = settings.mcp.servers
    for name, server in servers.items():
        if server.enabled:
            yield from _lacks(home, name, server)
    yield from _unknown(home, servers.keys())


def _lacks(home: Home, name: str, server: "McpServer") -> Iterator[Finding]:
    from skill_agent.mcp_client.process import program

    what, folder = f"mcp.{name}", home.run / "mcp" / name
    try:
        found = server.url or program(server, folder, os.environ)
    except ToolFailed as problem:
        fix = f"{problem.hint}: ska config path"
        yield Finding(id=what, level="error", title=what, detail=problem.message, fix=fix)
        return
    wanted = (*server.env, *server.headers.values())
    unset = [variable for variable in wanted if not os.environ.get(variable)]
    if unset:
        yield Finding(
            id=what,
            level="warning",
            title=what,
            detail=f"not set here: {', '.join(unset)}; what counts is where the host runs",
            fix=f"export {unset[0]}=…, then ska down, and ska mcp test {name}",
        )
    else:
        yield Finding(id=what, level="ok", title=what, detail=found)


def _unknown(home: Home, known: Collection[str]) -> Iterator[Finding]:
    from skill_agent.agents.directory import AgentDirectory

    try:
        agents = AgentDirectory(home.agents).list()
    except ConfigError:
        return  # told as a finding of its own
    for agent in agents:
        named = {entry.partition(":")[0].strip() for entry in agent.mcp}
        for name in sorted(named - {*known}):
            yield Finding(
                id=f"agents.{agent.slug}.mcp",
                level="warning",
                title=f"tools of {agent.slug}",
                detail=f"agents.toml names a server {name!r}, and config.toml none of that name",
                fix=f"ska mcp add {name} -- COMMAND, or take it out of agents.toml",
            )
