"""The parts of a runtime by which other programs come in and are used: servers, outside programs,
skills as tools."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.acp_client.outside import Means as OutsideMeans
from skill_agent.acp_client.outside import Outside
from skill_agent.acp_client.programs import Programs
from skill_agent.agents.directory import AgentDirectory
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.mcp_client.parts import Means as ServerMeans
from skill_agent.mcp_client.servers import Servers
from skill_agent.ports import Asks, Clock, Embedder, Ledger
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.skills.tools import SkillTools


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What these parts stand on."""

    home: Home
    settings: Settings
    ledger: Ledger
    clock: Clock
    directory: AgentDirectory
    skillbook: SkillBook
    embedder: Callable[[], Embedder] | None
    publish: Callable[[Event], None]
    asks: Callable[[], Asks]
    on_purge: Callable[[Callable[[], None]], None]


class DoorParts:
    """Made before turns, which use them; nothing is started until a turn needs it."""

    def __init__(self, frame: Frame) -> None:
        self.servers = Servers(
            ServerMeans(
                home=frame.home,
                settings=frame.settings,
                ledger=frame.ledger,
                clock=frame.clock,
                directory=frame.directory,
                embedder=frame.embedder,
                publish=frame.publish,
                asks=frame.asks,
            )
        )
        self.outside = Outside(
            OutsideMeans(
                home=frame.home,
                settings=frame.settings,
                ledger=frame.ledger,
                clock=frame.clock,
                directory=frame.directory,
                publish=frame.publish,
                serves=_serves(frame.home),
            )
        )
        self.programs = Programs(frame.settings.acp)
        self.skill_tools = SkillTools(
            frame.skillbook,
            frame.ledger,
            frame.clock,
            slug_of=lambda name: frame.directory.get(name).slug,
        )
        frame.on_purge(self.skill_tools.forget)
        frame.on_purge(self.outside.forget)

    def groups(self) -> dict[str, object]:
        """The groups of operations by name."""
        return {
            "mcp": self.servers,
            "programs": self.programs,
            "skill_tools": self.skill_tools,
        }

    async def end(self) -> None:
        """Ends what was started, after turns have ended."""
        await self.skill_tools.end()
        await self.servers.end()
        await self.outside.end()


def _serves(home: Home) -> tuple[str, ...]:
    """The command that serves this home over MCP, as this very program."""
    # -P: a folder that happens to lie in the working directory is no code of ours.
    program = (sys.executable, "-P", "-m", "skill_agent.cli")
    return (*program, "--home", str(home.root), "mcp", "serve")
