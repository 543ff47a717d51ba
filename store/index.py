"""The memory index: LanceDB holds the rows, a resident copy answers.

The ledger is the truth; everything here may be deleted and projected again. One process writes.
Rows are written in ledger order, so the highest sequence in the table is how far it got, also
after a crash in the middle of an `apply`.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.wording import dated_line
from skill_agent.values import Hit, IndexItem

from .embed import CachedEmbedder
from .items import ItemTable
from .resident import Resident
from .rows import stem_line, to_table

if TYPE_CHECKING:
    from skill_agent.ports import Delta, Embedder, Progress, RecallQuery

_CHUNK = 512
"""Rows per commit: some two seconds of embedding; progress moves and a crash costs little."""


class LanceIndex:
    """A `MemoryIndex` in a directory; make one with `open`."""

    def __init__(self, table: ItemTable, embedder: CachedEmbedder, resident: Resident) -> None:
        self._table = table
        self._embedder = embedder
        self._resident = resident
        self._watermark = resident.last_seq
        self._writing = asyncio.Lock()
        self._storing = Lock()
        self._reading = Lock()

    @classmethod
    async def open(cls, directory: Path, embedder: "Embedder") -> "LanceIndex":
        """Opens or creates the index; one of another layout or vector space starts empty.

        The embedder loads beside the rows: together they are most of a cold start.
        """
        cached = CachedEmbedder(embedder)
        (table, resident), _ = await asyncio.gather(
            asyncio.to_thread(_open, directory, cached), asyncio.to_thread(_warm, cached)
        )
        return cls(table, cached, resident)

    async def watermark(self) -> int:
        """Highest ledger sequence reflected; 0 for a new index."""
        return self._watermark

    async def apply(self, delta: "Delta", progress: "Progress | None" = None) -> None:
        """Upserts and removes, idempotently, and moves the watermark to `up_to`.

        Removals go first: once a row is in, its sequence vouches for everything before it.
        """
        async with self._writing:
            await self._run(self._remove, delta.removed)
            items = sorted(delta.items, key=lambda item: item.seq)
            for start in range(0, len(items), _CHUNK):
                await self._run(self._upsert, items[start : start + _CHUNK])
                if progress:
                    progress(min(start + _CHUNK, len(items)), len(items), "indexing")
            self._watermark = max(self._watermark, delta.up_to)

    async def recall(self, query: "RecallQuery") -> list[Hit]:
        """Best first, at most `query.limit`, visibility enforced before anything is ranked."""
        return await asyncio.to_thread(self._recall, query)

    async def tend(self) -> None:
        """Compacts small commits and frees dead slots; for the host, when idle."""
        async with self._writing:
            await self._run(self._table.compact)
            if self._resident.dead > max(1000, len(self._resident) // 4):
                fresh = await self._run(_load, self._table, self._embedder.dimensions)
                with self._reading:
                    self._resident = fresh

    async def reset(self) -> None:
        """Empties the index; the next `apply` starts from 0."""
        async with self._writing:
            await self._run(self._table.replace)
            with self._reading:
                self._resident = Resident(self._embedder.dimensions)
            self._watermark = 0

    async def counts(self) -> dict[str, int]:
        """`items`, `memories`, `turns`."""
        with self._reading:
            return {
                "items": len(self._resident),
                "memories": self._resident.count("memory"),
                "turns": self._resident.count("turn"),
            }

    async def close(self) -> None:
        """Waits for a running write and leaves what the next process opens fast."""
        async with self._writing:
            await self._run(self._table.close)

    async def _run(self, work: Callable[..., Any], *given: Any) -> Any:
        """Blocking work on the table in a thread, one at a time.

        A cancelled caller lets go of `_writing` while its thread still writes; the next must not
        meet half of that.
        """

        def alone() -> Any:
            with self._storing:
                return work(*given)

        return await asyncio.to_thread(alone)

    def _recall(self, query: "RecallQuery") -> list[Hit]:
        vector = self._embedder.embed([query.text])[0]
        with self._reading:
            return self._resident.search(query, vector)

    def _upsert(self, items: Sequence[IndexItem]) -> None:
        vectors, lines = self._vectors(items), [stem_line(item) for item in items]
        rows = to_table(items, vectors, lines, self._table.schema())
        self._table.write(rows, replacing=any(item.id in self._resident for item in items))
        with self._reading:
            self._resident.put(items, vectors, lines)

    def _vectors(self, items: Sequence[IndexItem]) -> np.ndarray:
        """float32 (len(items), dimensions); a pin or a new status does not embed again."""
        with self._reading:
            held = [self._resident.vector_of(item) for item in items]
        new = [item for item, vector in zip(items, held, strict=True) if vector is None]
        fresh = iter(self._embedder.embed([dated_line(item) for item in new]))
        return np.stack([next(fresh) if vector is None else vector for vector in held])

    def _remove(self, ids: Sequence[str]) -> None:
        with self._reading:
            known = [item_id for item_id in ids if item_id in self._resident]
        if known:
            self._table.erase(known)
            with self._reading:
                self._resident.remove(known)


def _warm(embedder: CachedEmbedder) -> None:
    """Loads the model; one that is missing is reported by whoever needs it."""
    with suppress(ModelUnavailable):
        embedder.embed(["warm up"])


def _open(directory: Path, embedder: CachedEmbedder) -> tuple[ItemTable, Resident]:
    table = ItemTable(directory, embedder=embedder.name, dimensions=embedder.dimensions)
    return table, _load(table, embedder.dimensions)


def _load(table: ItemTable, dimensions: int) -> Resident:
    return Resident.load(table.read(), dimensions)
