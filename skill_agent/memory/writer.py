"""The one door of memories to the ledger, so that index and caches hear of every change."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from skill_agent.memory.recall.projector import Projector
from skill_agent.ports import Ledger
from skill_agent.values import Memory, MemoryChange

from .masking import change_without_secrets
from .standing import within_bounds


class Writer(Protocol):
    """Whoever can write changes of memories."""

    async def write(self, changes: Sequence[MemoryChange]) -> list[Memory]:
        """All of them or none; gives the memories as written. Raises MemoryChanged."""
        ...


def nobody(_written: Sequence[Memory]) -> None:
    return None


class LedgerWriter:
    """Writes the memories of one home."""

    def __init__(
        self,
        ledger: Ledger,
        projector: Projector,
        changed: Callable[[Sequence[Memory]], None] = nobody,
    ) -> None:
        """`changed` hears of every memory written, before anybody else can read it here."""
        self._ledger, self._projector, self._changed = ledger, projector, changed

    async def write(self, changes: Sequence[MemoryChange]) -> list[Memory]:
        """Writes changes worked out elsewhere, all or none. Raises MemoryChanged."""
        clean = [change_without_secrets(one) for one in changes]
        bound = [replace(one, memory=within_bounds(one.memory)) for one in clean]
        written = await self._ledger.write_memories(bound)
        self.wrote(written)
        return written

    def wrote(self, memories: Sequence[Memory]) -> None:
        """Tells of memories that are in the ledger now."""
        self._projector.touch()
        self._changed(memories)
