"""Skills as tools: which are in use, by whom, under which name."""

from collections.abc import Callable

from skill_agent.errors import NotFound
from skill_agent.ports import Clock, Ledger
from skill_agent.values import SkillActivation

from .book import SkillBook
from .operations import Activations, SkillToolOperations


class SkillTools(SkillToolOperations):
    """Activations are notes in the ledger; the list of them stands in memory."""

    def __init__(self, book: SkillBook, ledger: Ledger, clock: Clock) -> None:
        self._book, self._ledger, self._clock = book, ledger, clock

    async def list(self, *, agent: str | None = None) -> Activations:
        return []

    async def activate(self, name: str, agent: str) -> SkillActivation:
        raise NotFound(f"no skill {name!r}")

    async def deactivate(self, name: str, agent: str) -> SkillActivation:
        raise NotFound(f"no skill {name!r}")

    def on_change(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Has somebody hear whose tools have changed; gives how to stop that."""
        return lambda: None
