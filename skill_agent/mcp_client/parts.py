"""What the servers of a home stand on."""

from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.ports import Asks, Clock, Embedder, Ledger
from skill_agent.settings.schema import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What these parts are made of."""

    home: Home
    settings: Settings
    """As they were when the home was opened; `[mcp.servers]` is read anew when it changes."""
    ledger: Ledger
    clock: Clock
    directory: AgentDirectory
    embedder: Callable[[], Embedder] | None
    publish: Callable[[Event], None]
    asks: Callable[[], Asks]
