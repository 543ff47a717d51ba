"""Turns that outside programs answer."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import ModelUnavailable
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.ports import Clock, Ledger
from skill_agent.settings.schema import Settings
from skill_agent.turns.hands import Brief, Hands
from skill_agent.turns.outside import RunsOutside


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What turns of outside programs stand on."""

    home: Home
    settings: Settings
    ledger: Ledger
    clock: Clock
    directory: AgentDirectory
    publish: Callable[[Event], None]


class Outside(RunsOutside):
    """Keeps a program for each conversation while it is talked to; ended with the host."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def turn(self, brief: Brief, hands: Hands, folder: str) -> AsyncGenerator[Event, None]:
        raise ModelUnavailable(f"{brief.agent.name} cannot be started yet")
        yield

    async def end(self) -> None:
        """Ends every program that was started, with all it started."""
