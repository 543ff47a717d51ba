"""The servers of a home, their connections, and what of them a turn is offered."""

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from skill_agent.errors import ConfigError, ToolFailed
from skill_agent.ports import OffersTools, Tool, ToolsWanted
from skill_agent.settings.schema import McpServer
from skill_agent.text.printing import printable
from skill_agent.text.redaction import masked
from skill_agent.text.shaping import one_line
from skill_agent.values import ToolServer

from .calls import Offers
from .offering.offering import Offering
from .operations import Lines, ListOfServers, ListOfTools, McpOperations
from .pool import Pool

if TYPE_CHECKING:
    from .keeper import Keeper
    from .parts import Means

_TARGET_CHARS = 300
_MOST_LINES = 10_000


class Servers(McpOperations, OffersTools):
    """Begun by the first turn that may use them; ended with the host."""

    def __init__(self, means: "Means") -> None:
        self.means = means
        self.connections = Pool(means.home, means.settings.mcp, means.clock, elicits=self._elicited)
        self.offering: Offers = Offering(means, self.connections)
        """What of the servers' tools turns are offered."""

    async def list(self) -> ListOfServers:
        names = sorted(self.connections.configured.now().servers)
        return [self._standing(self.connections.keeper(name)) for name in names]

    async def test(self, name: str) -> ToolServer:
        try:
            await self.connections.usable(name).test()
        except ToolFailed as problem:
            stands = self._standing(self.connections.keeper(name))
            return replace(
                stands,
                problem=stands.problem or problem.message,
                hint=stands.hint or problem.hint,
            )
        return self._standing(self.connections.keeper(name))

    async def tools(self, name: str) -> ListOfTools:
        return await self.offering.described(name)

    async def log(self, name: str, *, lines: int = 100) -> Lines:
        from skill_agent.programs.error_log import last_lines

        keeper = self.connections.keeper(name)
        return await asyncio.to_thread(last_lines, keeper.log.file, min(lines, _MOST_LINES))

    async def offered(self, wanted: ToolsWanted) -> Mapping[str, Tool]:
        return await self.offering.offered(wanted)

    async def end(self) -> None:
        """Ends every server that was started."""
        await self.offering.end()
        await self.connections.end()

    async def _elicited(
        self, server: str, message: str, schema: dict[str, Any]
    ) -> dict[str, Any] | None:
        return await self.offering.elicits(server, message, schema)

    def _standing(self, keeper: "Keeper") -> ToolServer:
        now, broken = keeper.standing, self.connections.configured.problem
        off = not keeper.server.enabled
        problem, hint = now.problem, now.hint
        if broken:
            problem = "; ".join(part for part in (problem, _file_problem(broken)) if part)
            hint = hint or "ska config validate"
        return ToolServer(
            name=keeper.name,
            transport="http" if keeper.server.url else "stdio",
            target=target_of(keeper.server),
            state="disabled" if off else now.state,
            problem=problem,
            hint=hint,
            title=now.title,
            protocol=now.protocol,
            tools=keeper.known_tools(),
            since=now.since,
            used_by=self._used_by(keeper.name),
        )

    def _used_by(self, name: str) -> tuple[str, ...]:
        try:
            agents = self.means.directory.list()
        except ConfigError:
            return ()
        return tuple(
            agent.slug
            for agent in agents
            if any(entry.partition(":")[0].strip() == name for entry in agent.mcp)
        )


def target_of(server: McpServer) -> str:
    """The command line or the address, without what is secret in it."""
    if not server.url:
        return one_line(
            masked(printable(shlex.join((server.command, *server.args)))), _TARGET_CHARS
        )
    try:
        parts = urlsplit(server.url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(no address)"
    query = "?…" if parts.query else ""
    return one_line(masked(printable(f"{parts.scheme}://{host}{parts.path}{query}")), _TARGET_CHARS)


def _file_problem(said: str) -> str:
    return f"config.toml has a mistake, and what stood there before holds: {one_line(said, 300)}"
