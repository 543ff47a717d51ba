"""A memory book over real stores in a folder, without a runtime around it."""

from collections.abc import Callable
from pathlib import Path

from fakes import HashEmbedder, StepClock
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.memory import life
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.recall.projector import Projector
from skill_agent.ports import Embedder
from skill_agent.values import Memory


class Shelf:
    """A book over a ledger in a folder; the index opens only if somebody searches."""

    def __init__(
        self, folder: Path, clock: StepClock, embedder: Callable[[], Embedder] = HashEmbedder
    ) -> None:
        self._folder, self.clock, self._embedder = folder, clock, embedder
        self.written: list[Memory] = []

    async def __aenter__(self) -> "Shelf":
        self.ledger = await DuckLedger.open(self._folder / "ledger.duckdb", self.clock)
        self.projector = Projector(
            self.ledger, lambda: LanceIndex.open(self._folder / "memory.lance", self._embedder())
        )
        self.book = MemoryBook(self.ledger, self.projector, self.clock, "me", self.written.extend)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.projector.close()
        await self.ledger.close()

    async def dispute(self, *contents: str) -> list[Memory]:
        """Adds memories of which the first contradicts the rest."""
        new, *olds = [await self.book.add(one) for one in contents]
        return await self.book.write(
            life.disputing(new, olds, now=self.clock(), actor="test", reason="", stored=True)
        )
